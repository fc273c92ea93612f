/** Counts of an analog-to-digital converter as a value, by the words of the configuration. Pure. */
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import type { Decimal } from '../anchor-client/evidence/model.ts'
import { parseDecimal, rounded } from './decimal.ts'

interface Linear {
  /** What one count is worth. */
  readonly scale: number
  readonly offset: number
}

/** A resistor that knows the temperature, and another one in series with it between supply and ground. */
interface Thermistor {
  readonly series: number
  /** Where the thermistor is. */
  readonly to: 'ground' | 'supply'
  /** Its resistance at 25 °C. */
  readonly ohm?: number | undefined
  readonly beta?: number | undefined
  /** A, B and C of Steinhart and Hart. */
  readonly steinhart?: readonly number[] | undefined
}

export interface AnalogForm {
  readonly linear?: Linear | undefined
  readonly ntc?: Thermistor | undefined
  /** Decimals of the result, halves away from zero. */
  readonly digits: number
  readonly least?: number | undefined
  readonly most?: number | undefined
  /** The lowest and the highest count are values too. */
  readonly rails: boolean
}

/** A value with `digits` decimals; what is none is SENSOR_GARBLED, with the reason. */
export function measuredBy(counts: number, mostCounts: number, form: AnalogForm): Decimal {
  if (counts > mostCounts) throw garbled(`${counts} counts of a converter that has ${mostCounts}`)
  const atRail = counts === 0 || counts === mostCounts
  if (atRail && (form.ntc !== undefined || !form.rails)) {
    throw garbled(`${counts} counts: no probe, or a short circuit`)
  }
  const exactly = form.ntc
    ? String(celsiusOf(counts, mostCounts, form.ntc))
    : along(counts, form.linear ?? { scale: 1, offset: 0 })
  const said = rounded(exactly, form.digits)
  if ('refused' in said) throw garbled(said.refused)
  const { value } = said
  const number = value[0] * 10 ** value[1]
  const { least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY } = form
  if (number < least || number > most) {
    throw garbled(`${number}: outside of what the configuration allows`)
  }
  return value
}

/** Exactly as it is written; null for a number with too many digits to be multiplied exactly. */
export function factorFrom(number: number): Decimal | null {
  const decimal = parseDecimal(String(number))
  return decimal !== null && Math.abs(decimal[0]) < 1e11 ? decimal : null
}

/** No float passes through: a product and a sum of whole numbers. */
function along(counts: number, { scale, offset }: Linear): string {
  const [step, stepPlaces] = factorFrom(scale) ?? [0, 0]
  const [added, addedPlaces] = factorFrom(offset) ?? [0, 0]
  const places = Math.min(stepPlaces, addedPlaces)
  const mantissa =
    BigInt(counts) * BigInt(step) * 10n ** BigInt(stepPlaces - places) +
    BigInt(added) * 10n ** BigInt(addedPlaces - places)
  return `${mantissa}e${places}`
}

/** The middle of the step that the count stands for. */
function celsiusOf(counts: number, mostCounts: number, probe: Thermistor): number {
  const part = (counts + 0.5) / (mostCounts + 1)
  const ohm = probe.series * (probe.to === 'ground' ? part / (1 - part) : (1 - part) / part)
  const { ohm: nominal = 10_000, beta = 3950, steinhart } = probe
  const log = Math.log(ohm)
  const [a = 0, b = 0, c = 0] = steinhart ?? []
  const perKelvin = steinhart
    ? a + b * log + c * log ** 3
    : 1 / 298.15 + Math.log(ohm / nominal) / beta
  return 1 / perKelvin - 273.15
}

const garbled = (reason: string) => new KedgeError('SENSOR_GARBLED', reason)
