/** Durations and sizes as people write them: a whole number and its unit. */
import { z } from 'zod'

type Units = Readonly<Record<string, number>>

const durationUnits = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const sizeUnits = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 } as const

type Duration = `${number}${keyof typeof durationUnits}`
type Size = `${number}${keyof typeof sizeUnits}`

/** `90s`, read as milliseconds. */
export const duration = (min: Duration, max: Duration) =>
  quantity('a duration with its unit', durationUnits, min, max)

/** `64MiB`, read as bytes. */
export const size = (min: Size, max: Size) => quantity('a size with its unit', sizeUnits, min, max)

function quantity(what: string, units: Units, min: string, max: string) {
  const names = Object.keys(units)
  const [least, most] = [amount(min, units), amount(max, units)]
  return z
    .string()
    .regex(new RegExp(`^\\d{1,15}(?:${names.join('|')})$`))
    .meta({ title: `${what}, ${min} to ${max}`, $comment: `units are ${names.join(', ')}` })
    .transform((text, { addIssue }) => {
      const given = amount(text, units)
      if (given < least || given > most) addIssue({ code: 'custom' })
      return given
    })
}

function amount(text: string, units: Units): number {
  const [, digits, unit = ''] = /^(\d+)(\D+)$/.exec(text) ?? []
  return Number(digits) * (units[unit] ?? Number.NaN)
}
