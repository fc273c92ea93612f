// Blocks of an EVM chain that Clique's signers seal, and what its contract holds and says (section 7).
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { bigEndian, encode, fromHex, type Item, join, u64, utf8 } from './bytes.ts'
import { seeded, sm3 } from './hash.ts'
import { type Checkpoint, headOf } from './history.ts'
import { keccak, type Rlp, rlp, scalar, secureTrie, trie, trimmed } from './patricia.ts'
import { start } from './records.ts'
import type { Gateway } from './streams.ts'

/** Who seals: never use these keys for anything. */
export type Sealer = { readonly secret: Uint8Array; readonly address: Uint8Array }

export const sealer = (name: string): Sealer => {
  const secret = seeded('sealer', name)
  const key = secp256k1.getPublicKey(secret, false)
  return { secret, address: keccak(key.slice(1)).slice(12) }
}

export const address = (name: string): Uint8Array => seeded('address', name).slice(0, 20)

export type Chain = {
  readonly chainId: number
  readonly genesis: Uint8Array
  readonly contract: Uint8Array
  readonly codeHash: Uint8Array
}

export const ledgerId = ({ chainId, genesis, contract }: Chain): Uint8Array =>
  sm3(utf8('kedge/evm/v1\0'), u64(chainId), genesis, contract)

// What the contract keeps and says.

export const word = (n: number): Uint8Array => bigEndian(n, 32)

/** A slot of an incarnation, counted from its first. */
export const slotOf = ({ id, incarnation }: Gateway, offset = 0): Uint8Array => {
  const base = keccak(word(incarnation), keccak(id, word(0)))
  return bigEndian(
    (BigInt(`0x${Buffer.from(base).toString('hex')}`) + BigInt(offset)) % 2n ** 256n,
    32,
  )
}

export type Slot = readonly [slot: Uint8Array, value: Uint8Array]

/** The first two slots of a gateway that anchored this. */
export const slotsOf = ({ gateway, size, root }: Checkpoint): readonly Slot[] => [
  [slotOf(gateway), headOf(gateway, size, root)],
  [
    slotOf(gateway, 1),
    join(fromHex('00'.repeat(10)), fromHex('0102'), bigEndian(0, 4), u64(7), u64(size)),
  ],
]

export type Account = {
  readonly address: Uint8Array
  readonly codeHash?: Uint8Array
  readonly slots?: readonly Slot[]
  /** RLP of a slot's value, where it is not as it should be. */
  readonly written?: (value: Uint8Array) => Uint8Array
  /** The whole account, where it is not as it should be. */
  readonly items?: (items: readonly Rlp[]) => readonly Rlp[]
}

export type State = {
  readonly root: Uint8Array
  readonly account: (of: Uint8Array) => readonly Uint8Array[]
  readonly slot: (of: Uint8Array, slot: Uint8Array) => readonly Uint8Array[]
  /** Of the last account. */
  readonly storageRoot: Uint8Array
}

const noCode = keccak()

export const state = (accounts: readonly Account[]): State => {
  const storage = accounts.map(({ slots = [], written = (value) => rlp(trimmed(value)) }) =>
    secureTrie(slots.map(([slot, value]) => [slot, written(value)])),
  )
  const all = secureTrie(
    accounts.map(({ address, codeHash = noCode, items = (same) => same }, i) => [
      address,
      rlp(items([scalar(i), scalar(1000 * i), storage[i]?.root ?? word(0), codeHash])),
    ]),
  )
  const place = (of: Uint8Array) =>
    accounts.findIndex(({ address }) => Buffer.compare(address, of) === 0)
  return {
    root: all.root,
    account: all.prove,
    slot: (of, slot) => storage[place(of)]?.prove(slot) ?? [],
    storageRoot: storage.at(-1)?.root ?? word(0),
  }
}

export const anchoredTopic = keccak(
  utf8('Anchored(bytes32,uint32,uint64,bytes32,bytes32,uint64,bytes32[2])'),
)

/** The event of a checkpoint: address, topics, data. */
export const anchored = (
  contract: Uint8Array,
  { gateway, size, root, signature }: Checkpoint,
): readonly Rlp[] => [
  contract,
  [anchoredTopic, gateway.id, word(gateway.incarnation), word(size)],
  join(headOf(gateway, size, root), root, word(size - 1), signature),
]

export type Receipt = {
  readonly logs: readonly Rlp[]
  readonly status?: Uint8Array
  /** Of the transaction; 0 says none. */
  readonly type?: number
}

export const receipt = ({ logs, status = Uint8Array.of(1), type = 2 }: Receipt): Uint8Array => {
  const list = rlp([status, scalar(21_000), new Uint8Array(256), logs])
  return type === 0 ? list : join(Uint8Array.of(type), list)
}

/** Receipts by the index of their transaction. */
export const receiptTrie = (of: readonly Uint8Array[]) =>
  trie(of.map((bytes, index) => [rlp(scalar(index)), bytes]))

// Blocks.

export type BlockOf = {
  readonly number: number
  /** The hash of the block before. */
  readonly parent?: Uint8Array
  readonly stateRoot?: Uint8Array
  readonly receiptsRoot?: Uint8Array
  /** Milliseconds from `start`. */
  readonly at: number
  /** Null: nobody, as on a chain that does not know Clique. */
  readonly by?: Sealer | null
  /** The items as they are before they are sealed. */
  readonly items?: (items: readonly Rlp[]) => readonly Rlp[]
  /** What is done to the 65 bytes of the seal. */
  readonly seal?: (seal: Uint8Array) => Uint8Array
}

export type Block = { readonly raw: Uint8Array; readonly hash: Uint8Array; readonly number: number }

const extraData = 12

export const block = (of: BlockOf): Block => {
  const { by = null, seal = (same) => same, items = (same) => same } = of
  const list = items([
    of.parent ?? seeded('block', of.number - 1),
    seeded('uncles'),
    new Uint8Array(20),
    of.stateRoot ?? seeded('state', of.number),
    seeded('transactions', of.number),
    of.receiptsRoot ?? seeded('receipts', of.number),
    new Uint8Array(256),
    scalar(2),
    scalar(of.number),
    scalar(30_000_000),
    scalar(54_850),
    scalar((start + of.at) / 1000),
    new Uint8Array(32),
    new Uint8Array(32),
    new Uint8Array(8),
    scalar(7),
  ])
  const raw = rlp(by === null ? list : list.with(extraData, sealed(list, by, seal)))
  return { raw, hash: keccak(raw), number: of.number }
}

/** r, s, v over the hash of the header whose extra data ends before them. */
const sealed = (
  list: readonly Rlp[],
  by: Sealer,
  change: (seal: Uint8Array) => Uint8Array,
): Uint8Array => {
  const vanity = list[extraData]
  if (!(vanity instanceof Uint8Array)) throw new TypeError('extra data that is a list')
  const made = secp256k1.sign(keccak(rlp(list)), by.secret, { prehash: false, format: 'recovered' })
  return join(vanity, change(join(made.slice(1), made.slice(0, 1))))
}

/** A block and those that follow it, a second apart, each sealed by the next of these. */
export const chain = (
  first: BlockOf,
  by: readonly (Sealer | null)[],
  more: Partial<BlockOf> = {},
): readonly Block[] => {
  const blocks: Block[] = []
  for (const [i, sealer] of by.entries()) {
    const parent = blocks.at(-1)?.hash
    const next = i === 0 ? first : { ...more, number: first.number + i, at: first.at + 1000 * i }
    blocks.push(block({ ...next, by: sealer, ...(parent ? { parent } : {}) }))
  }
  return blocks
}

// Proofs: `[kind, proof]`.

export const proved = (...parts: readonly Item[]): Item => [2, encode(parts)]

export const raws = (blocks: readonly Block[]): readonly Item[] => blocks.map(({ raw }) => raw)
