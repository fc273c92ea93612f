/** Probes and contacts on an Arduino with StandardFirmata: its counts are converted here, by the configuration. */
import { z } from 'zod'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import { measuredBy } from './analog.ts'
import { contactOption, probeOption } from './analog-options.ts'
import { calibrated } from './calibration.ts'
import { type Driver, defineDriver, partName, type Sample, sourceOption } from './driver.ts'
import { wireOptions } from './transports/any-wire.ts'
import { openFirmata } from './transports/firmata.ts'
import { pollOptions, pollPromise } from './transports/polling.ts'

const options = z
  .strictObject({
    ...wireOptions({ baudRate: 57_600, silentMs: 10_000 }),
    source: sourceOption('firmata/ and the last part of the port').describe(
      'First part of the names of the streams, which are kept for ever (firmata/ and the last part of the port if not given)',
    ),
    ...pollOptions({ leastMs: 20 }),
    debounceMs: z
      .int()
      .min(0)
      .max(10_000)
      .default(50)
      .describe('What lasts shorter is the bouncing of a contact'),
    aliveMs: z
      .int()
      .min(1000)
      .max(86_400_000)
      .default(60_000)
      .describe('Without a change for so long a contact says that it is alive'),
    probes: z
      .record(partName, probeOption)
      .default({})
      .describe('Analog probes; each has a stream of its own, named SOURCE/NAME'),
    contacts: z
      .record(partName, contactOption)
      .default({})
      .describe('Contacts; each has a stream of its own, named SOURCE/NAME'),
  })
  .refine(({ probes, contacts }) => {
    const names = [...Object.keys(probes), ...Object.keys(contacts)]
    return names.length > 0 && names.length <= 64 && new Set(names).size === names.length
  }, '1 to 64 probes and contacts, each with a name of its own')
  .refine(
    ({ source = '', probes, contacts }) =>
      Object.keys({ ...probes, ...contacts }).every((one) => source.length + one.length < 64),
    'source and the name of a probe together have at most 63 characters',
  )

type Options = z.output<typeof options>

export const coldFirmata: Driver<typeof options> = defineDriver({
  summary: 'Analog probes and contacts on an Arduino (Firmata)',
  options,

  sources: (options) => [
    ...Object.entries(options.probes).map(([name, { kind }]) => ({
      source: `${nameOf(options)}/${name}`,
      kinds: [kind],
      promise: pollPromise(options),
      erasable: false,
    })),
    ...Object.keys(options.contacts).map((name) => ({
      source: `${nameOf(options)}/${name}`,
      kinds: ['contact'],
      promise: { type: 'events', ms: options.aliveMs } as const,
      erasable: false,
    })),
  ],

  async *read(options, { signal, refuse, heard }) {
    const { everyMs, silentMs, aliveMs, port } = options
    await using board = await openFirmata(options, signal, refuse)
    board.sampleEvery(Math.min(1000, Math.floor(everyMs / 4)))
    const probes = probesOf(options)
    const contacts = contactsOf(options)
    for (const { form } of probes) board.reportAnalog(form.pin)
    for (const { pin, pull } of contacts) board.reportDigital(pin, pull)

    const askMs = Math.min(silentMs, aliveMs) / 3
    let askedMs = performance.now()
    let unanswered = 0
    // What waited in a buffer while the gateway was busy is old: it ends with the answer to this question.
    let staleAnswers = 0
    const ask = () => {
      board.ask()
      unanswered++
      askedMs = performance.now()
    }
    ask()

    const quietMs = contacts.length > 0 ? Math.min(askMs, options.debounceMs) : askMs
    for await (const events of board.events(Math.max(10, quietMs))) {
      if (signal.aborted) return
      const nowMs = performance.now()
      const samples: Sample[] = []
      for (const event of events) {
        const isStale = staleAnswers > 0
        if (event.what === 'alive') {
          unanswered = Math.max(0, unanswered - 1)
          staleAnswers = Math.max(0, staleAnswers - 1)
          for (const { source } of contacts) heard(source)
        } else if (event.what === 'level') {
          samples.push(...contacts.flatMap((one) => moved(one, event, nowMs, isStale)))
        } else if (!isStale) {
          for (const one of probes) if (one.form.pin === event.channel) one.latest = event
        }
      }
      samples.push(...contacts.flatMap((one) => settled(one, nowMs - options.debounceMs)))
      for (const one of probes) {
        if (one.latest === null || nowMs < one.dueMs) continue
        const { counts, bytes } = one.latest
        one.latest = null
        one.dueMs = Math.max(one.dueMs + everyMs, nowMs)
        try {
          samples.push(measured(one.source, one.form, counts, board.mostCounts))
        } catch (error) {
          if (!(error instanceof KedgeError && error.code === 'SENSOR_GARBLED')) throw error
          refuse(error.message, bytes, [one.source])
        }
      }
      yield* samples
      if (performance.now() - nowMs > 500) {
        ask()
        staleAnswers = unanswered
        for (const one of probes) one.latest = null
      } else if (performance.now() - askedMs >= askMs) {
        // In questions, not by the clock: a gateway that was busy has not asked meanwhile.
        if (unanswered > 5) throw onlyNoise(port, unanswered)
        ask()
      }
    }
  },
})

const probesOf = (options: Options) =>
  Object.entries(options.probes).map(([name, form]) => ({
    ...{ source: `${nameOf(options)}/${name}`, form, dueMs: performance.now() },
    latest: null as { readonly counts: number; readonly bytes: Uint8Array } | null,
  }))

function measured(
  source: string,
  form: z.output<typeof probeOption>,
  counts: number,
  mostCounts: number,
): Sample {
  const value = measuredBy(counts, mostCounts, form)
  const { kind, unit, calibration } = form
  return calibrated({ source, kind, value, unit, raw: [counts, 0] }, calibration)
}

const contactsOf = (options: Options) =>
  Object.entries(options.contacts).map(([name, one]) => ({
    ...{ source: `${nameOf(options)}/${name}`, ...one },
    ...{ known: null as boolean | null, isHigh: null as boolean | null, sinceMs: 0 },
  }))

type Contact = ReturnType<typeof contactsOf>[number]

function moved(
  contact: Contact,
  { pin, isHigh }: { readonly pin: number; readonly isHigh: boolean },
  nowMs: number,
  isStale: boolean,
): readonly Sample[] {
  if (contact.pin !== pin || contact.isHigh === isHigh) return []
  contact.isHigh = isHigh
  contact.sinceMs = nowMs
  // How long it lasted nobody knows any more.
  return isStale && contact.known !== null ? [changed(contact, 'suspect: late')] : []
}

/** A level that has lasted since `sinceMs`; the first one counts at once. */
function settled(contact: Contact, sinceMs: number): readonly Sample[] {
  const { known, isHigh } = contact
  if (isHigh === null || isHigh === known) return []
  return known === null || contact.sinceMs <= sinceMs ? [changed(contact)] : []
}

function changed(contact: Contact, quality?: string): Sample {
  contact.known = contact.isHigh
  const value = contact.isHigh !== contact.activeLow
  return { source: contact.source, kind: 'contact', value, ...(quality && { quality }) }
}

/** Two boards of one kind differ at the end of their names. */
const nameOf = ({ source, port }: Pick<Options, 'source' | 'port'>) =>
  source ?? `firmata/${(port.split('/').at(-1) ?? '').replace(/[^\w.-]+/g, '-').slice(-31)}`

const onlyNoise = (port: string, questions: number) =>
  new KedgeError('SENSOR_GARBLED', `only noise from ${port}: ${questions} questions, no answer`, {
    hint: 'Check baudRate, and the cable.',
  })
