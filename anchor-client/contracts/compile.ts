import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex, hexToBytes } from '../evidence/bytes.ts'
import { sm3 } from '../evidence/sm3.ts'
import type { AbiItem, Artefact } from './artefact.ts'

export * from './artefact.ts'

/**
 * Compiles the anchor contract: `node --import tsx anchor-client/contracts/compile.ts && npm run fix`
 * writes the artefact anew.
 * The compiler is a tool for development; a gateway reads the artefact.
 */
const name = 'KedgeAnchor'
const sourceFile = 'kedge-anchor.sol'

/** Whatever changes one of these changes the bytecode, whose hash is pinned in trust files. */
const settings = {
  // FISCO BCOS and Clique networks know nothing later.
  evmVersion: 'london',
  optimizer: { enabled: true, runs: 200 },
  viaIR: true,
  // Else a changed comment would change the bytecode.
  metadata: { appendCBOR: false, bytecodeHash: 'none' },
} as const

/** What the compiler makes of the source: the same on every machine. */
export async function compileAnchor(): Promise<Artefact> {
  const { default: solc } = await import('solc')
  const content = readFileSync(new URL(sourceFile, import.meta.url), 'utf8')
  const outputs = ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object']
  const input = {
    language: 'Solidity',
    sources: { [sourceFile]: { content } },
    settings: { ...settings, outputSelection: { [sourceFile]: { [name]: outputs } } },
  }
  const output: SolcOutput = JSON.parse(solc.compile(JSON.stringify(input)))
  const [fault] = output.errors ?? []
  if (fault) throw new Error(fault.formattedMessage)
  const made = output.contracts?.[sourceFile]?.[name]
  if (!made) throw new Error(`the compiler gave no ${name}`)
  const runtime = made.evm.deployedBytecode.object
  const code = hexToBytes(runtime)
  return {
    contract: name,
    compiler: solc.version(),
    settings,
    codeHash: { keccak256: bytesToHex(keccak_256(code)), sm3: bytesToHex(sm3(code)) },
    abi: made.abi,
    bytecode: made.evm.bytecode.object,
    runtime,
  }
}

interface SolcOutput {
  readonly errors?: readonly { readonly formattedMessage: string }[]
  readonly contracts?: Record<string, Record<string, SolcContract>>
}

interface SolcContract {
  readonly abi: readonly AbiItem[]
  readonly evm: Record<'bytecode' | 'deployedBytecode', { readonly object: string }>
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const artefactPath = fileURLToPath(new URL('kedge-anchor.json', import.meta.url))
  writeFileSync(artefactPath, `${JSON.stringify(await compileAnchor(), null, 2)}\n`)
}
