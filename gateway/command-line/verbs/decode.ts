import { KedgeError } from '../../../anchor-client/evidence/errors.ts'
import { nearest } from '../../../config/did-you-mean.ts'
import type { Command } from '../command.ts'
import { decodeEpcText, decodeNmea, decodeW1, type Said } from '../decoded.ts'
import {
  type Asked,
  decodeBme280,
  decodeBthome,
  decodeModbus,
  decodePvvx,
  decodeRuuvi,
  decodeSht,
} from '../decoded-sensors.ts'
import { linesOf, textOf } from '../standard-input.ts'
import { jsonLine, printable } from '../terminal.ts'

interface Format {
  readonly takes: string
  /** One answer a word or a line of standard input, or one for all of it. */
  readonly byLine: boolean
  /** Options of the verb that belong to it. */
  readonly options?: readonly string[]
  decode(text: string, asked: Asked): Said | Promise<Said>
}

/** What can be pasted, by the word after the verb. */
const formats: Readonly<Record<string, Format>> = {
  w1: {
    takes: 'the two lines of a w1_slave file, or nine bytes in hex',
    byLine: false,
    decode: decodeW1,
  },
  nmea: { takes: 'a sentence of NMEA 0183', byLine: true, decode: decodeNmea },
  epc: {
    takes: "the 96 bits of a tag in hex, or an EPC's URI",
    byLine: true,
    decode: decodeEpcText,
  },
  ruuvi: {
    takes: 'the manufacturer data of a RuuviTag (RAWv2) in hex',
    byLine: true,
    decode: decodeRuuvi,
  },
  bthome: {
    takes:
      'the service data FCD2 of a BTHome v2 device in hex; --key and --mac open what is encrypted',
    byLine: true,
    options: ['key', 'mac'],
    decode: decodeBthome,
  },
  pvvx: {
    takes: 'the service data 181A of a thermometer with the firmware of pvvx or atc1441 in hex',
    byLine: true,
    decode: decodePvvx,
  },
  modbus: { takes: 'a frame of Modbus RTU or TCP in hex', byLine: true, decode: decodeModbus },
  sht: {
    takes: 'the six bytes of a measurement in hex, with --model',
    byLine: true,
    options: ['model'],
    decode: decodeSht,
  },
  bme280: {
    takes: 'the registers F7 to FE in hex, with --calibration',
    byLine: true,
    options: ['calibration'],
    decode: decodeBme280,
  },
}

export const decode: Command = {
  summary: 'Say what the bytes of a sensor, a receiver or a tag mean',
  usage: `${Object.keys(formats).join('|')} TEXT|HEX|-`,
  options: {
    model: { value: 'sht3x|sht4x', means: 'sht: which of the two it is' },
    calibration: { value: 'HEX', means: 'bme280: its registers 88 to A1 and then E1 to E7' },
    key: { value: 'HEX', means: 'bthome: the key of the device, 16 bytes' },
    mac: { value: 'MAC', means: 'bthome: the address of the device, AA:BB:CC:DD:EE:FF' },
  },
  notes: [
    ...Object.entries(formats).map(([name, { takes }]) => `kedge decode ${name}: ${takes}.`),
    'What stands for - is read from standard input. What cannot be read is refused with its reason, and the exit code is 1.',
  ],

  async run({ operands, text: asked }, terminal) {
    const [name = '', ...pasted] = operands
    const format = Object.hasOwn(formats, name) ? formats[name] : undefined
    if (format === undefined) throw unknownFormat(name)
    if (pasted.length === 0) {
      throw new KedgeError('USAGE', `decode ${name} needs ${format.takes}`, {
        hint: `kedge decode ${name} - reads standard input`,
      })
    }
    for (const option of Object.keys(decode.options)) {
      if (asked(option) === undefined || format.options?.includes(option)) continue
      throw new KedgeError('USAGE', `decode ${name} takes no --${option}`)
    }
    let code = 0
    for await (const { text, at } of texts(pasted, format)) {
      try {
        const said = await format.decode(text, asked)
        const lines = terminal.json ? [jsonLine(said)] : linesFor(said).map(printable)
        if (!(await terminal.print(...lines))) break
      } catch (error) {
        code = terminal.explain(error, at)
      }
    }
    return code
  },
}

interface Pasted {
  readonly text: string
  /** The line of standard input. */
  readonly at?: string
}

async function* texts(pasted: readonly string[], { byLine }: Format): AsyncGenerator<Pasted, void> {
  const isPiped = pasted.length === 1 && pasted[0] === '-'
  if (!isPiped) {
    // The shell takes nine bytes apart, and hands on a sentence or a URI whole.
    yield* (byLine ? pasted : [pasted.join(' ')]).map((text) => ({ text }))
    return
  }
  if (!byLine) {
    yield { text: await textOf(process.stdin) }
    return
  }
  let number = 0
  for await (const text of linesOf(process.stdin)) {
    number++
    if (text.trim() !== '') yield { text, at: `-:${number}` }
  }
}

function unknownFormat(name: string): KedgeError {
  const known = Object.keys(formats)
  const near = nearest(name, known)
  return new KedgeError('USAGE', name ? `decode does not know ${name}` : 'decode what?', {
    hint: near ? `did you mean ${near}?` : `kedge decode ${known.join('|')} …`,
  })
}

/** A line a field, and what lies within one behind its name. */
const linesFor = (said: object, before = ''): readonly string[] =>
  Object.entries(said).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? linesFor(value, `${before}${name} `)
      : [`${before}${name}: ${value === null ? '-' : value}`],
  )
