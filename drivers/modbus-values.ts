/** Registers of a transmitter as a value: what stands where is the configuration's word. Pure. */
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import type { Decimal } from '../anchor-client/evidence/model.ts'
import { decimalText } from '../anchor-client/evidence/show.ts'
import { parseDecimal } from './decimal.ts'

export const registerTypes = ['int16', 'uint16', 'int32', 'uint32', 'float32'] as const
type RegisterType = (typeof registerTypes)[number]

export interface NumberForm {
  readonly type: RegisterType
  /** Which of two registers comes first. */
  readonly words: 'high-first' | 'low-first'
  /** What one step is worth; of a float, what it is rounded to. */
  readonly scale: number
  readonly least?: number | undefined
  readonly most?: number | undefined
  /** Register values, as they come, that stand for no value. */
  readonly noValue?: readonly number[] | undefined
}

export const registersOf = (type: RegisterType): number => (type.endsWith('32') ? 2 : 1)

/** A number with the digits of its scale; what is none is SENSOR_GARBLED, with the reason. */
export function numberFrom(registers: readonly number[], form: NumberForm): Decimal {
  const [first = 0, second = 0] = registers
  const isLow = form.words === 'low-first'
  const bits =
    registersOf(form.type) === 1 ? first : isLow ? joined(second, first) : joined(first, second)
  if (form.noValue?.includes(bits)) throw garbled(`${bits}: its mark for no value`)
  const [step, exponent] = scaleOf(form.scale)
  const steps = stepsIn(bits, form)
  const value: Decimal = [steps * step, exponent]
  if (!Number.isSafeInteger(value[0])) throw garbled('a number beyond all bounds')
  const { least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY } = form
  const number = Number(decimalText(value))
  if (number < least || number > most) {
    throw garbled(`${number}: outside of what the configuration allows`)
  }
  return value
}

function stepsIn(bits: number, { type, scale }: NumberForm): number {
  switch (type) {
    case 'int16':
      return (bits << 16) >> 16
    case 'int32':
      return bits | 0
    case 'float32': {
      const view = new DataView(new ArrayBuffer(4))
      view.setUint32(0, bits)
      const float = view.getFloat32(0)
      if (!Number.isFinite(float)) throw garbled(`${float}: no number`)
      // No negative zero: it is no integer of the encoding.
      return Math.round(float / scale) + 0
    }
    default:
      return bits
  }
}

const joined = (high: number, low: number): number => high * 0x10000 + low

/** A number of the configuration, exactly as it is written; null for one with too many digits. */
export function scaleFrom(scale: number): Decimal | null {
  const decimal = parseDecimal(String(scale))
  return decimal !== null && decimal[0] > 0 && decimal[0] < 1e6 ? decimal : null
}

function scaleOf(scale: number): Decimal {
  const decimal = scaleFrom(scale)
  if (decimal === null) throw new TypeError(`no scale: ${scale}`)
  return decimal
}

const garbled = (reason: string) => new KedgeError('SENSOR_GARBLED', reason)
