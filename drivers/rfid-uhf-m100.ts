/**
 * UHF tags from a reader that speaks the M100 protocol (M100, QM100, YRM100, JRD-100, R200), by
 * serial line or TCP. The reader is asked again and again, since only an answer shows that it lives.
 */
import { z } from 'zod'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import {
  type Driver,
  defineDriver,
  type Sample,
  type Surroundings,
  sourceOption,
} from './driver.ts'
import {
  command,
  type Frame,
  failed,
  framesIn,
  inventory,
  parametersOf,
  saidIn,
  type Tag,
} from './m100.ts'
import { openWire, wireOptions } from './transports/any-wire.ts'
import type { Wire } from './transports/wire.ts'

/** By the number that the reader has for it. */
const regions = { 'china-900': 1, us: 2, eu: 3, 'china-800': 4, korea: 6 } as const

const options = z.strictObject({
  ...wireOptions({ baudRate: 115_200, silentMs: 3000 }),
  source: sourceOption('uhf/ and the last part of the port'),
  everyMs: z.int().min(20).max(60_000).default(200).describe('Time between two looks for tags'),
  seenAgainMs: z
    .int()
    .min(0)
    .max(3_600_000)
    .default(5000)
    .describe('A tag that stays before the antenna is recorded again after so long'),
  aliveMs: z
    .int()
    .min(1000)
    .max(86_400_000)
    .default(60_000)
    .describe('Without a tag for so long the stream says that it is alive'),
  region: z
    .enum(Object.keys(regions) as [keyof typeof regions])
    .optional()
    .describe("Radio rules to keep (the reader's own setting if not given)"),
  powerDbm: z
    .int()
    .min(0)
    .max(33)
    .optional()
    .describe("Transmitting power (the reader's own setting if not given)"),
})

type Options = z.output<typeof options>

const poll = command(inventory)
const noTag = 0x15

export const rfidUhfM100: Driver<typeof options> = defineDriver({
  summary: 'UHF RFID reader (M100 protocol)',
  options,

  // Nobody knows when the next tag comes: no period could be promised.
  sources: (options) => [
    {
      source: nameOf(options),
      kinds: ['tag'],
      promise: { type: 'events', ms: options.aliveMs },
      erasable: false,
    },
  ],

  async *read(options, { signal, refuse, heard, warn }) {
    const { port, everyMs, seenAgainMs } = options
    const source = nameOf(options)
    const silentMs = everyMs + options.silentMs
    await using wire = await openWire(port, { ...options, silentMs, signal })
    const frames = framesIn(wire)
    for (const setting of settingsOf(options)) await take(setting, wire, frames, refuse)

    const isNew = notSeenFor(seenAgainMs)
    const warned = new Set<number>()
    let unanswered = 0
    let isHeldUp = false
    const ask = () => {
      if (signal.aborted) return clearInterval(asking)
      // The answers to a program that is held up would be old.
      if (isHeldUp) return
      unanswered++
      wire.write(poll).catch(() => {})
    }
    const asking = setInterval(ask, everyMs)
    ask()
    try {
      for await (const frame of frames) {
        // Half a frame that a stop cut off is no fault of the reader.
        if (signal.aborted) return
        const said = saidIn(frame)
        if (said.what === 'fault') refuse(said.reason, frame.bytes)
        if (said.what === 'fault' || said.what === 'other') {
          // In questions, not by the clock: a gateway that was busy has not asked meanwhile.
          if (unanswered * everyMs > silentMs) throw onlyNoise(port, unanswered)
          continue
        }
        unanswered = 0
        if (said.what === 'tag' && isNew(said.tag.epc)) {
          isHeldUp = true
          yield tagSample(source, said.tag)
          isHeldUp = false
        } else if (said.what === 'tag' || said.code === noTag) {
          heard(source)
        } else if (!warned.has(said.code)) {
          warned.add(said.code)
          warn(`the reader at ${port} cannot look for tags: error ${said.code}`)
        }
      }
    } finally {
      clearInterval(asking)
    }
  },
})

/** Two readers of one kind differ at the end of their names. */
const nameOf = ({ source, port }: Pick<Options, 'source' | 'port'>) =>
  source ?? `uhf/${(port.split('/').at(-1) ?? '').replace(/[^\w.-]+/g, '-').slice(-60)}`

const onlyNoise = (port: string, questions: number) =>
  new KedgeError('SENSOR_GARBLED', `only noise from ${port}: ${questions} questions, no answer`, {
    hint: 'Check baudRate, and that the reader speaks the M100 protocol.',
  })

type Setting = readonly [name: string, code: number, ...parameters: readonly number[]]

function settingsOf({ region, powerDbm }: Options): readonly Setting[] {
  const settings: Setting[] = []
  if (region !== undefined) settings.push([`region ${region}`, 0x07, regions[region]])
  if (powerDbm !== undefined) {
    const hundredths = powerDbm * 100
    settings.push([`${powerDbm} dBm`, 0xb6, hundredths >> 8, hundredths & 0xff])
  }
  return settings
}

/** Sends one setting and waits until the reader has it: it must not transmit before. */
async function take(
  [name, code, ...parameters]: Setting,
  wire: Wire,
  frames: AsyncIterator<Frame, void>,
  refuse: Surroundings['refuse'],
): Promise<void> {
  await wire.write(command(code, ...parameters))
  // A reader that was left asking by itself may say some tags first.
  for (let others = 0; others < 100; others++) {
    const { value: frame, done } = await frames.next()
    if (done) return
    if (frame.fault !== null) refuse(frame.fault, frame.bytes)
    const [, type, answered = 0] = frame.fault === null ? frame.bytes : []
    if (type !== 1 || ![code, failed].includes(answered)) continue
    if (answered === code && parametersOf(frame.bytes)[0] === 0) return
    break
  }
  throw new KedgeError('SENSOR_GARBLED', `the reader does not take ${name}`, {
    hint: 'Leave this option out, or set what this model of reader can do.',
  })
}

/** Says true for a tag that was not reported within `againMs`; it is then. */
function notSeenFor(againMs: number): (epc: string) => boolean {
  // In the order of their reports: the oldest is first.
  const reportedMs = new Map<string, number>()
  return (epc) => {
    const now = performance.now()
    for (const [old, atMs] of reportedMs) {
      if (now - atMs < againMs && reportedMs.size < 65_536) break
      reportedMs.delete(old)
    }
    if (reportedMs.has(epc)) return false
    reportedMs.set(epc, now)
    return true
  }
}

const tagSample = (source: string, { epc, pc, rssiDbm }: Tag): Sample => ({
  source,
  kind: 'tag',
  value: epc,
  details: [
    ['pc', pc],
    ['rssi-dbm', [rssiDbm, 0]],
  ],
})
