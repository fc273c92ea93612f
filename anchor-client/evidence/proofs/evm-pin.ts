import { bytesToHex, hexToBytes } from '../bytes.ts'
import type { Fields } from '../json-fields.ts'
import { evmLedgerId } from './evm-ledger-id.ts'
import type { Pin } from './proof.ts'

/** By what a regulator knows a block of a chain (FORMAT.md section 9). */
export interface PinnedChain {
  readonly contract: string
  /** Who may seal, from which height on: ascending. */
  readonly signers: readonly SignerList[]
  readonly blocks: ReadonlyMap<number, string>
  /** How many blocks must lie over one that the signers vouch for. */
  readonly confirmations: number
}

export interface SignerList {
  readonly from: number
  readonly addresses: ReadonlySet<string>
}

/** A chain of more signers would need more headers than a proof may carry. */
const maxSigners = 255
const maxConfirmations = 64

export function readEvmPin(fields: Fields): Pin {
  const contract = fields.hex('contract', 20)
  const ledger = {
    chainId: fields.uint('chainId', 1),
    genesis: hexToBytes(fields.hex('genesis', 32)),
    contract: hexToBytes(contract),
  }
  return {
    ledgerId: bytesToHex(evmLedgerId(ledger)),
    code: fields.hex('codeHash', 32),
    chain: {
      contract,
      signers: readSigners(fields),
      blocks: readBlocks(fields),
      confirmations: fields.uint('confirmations', 0, 0, maxConfirmations),
    },
  }
}

function readSigners(fields: Fields): SignerList[] {
  const lists: SignerList[] = []
  for (const list of fields.optionalList('signers')) {
    const from = list.uint('from', 0, 0)
    const addresses = new Set(list.hexes('addresses', 20, maxSigners))
    list.end()
    const before = lists.at(-1)
    if (before && before.from >= from) throw list.refusal('a height above that of the list before')
    lists.push({ from, addresses })
  }
  return lists
}

function readBlocks(fields: Fields): Map<number, string> {
  const blocks = new Map<number, string>()
  for (const block of fields.optionalList('blocks')) {
    const height = block.uint('height', 0)
    const hash = block.hex('hash', 32)
    block.end()
    if (blocks.has(height)) throw block.refusal('a height that did not stand here before')
    blocks.set(height, hash)
  }
  return blocks
}
