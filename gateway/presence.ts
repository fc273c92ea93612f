/** Silence has two ages: since a source last gave a value, and since anything at all was heard of it. */
import { limitMs } from '../anchor-client/evidence/stream.ts'
import type { Config } from '../config/schema.ts'
import type { Health } from './health.ts'
import { planOf } from './ingest/plan-of.ts'
import type { Plans } from './plans.ts'
import type { StreamPlan } from './recording/streams.ts'

export interface Presence {
  /** A reading of this source came. */
  gaveValue(source: string): void
  /** It spoke, whatever it said. */
  wasHeard(source: string): void
  /** To be called now and then: alarms begin and end here. */
  look(): void
  list(): readonly Seen[]
}

/** Null: never in this run. */
interface Seen {
  readonly source: string
  readonly device: string | null
  readonly valueAgeSeconds: number | null
  readonly contactAgeSeconds: number | null
}

/** A gap is declared after one missed reading; a person is called after three. */
const missedBeforeAlarm = 3
const leastMs = 10_000

export function openPresence(
  { devices, ingest }: Config,
  plans: Plans,
  health: Health,
  monoMs: () => number = () => performance.now(),
): Presence {
  const begunMs = monoMs()
  const values = new Map<string, number>()
  const contacts = new Map<string, number>()
  const expected: { readonly plan: StreamPlan; readonly device: string | null }[] = [
    ...Object.keys(devices).flatMap((device) =>
      plans.ofDevice(device).map((plan) => ({ plan, device })),
    ),
    ...Object.keys(ingest.mqtt?.sources ?? {}).map((name) => ({
      plan: planOf(ingest.mqtt as NonNullable<typeof ingest.mqtt>, name),
      device: null,
    })),
  ]
  const sources = new Set(expected.map(({ plan }) => plan.source))
  const age = (times: ReadonlyMap<string, number>, source: string) =>
    monoMs() - (times.get(source) ?? begunMs)

  /** Why a person should look after this source, or null. */
  function complaint({ source, promise }: StreamPlan): string | null {
    const limit = limitMs(promise)
    if (limit === null) return null
    const mostMs = Math.max(leastMs, missedBeforeAlarm * limit)
    const contactMs = age(contacts, source)
    if (contactMs > mostMs) return `nothing was heard of it for more than ${seconds(mostMs)} s`
    // A reader may have nothing to read for days; a probe is asked for a value each time.
    if (promise?.type === 'events' || age(values, source) <= mostMs) return null
    return `it answers, and has given no value for more than ${seconds(mostMs)} s: kedge export --refused shows what came instead`
  }

  return {
    gaveValue(source) {
      if (!sources.has(source)) return
      values.set(source, monoMs())
      contacts.set(source, monoMs())
    },
    wasHeard: (source) => void (sources.has(source) && contacts.set(source, monoMs())),
    look() {
      const failing = new Set(health.reasons.map(({ matter }) => matter))
      for (const { plan, device } of expected) {
        const why = complaint(plan)
        // A device that cannot be opened is told already, with what to do about it, and so is a disk without room.
        const isTold = failing.has(`device ${device}`) || failing.has('room')
        if (why === null || isTold) health.well(`source ${plan.source}`)
        else health.degraded(`source ${plan.source}`, why)
      }
    },
    list: () =>
      expected.map(({ plan: { source }, device }) => ({
        source,
        device,
        valueAgeSeconds: values.has(source) ? seconds(age(values, source)) : null,
        contactAgeSeconds: contacts.has(source) ? seconds(age(contacts, source)) : null,
      })),
  }
}

const seconds = (ms: number): number => Math.round(ms / 100) / 10
