import { bytesToHex } from '../../anchor-client/evidence/bytes.ts'
import { formatTime } from '../../anchor-client/evidence/rfc3339.ts'
import { timeOf } from '../anchoring/anchor-rows.ts'
import type { Store } from '../store.ts'
import type { Query } from './query.ts'

const degradedExit = 3
const clockNames = ['none', 'rtc', 'ntp', 'gnss'] as const

/** How the gateway is: from the running one, or what its store tells while it stands still. */
export const status: Query = async function* ({ store, live }) {
  const { identity, journal, epochs } = store
  const streams = []
  let readings = 0
  for await (const { number, descriptor, size, tag } of store.reader.streams()) {
    readings += size
    const isOpen = journal.streams.has(number)
    const source = epochs.of(number)?.source ?? descriptor.source
    // Evidence shows the tag of a pseudonym's stream: beside the name of its source it would tell whose it is.
    const shownTag = descriptor.erasable ? null : bytesToHex(tag)
    streams.push({ stream: source, tag: shownTag, leaves: size, open: isOpen })
  }
  const reasons = live?.health.reasons ?? []
  const degraded = reasons.map(({ matter, why, since }) => ({ matter, why, since }))
  yield {
    line: {
      gateway: bytesToHex(identity.gateway),
      incarnation: identity.incarnation,
      running: live !== null,
      seq: journal.size - 1,
      streams,
      journal: {
        readings,
        bytes: live?.room.bytes ?? (await journal.bytes()),
        roomHours: live?.room.hours ?? null,
        unsealed: journal.unsealed.leaves,
      },
      anchors: await anchors(store, reasons),
      clock: clockOf(live?.clock.now() ?? null),
      sources: live?.presence.list() ?? [],
      shipments: live?.shipments.list() ?? [],
      alarms: degraded,
      ...(degraded.length > 0 && {
        degraded: degraded.map(({ matter, why }) => `${matter}: ${why}`),
      }),
    },
  }
  if (degraded.length > 0) yield { exit: degradedExit }
}

async function anchors(
  { anchors: kept, journal }: Store,
  reasons: readonly { matter: string; why: string }[],
) {
  return Promise.all(
    kept.pins().map(async ({ name, ledgerId }) => {
      const newest = await kept.newest(ledgerId)
      const trouble = reasons.find(
        ({ matter }) => /^(ledger|anchor) /.test(matter) && matter.endsWith(` ${name}`),
      )
      const head = newest?.size ?? 0
      const lag = journal.size - head
      return {
        ledger: name,
        head,
        lag,
        state: trouble ? trouble.why : lag === 0 ? 'anchored' : 'pending',
        block: newest?.place.height ?? null,
        at: timeOf(newest?.place ?? null),
      }
    }),
  )
}

function clockOf(time: { clock: number; boundMs: number | null; wallMs: number | null } | null) {
  if (time === null) return { source: 'none', boundMs: null, time: null }
  const { clock, boundMs, wallMs } = time
  return { source: clockNames[clock], boundMs, time: wallMs === null ? null : formatTime(wallMs) }
}
