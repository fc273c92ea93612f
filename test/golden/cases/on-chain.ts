// Ten readings whose history a contract on an EVM chain holds: three signers seal, two of them are enough.
import { fromHex, type Item } from '../bytes.ts'
import {
  type Account,
  address,
  anchored,
  type Block,
  type BlockOf,
  type Chain,
  chain as chainOf,
  proved,
  raws,
  receipt,
  receiptTrie,
  type Sealer,
  type State,
  sealer,
  slotOf,
  slotsOf,
  state,
  word,
} from '../chain.ts'
import { seeded } from '../hash.ts'
import { type Checkpoint, checkpoint, type History, headOf } from '../history.ts'
import { key } from '../keys.ts'
import { rlp, scalar } from '../patricia.ts'
import { ledgers } from '../people.ts'
import { minute } from '../records.ts'
import { gateway } from '../streams.ts'
import type { ChainTrust, LedgerTrust } from '../trust.ts'
import { believing, grow, sealedAt, takenAt, ten, under as underOf } from './witnessed.ts'

/** Gateways a and b with the history hash that an EVM computes. */
export const west = gateway(key('gateway a'), 0, 2)
export const westB = gateway(key('gateway b'), 0, 2)
export const grownWest = grow(ten, undefined, west)
export const grownWestB = grow(ten, undefined, westB)
export const two = checkpoint(grownWest, 2)

/** A history whose first wall makes a head that begins with a zero. */
export const zeroed = (() => {
  for (let ms = 0; ; ms++) {
    const from = grow(ten, [4 * minute + ms, sealedAt], west)
    const { gateway, size, root } = checkpoint(from, 2)
    if (headOf(gateway, size, root)[0] === 0) return from
  }
})()

export const consortium: Chain = {
  chainId: 1337,
  genesis: seeded('genesis'),
  contract: address('contract'),
  // The anchor contract as it is compiled (contracts/kedge-anchor.json).
  codeHash: fromHex('527e329ba770bbdbe7aab026a6397843197897328450bb20798eecc0fc035c59'),
}
export const { contract, codeHash } = consortium

export const [s1, s2, s3] = [sealer('one'), sealer('two'), sealer('three')] as const
export const outsider = sealer('outsider')
export const signers = [s1, s2, s3]

type Pinned = Extract<LedgerTrust, ChainTrust>
export const chainLedger: Pinned = {
  chain: consortium,
  name: 'consortium',
  independent: true,
  clockToleranceMs: 2_000,
}
/** The ledger inside the gateway, the hospital's witness, and the chain as it is pinned. */
export const pinning = (name: string, pin: Partial<Pinned>, more: readonly LedgerTrust[] = []) =>
  believing(name, [ledgers.embedded, ledgers.w1, { ...chainLedger, ...pin }, ...more])
export const bySigners = pinning('chain-by-signers', { signers: [[0, signers]] })
export const byNothing = pinning('chain-by-nothing', {})

/** Accounts beside the contract's, so that there is a trie to speak of. */
const others = Array.from({ length: 20 }, (_, i): Account => ({ address: address(`other ${i}`) }))

/** What the contract holds when these are the last that it took. */
export const slots = (of: readonly Checkpoint[]) => [
  [word(3), seeded('registrar').fill(0, 0, 12)] as const,
  ...Array.from({ length: 10 }, (_, i) => [seeded('slot', i), seeded('held', i)] as const),
  ...of.flatMap(slotsOf),
]

export const holding = (of: readonly Checkpoint[], change: Partial<Account> = {}): State =>
  state([...others, { address: contract, codeHash, slots: slots(of), ...change }])

export const height = 17
export const held = holding([two, checkpoint(grownWestB, 2)])

/** Block 17, that holds it, and the blocks after it. */
export const blocks = (
  by: readonly (Sealer | null)[] = [s1, s2],
  first: Partial<BlockOf> = {},
  more: Partial<BlockOf> = {},
): readonly Block[] =>
  chainOf({ number: height, at: takenAt, stateRoot: held.root, ...first }, by, more)

/** The parts of a proof by state. */
export const stateParts = (
  of: readonly Block[] = blocks(),
  from: State = held,
  slot: Uint8Array = slotOf(west),
): readonly Item[] => [1, contract, from.account(contract), from.slot(contract, slot), raws(of)]

export const byState = (...from: Parameters<typeof stateParts>): Item =>
  proved(...stateParts(...from))

/** Three transactions, of which the second is the gateway's. */
export const receiptsOf = (own: Uint8Array, before = 1) => {
  const other = (i: number) => receipt({ logs: [], type: i % 3 })
  const first = Array.from({ length: before }, (_, i) => other(i))
  return receiptTrie([...first, own, other(before)])
}
export const event = anchored(contract, two)
export const ownReceipt = receipt({ logs: [[address('other'), [], word(1)], event] })

/** The parts of a proof by receipt. */
export const receiptParts = (
  own: Uint8Array = ownReceipt,
  index = 1,
  logIndex = 1,
  by = [s1, s2],
): readonly Item[] => {
  const { root, prove } = receiptsOf(own, index)
  const of = blocks(by, { receiptsRoot: root })
  return [2, contract, index, prove(rlp(scalar(index))), logIndex, raws(of)]
}
export const byReceipt = (...from: Parameters<typeof receiptParts>): Item =>
  proved(...receiptParts(...from))

/** The ten readings under header 1 of the gateway with these anchors. */
export const under = (anchors: readonly Item[], from: History = grownWest): Item =>
  underOf(anchors, from)
