/** What `kedge anchor ls|get|retry` says: an object an anchor. */
import { bytesToHex, equalBytes } from '../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { formatTime } from '../../anchor-client/evidence/rfc3339.ts'
import type { Place } from '../../anchor-client/ledgers/ledger.ts'
import type { Anchor, Flight } from './anchor-records.ts'
import type { AnchorStore } from './anchor-store.ts'
import type { SignedHead } from './history.ts'
import type { Bell } from './pace.ts'

/** Of a history, signed or not. */
type Head = Pick<SignedHead, 'size' | 'root'>

interface AnchorRow {
  readonly ledger: string
  readonly size: number
  readonly root: string
  /** `waiting`: nothing is on its way there, and not all was taken. */
  readonly state: 'final' | 'waiting' | Flight['state']
  readonly block: number | null
  readonly at: string | null
  readonly cost: string | null
  /** How many blocks lie over it, where it is on a chain that answers. */
  readonly confirmations: number | null
  /** Whether the ledger's proof is kept here already. */
  readonly proof: boolean
  /** A transaction hash, or an entry; null once it is final, as the block says more. */
  readonly id: string | null
}

/** Newest first, each ledger's own, what is on its way before what is final. */
export async function* listAnchors(
  store: AnchorStore,
  ledger?: string,
): AsyncGenerator<AnchorRow, void> {
  for (const { name, ledgerId } of pinsOf(store, ledger)) {
    const flight = await store.flight(ledgerId)
    if (flight !== null && flight !== 'damaged') yield flightRow(name, flight)
    for await (const anchor of store.list(ledgerId, true)) yield anchorRow(name, anchor)
  }
}

/** The anchors that cover a history of this size: of each ledger the first. */
export async function getAnchors(
  store: AnchorStore,
  size: number,
  ledger?: string,
): Promise<readonly AnchorRow[]> {
  const rows: AnchorRow[] = []
  for (const { name, ledgerId } of pinsOf(store, ledger)) {
    const anchor = await store.firstCovering(ledgerId, size)
    if (anchor !== null) rows.push(anchorRow(name, anchor))
  }
  if (rows.length > 0) return rows
  throw new KedgeError('NOT_ANCHORED', `no ledger has taken ${size} batches so far`, {
    hint: 'kedge anchor ls shows what is on its way; kedge anchor retry asks at once.',
  })
}

/** Asks now, whatever pause was being waited out. Says of each ledger what is on its way, or waits. */
export async function retryAnchors(
  store: AnchorStore,
  head: Head,
  names: readonly string[],
  bell: Bell,
): Promise<readonly AnchorRow[]> {
  const rows: AnchorRow[] = []
  for (const name of names) rows.push(await rowNow(store, head, name))
  bell.ring()
  return rows
}

/** A ledger that was never reached has nothing in the store, not even which one it is. */
async function rowNow(store: AnchorStore, head: Head, name: string): Promise<AnchorRow> {
  const pin = store.pinned(name)
  if (pin !== undefined && pin !== 'damaged') {
    const flight = await store.flight(pin.ledgerId)
    if (flight !== null && flight !== 'damaged') return flightRow(name, flight)
    const newest = await store.newest(pin.ledgerId)
    if (newest !== null && newest.size >= head.size) return anchorRow(name, newest)
  }
  return { ...rowOf(name, head, 'waiting', null), proof: false, id: null }
}

function pinsOf(store: AnchorStore, ledger: string | undefined) {
  // An entry that was taken out of the configuration may have left its name on a ledger that has another now.
  const pins = store
    .pins()
    .filter(({ name }) => ledger === undefined || name === ledger)
    .filter((pin, i, all) => all.findIndex((one) => equalBytes(one.ledgerId, pin.ledgerId)) === i)
  if (pins.length > 0 || ledger === undefined) return pins
  throw new KedgeError('NOT_FOUND', `nothing is known of a ledger ${ledger}`, {
    hint: 'kedge anchor ls shows the ledgers that were used.',
  })
}

const anchorRow = (ledger: string, anchor: Anchor): AnchorRow => ({
  ...rowOf(ledger, anchor, 'final', anchor.place),
  proof: anchor.proof !== null,
  id: null,
})

const flightRow = (ledger: string, flight: Flight): AnchorRow => ({
  ...rowOf(ledger, flight.target, flight.state, flight.state === 'included' ? flight.place : null),
  proof: false,
  id: flight.state === 'planned' ? null : flight.prepared.id,
})

const rowOf = (
  ledger: string,
  { size, root }: Head,
  state: AnchorRow['state'],
  place: Place | null,
) => ({
  ledger,
  size,
  root: bytesToHex(root),
  state,
  block: place?.height ?? null,
  at: timeOf(place),
  cost: place?.cost ?? null,
  confirmations: null,
})

/** Only a running gateway can ask how far its chains are. */
export const withConfirmations = (
  row: AnchorRow,
  heights: ReadonlyMap<string, number>,
): AnchorRow => {
  const height = heights.get(row.ledger)
  if (height === undefined || row.block === null) return row
  return { ...row, confirmations: Math.max(0, height - row.block) }
}

/** A ledger's time may be any number. */
export const timeOf = (place: Place | null): string | null => {
  const timeMs = place?.timeMs ?? null
  return timeMs !== null && timeMs < Date.UTC(10_000, 0) ? formatTime(timeMs) : null
}
