/** What the anchor contract compiles to, as it lies beside its source. */
import artefact from './kedge-anchor.json' with { type: 'json' }

export interface Artefact {
  readonly contract: string
  readonly compiler: string
  readonly settings: unknown
  /** Of the runtime code: what `codeHash` of the account is, on a guomi chain with SM3. */
  readonly codeHash: { readonly keccak256: string; readonly sm3: string }
  readonly abi: readonly AbiItem[]
  /** What is deployed; the registrar's address follows it, as one word. */
  readonly bytecode: string
  readonly runtime: string
}

export interface AbiItem {
  readonly type: string
  readonly name?: string
  readonly inputs?: readonly AbiValue[]
  readonly outputs?: readonly AbiValue[]
}

export interface AbiValue {
  readonly name: string
  readonly type: string
  readonly indexed?: boolean
  readonly components?: readonly AbiValue[]
}

/** Imported and not read, so that it is in a bundled gateway, too. */
export const readArtefact = (): Artefact => artefact
