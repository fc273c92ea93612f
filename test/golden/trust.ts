// Trust files (section 9). Only what a case names is written: the defaults are tested by leaving out.
import { hex } from './bytes.ts'
import type { Block, Chain, Sealer } from './chain.ts'
import type { Key } from './keys.ts'
import { start } from './records.ts'
import type { Gateway } from './streams.ts'

export type Trust = { readonly name: string; readonly text: string }

export type KeyTrust = {
  readonly key: Key
  readonly incarnation?: number
  readonly from?: number
  readonly to?: number | null
  /** Milliseconds from `start`. */
  readonly compromisedAfter?: number
}

export type LedgerTrust = (WitnessTrust | ChainTrust) & {
  readonly name?: string | null
  readonly independent?: boolean
  readonly required?: boolean
  readonly clockToleranceMs?: number
}

export type WitnessTrust = { readonly key: Key; readonly rules?: 'extensions' | 'any' }

export type ChainTrust = {
  readonly chain: Chain
  /** From a height on. */
  readonly confirmations?: number
  readonly signers?: readonly (readonly [from: number, by: readonly Sealer[]])[]
  readonly blocks?: readonly Block[]
}

export type Believed = {
  readonly gateways: readonly (readonly [Gateway, readonly KeyTrust[]])[]
  readonly ledgers?: readonly LedgerTrust[]
  readonly controllers?: readonly (readonly [Key, name: string])[]
}

export const trust = (name: string, believed: Believed): Trust => ({
  name,
  text: `${JSON.stringify(
    {
      asOf: '2026-06-01T00:00:00Z',
      gateways: believed.gateways.map(([{ id }, keys]) => ({
        gateway: hex(id),
        keys: keys.map(keyTrust),
      })),
      ledgers: (believed.ledgers ?? []).map(ledgerTrust),
      controllers: (believed.controllers ?? []).map(([key, called]) => ({
        publicKey: hex(key.publicKey),
        name: called,
      })),
    },
    null,
    1,
  )}\n`,
})

const ledgerTrust = (ledger: LedgerTrust) => {
  if ('key' in ledger) {
    const { key, ...rest } = ledger
    return { kind: 'witness', publicKey: hex(key.publicKey), ...rest }
  }
  const { chain, signers, blocks, ...rest } = ledger
  return {
    kind: 'evm',
    chainId: chain.chainId,
    genesis: hex(chain.genesis),
    contract: hex(chain.contract),
    codeHash: hex(chain.codeHash),
    ...(signers ? { signers: signers.map(signerList) } : {}),
    ...(blocks ? { blocks: blocks.map(pinnedBlock) } : {}),
    ...rest,
  }
}

const signerList = ([from, by]: readonly [number, readonly Sealer[]]) => ({
  from,
  addresses: by.map(({ address }) => hex(address)),
})

const pinnedBlock = ({ number, hash }: Block) => ({ height: number, hash: hex(hash) })

const keyTrust = ({ key, incarnation, compromisedAfter, ...sizes }: KeyTrust) => ({
  publicKey: hex(key.publicKey),
  incarnation: incarnation ?? 0,
  ...sizes,
  ...(compromisedAfter === undefined
    ? {}
    : { compromisedAfter: new Date(start + compromisedAfter).toISOString() }),
})
