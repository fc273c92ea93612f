/** What a RuuviTag advertises: manufacturer data 0x0499, format 5 (RAWv2), big-endian. Pure. */
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import type { Decimal } from '../anchor-client/evidence/model.ts'

export const ruuviCompany = 0x0499

/** Null is what the tag itself marked as not available. */
interface RuuviRawV2 {
  /** Steps of 0.005 °C. */
  readonly celsius: Decimal | null
  /** Percent in steps of 0.0025, as computed: may be above 100. */
  readonly humidity: Decimal | null
  readonly pascal: Decimal | null
  /** In units of the earth's own, three decimals. */
  readonly acceleration: readonly [x: Decimal | null, y: Decimal | null, z: Decimal | null]
  readonly batteryVolt: Decimal | null
  readonly txDbm: number | null
  readonly movements: number | null
  /** Counts measurements up to 65534. */
  readonly sequence: number | null
  /** `AA:BB:CC:DD:EE:FF`. */
  readonly mac: string | null
}

/** The 24 bytes behind the company's number, or 26 with it; what is none is SENSOR_GARBLED, with the reason. */
export function parseRuuvi(advertised: Uint8Array): RuuviRawV2 {
  const hasCompany = advertised.length > 2 && advertised[0] === 0x99 && advertised[1] === 0x04
  const bytes = hasCompany ? advertised.subarray(2) : advertised
  const [format] = bytes
  if (format === undefined) throw garbled('empty')
  if (format !== 5) throw garbled(`format ${format}, not 5 (RAWv2)`)
  if (bytes.length !== 24) throw garbled(`${bytes.length} bytes, not 24`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const signed = (at: number): number | null => unless(-0x8000, view.getInt16(at))
  const unsigned = (at: number): number | null => unless(0xffff, view.getUint16(at))
  const power = view.getUint16(13)
  const pascal = unsigned(5)
  const battery = unless(0x7ff, power >> 5)
  const tx = unless(31, power & 31)
  const mac = Array.from(bytes.subarray(18), (byte) => byte.toString(16).padStart(2, '0'))
  return {
    celsius: times(signed(1), 5, -3),
    humidity: times(unsigned(3), 25, -4),
    pascal: pascal === null ? null : [pascal + 50_000, 0],
    acceleration: [times(signed(7), 1, -3), times(signed(9), 1, -3), times(signed(11), 1, -3)],
    batteryVolt: battery === null ? null : [battery + 1600, -3],
    txDbm: tx === null ? null : tx * 2 - 40,
    movements: unless(0xff, view.getUint8(15)),
    sequence: unsigned(16),
    mac: mac.every((byte) => byte === 'ff') ? null : mac.join(':').toUpperCase(),
  }
}

const unless = (marker: number, value: number): number | null => (value === marker ? null : value)

const times = (value: number | null, factor: number, exponent: number): Decimal | null =>
  value === null ? null : [value * factor, exponent]

const garbled = (reason: string) => new KedgeError('SENSOR_GARBLED', reason)
