/**
 * What is known of each ledger: which one it is, what is on its way there, and what it has taken. All of it can
 * be had again from the ledger and our own history, so that a damaged row is named, left out and fetched anew.
 */
import { bytesToHex, concat, u32, u64 } from '../../anchor-client/evidence/bytes.ts'
import {
  type Anchor,
  decodeAnchor,
  decodeFlight,
  encodeAnchor,
  encodeFlight,
  type Flight,
} from './anchor-records.ts'
import { type CheckedRow, decoded, openCheckedRows } from './checked-rows.ts'
import { type LedgerPins, openLedgerPins } from './ledger-pins.ts'

export interface AnchorStore extends LedgerPins, AsyncDisposable {
  flight(ledgerId: Uint8Array): Promise<Flight | 'damaged' | null>
  putFlight(ledgerId: Uint8Array, flight: Flight | null): Promise<void>
  /** Keeps final anchors; with `endsFlight` what was on its way is done in the same write. */
  keep(ledgerId: Uint8Array, anchors: readonly Anchor[], endsFlight: boolean): Promise<void>
  /** The anchor of the smallest size that is at least `size`. */
  firstCovering(ledgerId: Uint8Array, size: number): Promise<Anchor | null>
  /** The largest one, or the largest below a size. */
  newest(ledgerId: Uint8Array, below?: number): Promise<Anchor | null>
  at(ledgerId: Uint8Array, size: number): Promise<Anchor | null>
  list(ledgerId: Uint8Array, newestFirst?: boolean): AsyncGenerator<Anchor, void>
  /** Sizes above one whose proof is still to be had, ascending. */
  unproved(ledgerId: Uint8Array, most: number, above?: number): Promise<readonly number[]>
  /** Reads every anchor; what is amiss is afterwards told by `amiss`. */
  check(ledgerId: Uint8Array): Promise<void>
  /** What was found damaged or gone: from which size on to ask the ledger again. */
  amiss(ledgerId: Uint8Array): Amiss | null
  /** Whatever can be mended has been. */
  forgive(ledgerId: Uint8Array): void
}

interface Amiss {
  readonly fromSize: number
  readonly what: string
}

export async function openAnchorStore(
  folder: string,
  { gateway, incarnation }: { readonly gateway: Uint8Array; readonly incarnation: number },
  mayCreate: boolean,
): Promise<AnchorStore> {
  const rows = await openCheckedRows(folder, gateway, mayCreate)
  const pins = await openLedgerPins(rows, kinds.pin)
  const found = new Map<string, Amiss>()
  const of = (kind: Uint8Array, ledgerId: Uint8Array) => concat(kind, ledgerId, u32(incarnation))
  const anchorKey = (ledgerId: Uint8Array, size: number) =>
    concat(of(kinds.anchor, ledgerId), u64(size))
  const markKey = (ledgerId: Uint8Array, size: number) =>
    concat(of(kinds.mark, ledgerId), u64(size))

  const note = (ledgerId: Uint8Array, fromSize: number, what: string): void => {
    const name = bytesToHex(ledgerId)
    const before = found.get(name)
    if (before === undefined || fromSize < before.fromSize) found.set(name, { fromSize, what })
  }
  const anchorOf = ({ key, body }: CheckedRow): Anchor | undefined => {
    const anchor = decoded(body, decodeAnchor)
    return anchor?.size === sizeOf(key) ? anchor : undefined
  }

  /** Ascending, each with the size of the whole one before it; what is damaged or missing is noted. */
  async function* ascending(ledgerId: Uint8Array, fromSize: number, before: number) {
    let last = before
    let damaged: number | null = null
    const from = u64(fromSize)
    for await (const row of rows.rows(of(kinds.anchor, ledgerId), { from })) {
      const anchor = anchorOf(row)
      if (anchor === undefined) {
        damaged ??= sizeOf(row.key)
        continue
      }
      if (damaged !== null) note(ledgerId, last + 1, nameOf(damaged, 'damaged'))
      else if (anchor.after > last) note(ledgerId, last + 1, nameOf(anchor.after, 'gone'))
      damaged = null
      last = anchor.size
      yield anchor
    }
    if (damaged !== null) note(ledgerId, last + 1, nameOf(damaged, 'damaged'))
  }

  async function* descending(ledgerId: Uint8Array, below?: number) {
    const damaged: number[] = []
    const range = { reverse: true, ...(below !== undefined && { to: u64(below) }) }
    for await (const row of rows.rows(of(kinds.anchor, ledgerId), range)) {
      const anchor = anchorOf(row)
      if (anchor === undefined) damaged.push(sizeOf(row.key))
      else {
        for (const size of damaged) note(ledgerId, anchor.size + 1, nameOf(size, 'damaged'))
        damaged.length = 0
        yield anchor
      }
    }
    for (const size of damaged) note(ledgerId, 0, nameOf(size, 'damaged'))
  }

  const newest = async (ledgerId: Uint8Array, below?: number): Promise<Anchor | null> => {
    for await (const anchor of descending(ledgerId, below)) return anchor
    return null
  }

  return {
    ...pins,
    async flight(ledgerId) {
      const row = await rows.get(of(kinds.flight, ledgerId))
      return row === undefined ? null : (decoded(row.body, decodeFlight) ?? 'damaged')
    },
    putFlight: (ledgerId, flight) =>
      rows.write([{ key: of(kinds.flight, ledgerId), body: flight && encodeFlight(flight) }]),
    async keep(ledgerId, anchors, endsFlight) {
      const changes = anchors.flatMap((anchor) => [
        { key: anchorKey(ledgerId, anchor.size), body: encodeAnchor(anchor) },
        { key: markKey(ledgerId, anchor.size), body: anchor.proof ? null : new Uint8Array() },
      ])
      const end = endsFlight ? [{ key: of(kinds.flight, ledgerId), body: null }] : []
      if (changes.length + end.length > 0) await rows.write([...changes, ...end])
    },
    async firstCovering(ledgerId, size) {
      const before = await newest(ledgerId, size)
      for await (const anchor of ascending(ledgerId, size, before?.size ?? 0)) return anchor
      return null
    },
    newest,
    async at(ledgerId, size) {
      const row = await rows.get(anchorKey(ledgerId, size))
      return (row && anchorOf(row)) ?? null
    },
    list: (ledgerId, newestFirst = false) =>
      newestFirst ? descending(ledgerId) : ascending(ledgerId, 0, 0),
    async unproved(ledgerId, most, above = 0) {
      const sizes: number[] = []
      const range = { from: u64(above + 1) }
      for await (const { key } of rows.rows(of(kinds.mark, ledgerId), range)) {
        if (sizes.push(sizeOf(key)) >= most) break
      }
      return sizes
    },
    async check(ledgerId) {
      for await (const anchor of ascending(ledgerId, 0, 0)) {
        if (anchor.proof !== null) continue
        const key = markKey(ledgerId, anchor.size)
        if ((await rows.get(key)) === undefined) await rows.write([{ key, body: new Uint8Array() }])
      }
    },
    amiss: (ledgerId) => found.get(bytesToHex(ledgerId)) ?? null,
    forgive: (ledgerId) => void found.delete(bytesToHex(ledgerId)),
    [Symbol.asyncDispose]: rows[Symbol.asyncDispose],
  }
}

const kinds = {
  pin: Uint8Array.of(1),
  flight: Uint8Array.of(2),
  anchor: Uint8Array.of(3),
  /** An anchor whose proof is still to be had. */
  mark: Uint8Array.of(4),
} as const

const sizeOf = (key: Uint8Array): number =>
  Number(new DataView(key.buffer, key.byteOffset + key.length - 8).getBigUint64(0))

const nameOf = (size: number, what: 'damaged' | 'gone'): string =>
  `the anchor of ${size} headers is ${what} in the store`
