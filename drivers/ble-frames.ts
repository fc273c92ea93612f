/** What a thermometer says in one advertisement, whichever of three formats it speaks. Pure. */
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import type { Decimal, Details } from '../anchor-client/evidence/model.ts'
import { type Bthome, type Ccm, parseBthome } from './bthome.ts'
import { parsePvvx } from './pvvx.ts'
import { parseRuuvi, ruuviCompany } from './ruuvi.ts'
import type { Advertisement } from './transports/ble.ts'

export const formats = ['ruuvi', 'bthome', 'pvvx'] as const
export type Format = (typeof formats)[number]

export const bleKinds = ['temperature', 'humidity', 'pressure', 'battery'] as const
export type BleKind = (typeof bleKinds)[number]

export interface Measured {
  readonly value: Decimal
  readonly unit: string
  readonly quality?: string
  readonly details?: Details
}

export interface Frame {
  /** The sensor's own, of measurements or of frames. */
  readonly counter: number | null
  readonly isEncrypted: boolean
  /** Null is what the sensor itself marked as not available; absent is what it said nothing of. */
  readonly said: ReadonlyMap<BleKind, Measured | null>
}

export interface Reading {
  readonly format: Format
  readonly address: string
  /** Where a device has a key, what is not sealed with it is somebody else's word. */
  readonly key?: Uint8Array | undefined
  readonly ccm?: Ccm | undefined
}

/** The bytes in question; null where the advertisement has none of this format. */
export function frameIn(format: Format, { manufacturer, service }: Advertisement) {
  const bytes =
    format === 'ruuvi' ? manufacturer.get(ruuviCompany) : service.get(uuid(services[format]))
  return bytes ?? null
}

/** What it carries instead, for whoever has set another format. */
export function contentOf({ manufacturer, service }: Advertisement): string {
  const hex = (number: number) => number.toString(16).padStart(4, '0')
  return [
    ...Array.from(manufacturer.keys(), (company) => `company ${hex(company)}`),
    ...Array.from(service.keys(), (id) => `service ${id.replace(/^0000(.{4})-0000-1000.*/, '$1')}`),
  ]
    .slice(0, 4)
    .join(', ')
}

/** What is none is SENSOR_GARBLED, with the reason. */
export function readFrame(bytes: Uint8Array, { format, address, key, ccm }: Reading): Frame {
  if (format === 'bthome') return ofBthome(parseBthome(bytes, { mac: address, key, ccm }), key)
  const { mac, frame } = format === 'ruuvi' ? ofRuuvi(bytes) : ofPvvx(bytes)
  if (mac !== null && mac !== address)
    throw garbled(`it names ${mac} as its sender, not ${address}`)
  return frame
}

function ofRuuvi(bytes: Uint8Array): { mac: string | null; frame: Frame } {
  const { celsius, humidity, pascal, batteryVolt, sequence, mac } = parseRuuvi(bytes)
  const isFar = celsius !== null && (celsius[0] < -40_000 || celsius[0] > 85_000)
  const range = 'suspect: outside -40 to 85 °C'
  const frame: Frame = {
    counter: sequence,
    isEncrypted: false,
    said: new Map<BleKind, Measured | null>([
      ['temperature', celsius && { value: celsius, unit: 'Cel', ...(isFar && { quality: range }) }],
      ['humidity', humidity && percent(humidity)],
      ['pressure', pascal && { value: pascal, unit: 'Pa' }],
      ['battery', batteryVolt && { value: batteryVolt, unit: 'V' }],
    ]),
  }
  return { mac, frame }
}

function ofPvvx(bytes: Uint8Array): { mac: string | null; frame: Frame } {
  const { celsius, humidity, batteryMilliVolt, batteryPercent, counter, mac } = parsePvvx(bytes)
  const details: Details = [['millivolt', [batteryMilliVolt, 0]]]
  const frame: Frame = {
    counter,
    isEncrypted: false,
    said: new Map<BleKind, Measured>([
      ['temperature', { value: celsius, unit: 'Cel' }],
      ['humidity', percent(humidity)],
      ['battery', { value: [batteryPercent, 0], unit: '%', details }],
    ]),
  }
  return { mac, frame }
}

function ofBthome({ counter, objects }: Bthome, key: Uint8Array | undefined): Frame {
  if (key !== undefined && counter === null) throw garbled('not encrypted, although it has a key')
  /** Of several of one name the first: a second probe would be another stream. */
  const first = (name: string): Decimal | null => {
    const value = objects.find((object) => object.name === name)?.value
    return Array.isArray(value) ? (value as unknown as Decimal) : null
  }
  const said = new Map<BleKind, Measured>()
  const celsius = first('t')
  if (celsius) said.set('temperature', { value: celsius, unit: 'Cel' })
  const humidity = first('rh')
  if (humidity) said.set('humidity', percent(humidity))
  const hectopascal = first('pHpa')
  // Two decimals of a hectopascal are pascals.
  if (hectopascal) said.set('pressure', { value: [hectopascal[0], hectopascal[1] + 2], unit: 'Pa' })
  const [charge, volt] = [first('battery'), first('voltV')]
  if (charge) said.set('battery', percent(charge))
  else if (volt) said.set('battery', { value: volt, unit: 'V' })
  return {
    counter: counter ?? first('packetId')?.[0] ?? null,
    isEncrypted: counter !== null,
    said,
  }
}

/**
 * An advertisement is sent many times over. With a counter the same bytes are the same measurement for ever;
 * without one nobody can tell, and the period decides. Of encrypted frames no counter goes back.
 */
export function repetitions() {
  const recent: string[] = []
  let sealedCounter = -1
  return (bytes: Uint8Array, { counter, isEncrypted }: Frame): boolean => {
    const text = String.fromCharCode(...bytes)
    if (recent.includes(text)) return counter === null
    if (isEncrypted && counter !== null) {
      if (counter <= sealedCounter) {
        throw garbled(`counter ${counter} after ${sealedCounter}: a frame of before, sent again`)
      }
      sealedCounter = counter
    }
    recent.push(text)
    if (recent.length > 8) recent.shift()
    return true
  }
}

const percent = (value: Decimal): Measured => ({
  value,
  unit: '%',
  ...(value[0] * 10 ** value[1] > 100 && { quality: 'suspect: above 100 %' }),
})

/** Service data by the number that the Bluetooth SIG gave. */
const services = { bthome: 'fcd2', pvvx: '181a' }
const uuid = (short: string) => `0000${short}-0000-1000-8000-00805f9b34fb`

const garbled = (reason: string) => new KedgeError('SENSOR_GARBLED', reason)
