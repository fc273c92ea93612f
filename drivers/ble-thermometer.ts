/** Thermometers that advertise by Bluetooth LE: RuuviTag, BTHome v2, and Xiaomi's with the firmware of pvvx. */
import { z } from 'zod'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import type { Details } from '../anchor-client/evidence/model.ts'
import {
  type BleKind,
  bleKinds,
  contentOf,
  type Frame,
  formats,
  frameIn,
  type Measured,
  type Reading,
  readFrame,
  repetitions,
} from './ble-frames.ts'
import { nodeCcm } from './bthome-ccm.ts'
import { calibrated, calibrationOption } from './calibration.ts'
import { type Driver, defineDriver, type Sample, type Source, sourceOption } from './driver.ts'
import { type Advertisement, advertisements, bleOptions } from './transports/ble.ts'
import { secretFrom, secretReference } from './transports/secret.ts'

const { address, adapter, silentMs, bus } = bleOptions

const options = z.strictObject({
  address,
  format: z.enum(formats).describe('What it advertises; pvvx includes atc1441'),
  key: secretReference
    .optional()
    .describe(
      'Key of an encrypted BTHome device, 32 hexadecimal digits; then only sealed frames count',
    ),
  kinds: z
    .array(z.enum(bleKinds))
    .min(1)
    .max(4)
    .meta({ title: `a list of ${bleKinds.join(', ')}, or some of them` })
    .optional()
    .describe(
      'What is recorded, a stream each (temperature, humidity and battery if not given, and pressure of a RuuviTag)',
    ),
  adapter,
  source: sourceOption('ble/ADDRESS').describe(
    'First part of the names of the streams SOURCE/temperature and so on (ble/ADDRESS if not given)',
  ),
  everyMs: z
    .int()
    .min(20)
    .max(86_400_000)
    .default(60_000)
    .describe('Time between readings; what is advertised in between is not recorded'),
  toleranceMs: z
    .int()
    .min(0)
    .max(86_400_000)
    .default(60_000)
    .describe('How much later a reading may come before a gap must be declared: radio is lossy'),
  silentMs,
  calibration: calibrationOption('temperature', 'humidity', 'pressure'),
  bus,
})

type Options = z.output<typeof options>

export const bleThermometer: Driver<typeof options> = defineDriver({
  summary: 'Thermometer that advertises by Bluetooth LE: RuuviTag, BTHome v2, pvvx',
  options,

  sources: sourcesOf,

  async *read(options, { signal, refuse, heard }) {
    const { format, address, silentMs } = options
    const reading: Reading = { format, address, ...(await openingOf(options)) }
    const isNew = repetitions()
    const [isDue, isDueToRefuse] = [dueTimes(options), dueTimes(options)]
    // A sensor that fails says so with every advertisement: once in a period is enough for the record.
    const refuseOnce = (reason: string, bytes: Uint8Array, sources?: readonly string[]) => {
      if (isDueToRefuse(reason, options.everyMs)) refuse(reason, bytes, sources)
    }
    let fittingMs = performance.now()
    for await (const advertisement of advertisements(options, signal)) {
      const bytes = frameIn(format, advertisement)
      if (bytes === null) {
        if (performance.now() - fittingMs > silentMs) throw anotherFormat(options, advertisement)
        continue
      }
      fittingMs = performance.now()
      let frame: Frame
      try {
        frame = readFrame(bytes, reading)
        if (!isNew(bytes, frame)) {
          // It is there, and has measured nothing since: its values grow old, its presence does not.
          for (const kind of kindsOf(options)) {
            if (frame.said.get(kind) !== null) heard(sourceOf(options, kind))
          }
          continue
        }
      } catch (error) {
        if (!(error instanceof KedgeError && error.code === 'SENSOR_GARBLED')) throw error
        refuseOnce(error.message, bytes)
        continue
      }
      for (const kind of kindsOf(options)) {
        const measured = frame.said.get(kind)
        if (measured === null) {
          refuseOnce(`${kind}: not available, says the sensor`, bytes, [sourceOf(options, kind)])
        }
        if (measured && isDue(kind, periodOf(kind, options.everyMs))) {
          yield sampleOf(options, kind, measured, frame, advertisement)
        }
      }
    }
  },
})

/** A stream each, so that the silence of one is not hidden by the others. */
function sourcesOf(options: Options): readonly Source[] {
  return kindsOf(options).map((kind) => {
    const ms = periodOf(kind, options.everyMs)
    const toleranceMs = Math.max(options.toleranceMs, kind === 'battery' ? ms : 0)
    return {
      source: sourceOf(options, kind),
      kinds: [kind],
      promise: { type: 'period', ms, toleranceMs },
      erasable: false,
    }
  })
}

const kindsOf = ({ kinds, format }: Pick<Options, 'kinds' | 'format'>): readonly BleKind[] =>
  kinds ?? bleKinds.filter((kind) => kind !== 'pressure' || format === 'ruuvi')

const nameOf = ({ source, address }: Pick<Options, 'source' | 'address'>) =>
  source ?? `ble/${address.replaceAll(':', '').toLowerCase()}`

const sourceOf = (options: Pick<Options, 'source' | 'address'>, kind: BleKind) =>
  `${nameOf(options)}/${kind}`

/** A battery lasts a year: once an hour tells enough of it. */
const periodOf = (kind: BleKind, everyMs: number) =>
  kind === 'battery' ? Math.max(everyMs, 3_600_000) : everyMs

async function openingOf({ format, key }: Options): Promise<Pick<Reading, 'key' | 'ccm'>> {
  if (key === undefined) return {}
  if (format !== 'bthome') throw new KedgeError('CONFIG_INVALID', `${format} knows no key`)
  const hex = Buffer.from(await secretFrom(key, 'key')).toString('latin1')
  if (!/^[0-9a-f]{32}$/i.test(hex)) {
    throw new KedgeError('SECRET_REFUSED', 'the key of a BTHome device has 32 hexadecimal digits', {
      hint: 'Copy it from the app that has set it.',
    })
  }
  return { key: Uint8Array.from(Buffer.from(hex, 'hex')), ccm: await nodeCcm() }
}

/**
 * Whether something may be recorded again. A little early will do, or a sensor of the same period would be heard
 * every other time; on average the period is kept.
 */
function dueTimes({ everyMs }: Options) {
  const dueMs = new Map<string, number>()
  const slackMs = everyMs / 10
  return (what: string, periodMs: number): boolean => {
    const now = performance.now()
    const due = dueMs.get(what) ?? now
    if (now < due - slackMs) return false
    // Reasons of refusals may have any number in them.
    if (dueMs.size > 64) dueMs.clear()
    dueMs.set(what, Math.max(due, now - slackMs) + periodMs)
    return true
  }
}

function sampleOf(
  options: Options,
  kind: BleKind,
  { value, unit, quality, details = [] }: Measured,
  { counter, isEncrypted }: Frame,
  { rssiDbm }: Advertisement,
): Sample {
  const all: Details = [
    ...details,
    // Anyone within reach can send what is not sealed.
    ['radio', isEncrypted ? 'encrypted' : 'open'],
    ...(rssiDbm === null ? [] : [['rssi-dbm', [rssiDbm, 0]] as const]),
  ]
  const sample: Sample = {
    ...{ source: sourceOf(options, kind), kind, value, unit },
    ...(quality && { quality }),
    ...(counter !== null && { counter }),
    details: all,
  }
  return kind === 'battery' ? sample : calibrated(sample, options.calibration?.[kind])
}

function anotherFormat({ address, format }: Options, advertisement: Advertisement): KedgeError {
  const content = contentOf(advertisement) || 'nothing but its presence'
  return new KedgeError('SENSOR_GARBLED', `${address} advertises no ${format}, but ${content}`, {
    hint: 'Check format in the configuration, and what the sensor is set to.',
  })
}
