/** What Modbus masters and slaves say to each other (Modbus Application Protocol 1.1b3), without its framing. Pure. */
import { KedgeError } from '../anchor-client/evidence/errors.ts'

/** By the function code that reads it. */
export const tables = { coil: 1, discrete: 2, holding: 3, input: 4 } as const
export type Table = keyof typeof tables

export interface ReadRequest {
  readonly table: Table
  readonly address: number
  readonly count: number
}

/** Function code and what belongs to it: a PDU. */
export function readPdu({ table, address, count }: ReadRequest): Uint8Array {
  return Uint8Array.of(tables[table], address >> 8, address & 0xff, count >> 8, count & 0xff)
}

export interface Answer {
  /** Of `holding` and `input`. */
  readonly registers: readonly number[]
  /** Of `coil` and `discrete`. */
  readonly bits: readonly boolean[]
}

/** What a slave answered to `request`; an exception or anything else is SENSOR_GARBLED, with the reason. */
export function parseAnswer(request: ReadRequest, pdu: Uint8Array): Answer {
  const said = explainPdu(pdu, 'answer')
  const fn = tables[request.table]
  if (said.fn !== fn) throw garbled(`an answer to function ${said.fn}, not ${fn}`)
  if (said.exception !== undefined) {
    throw garbled(
      `the slave refused with exception ${said.exception}: ${meaningOf(said.exception)}`,
    )
  }
  const { registers = [], bits = [] } = said
  const isBits = fn <= 2
  const expected = isBits ? 8 * Math.ceil(request.count / 8) : request.count
  const given = isBits ? bits.length : registers.length
  if (given !== expected) throw garbled(`an answer of ${given} values, not ${expected}`)
  return { registers, bits: bits.slice(0, request.count) }
}

/** A PDU in words; of what it does not carry there is nothing. */
interface SaidPdu {
  readonly fn: number
  readonly exception?: number
  readonly address?: number
  readonly count?: number
  readonly registers?: readonly number[]
  /** The first one is the lowest; up to seven more than were asked for. */
  readonly bits?: readonly boolean[]
  /** Of a function that is not read here. */
  readonly rest?: Uint8Array
}

/** `side` is who said it; where both is possible, a question is what fits one. */
export function explainPdu(pdu: Uint8Array, side?: 'question' | 'answer'): SaidPdu {
  const [code] = pdu
  if (code === undefined) throw garbled('empty')
  if (pdu.length > 253) throw garbled(`${pdu.length} bytes, more than Modbus allows`)
  const fn = code & 0x7f
  if (fn === 0) throw garbled('function 0')
  if (code !== fn) {
    const [, exception] = pdu
    if (pdu.length !== 2 || !exception) throw garbled('an exception without its number')
    return { fn, exception }
  }
  if (fn <= 4) return { fn, ...readIn(pdu, fn, side) }
  if (fn === 5 || fn === 6) return { fn, ...writtenOne(pdu, fn) }
  if (fn === 15 || fn === 16) return { fn, ...writtenSeveral(pdu, fn) }
  return pdu.length > 1 ? { fn, rest: pdu.slice(1) } : { fn }
}

function readIn(pdu: Uint8Array, fn: number, side: 'question' | 'answer' | undefined) {
  const isBits = fn <= 2
  const count = wordAt(pdu, 3)
  if (side !== 'answer' && pdu.length === 5 && count >= 1 && count <= (isBits ? 2000 : 125)) {
    return { address: wordAt(pdu, 1), count }
  }
  const bytes = pdu.subarray(2)
  if (side === 'question' || pdu[1] !== bytes.length || bytes.length === 0) {
    throw garbled(`a length that does not belong to function ${fn}`)
  }
  if (isBits) return { bits: bitsIn(bytes) }
  if (bytes.length % 2 !== 0) throw garbled('half a register')
  return { registers: wordsIn(bytes) }
}

function writtenOne(pdu: Uint8Array, fn: number) {
  if (pdu.length !== 5) throw garbled(`a length that does not belong to function ${fn}`)
  const [address, value] = [wordAt(pdu, 1), wordAt(pdu, 3)]
  if (fn === 6) return { address, registers: [value] }
  if (value !== 0 && value !== 0xff00) throw garbled('a coil that is neither on nor off')
  return { address, bits: [value !== 0] }
}

function writtenSeveral(pdu: Uint8Array, fn: number) {
  const [address, count] = [wordAt(pdu, 1), wordAt(pdu, 3)]
  const most = fn === 15 ? 1968 : 123
  if (pdu.length < 5 || count < 1 || count > most) throw garbled(`a count of ${count}`)
  if (pdu.length === 5) return { address, count }
  const bytes = pdu.subarray(6)
  const expected = fn === 15 ? Math.ceil(count / 8) : 2 * count
  if (pdu[5] !== expected || bytes.length !== expected) {
    throw garbled(`a length that does not belong to function ${fn}`)
  }
  if (fn === 16) return { address, count, registers: wordsIn(bytes) }
  return { address, count, bits: bitsIn(bytes).slice(0, count) }
}

const wordAt = (pdu: Uint8Array, at: number): number => ((pdu[at] ?? 0) << 8) | (pdu[at + 1] ?? 0)

const wordsIn = (bytes: Uint8Array): readonly number[] =>
  Array.from({ length: bytes.length / 2 }, (_, i) => wordAt(bytes, 2 * i))

const bitsIn = (bytes: Uint8Array): readonly boolean[] =>
  Array.from({ length: bytes.length * 8 }, (_, i) => (((bytes[i >> 3] ?? 0) >> (i & 7)) & 1) === 1)

/** An exception in words. */
export const meaningOf = (exception: number): string => meanings[exception] ?? 'not in the standard'

const meanings: Readonly<Record<number, string>> = {
  1: 'it does not know this function',
  2: 'it has no such address',
  3: 'it does not take this value',
  4: 'it failed',
  5: 'it needs more time',
  6: 'it is busy',
  8: 'its memory is damaged',
  10: 'the gateway before it has no way to it',
  11: 'the gateway before it has no answer from it',
}

const garbled = (reason: string) => new KedgeError('SENSOR_GARBLED', reason)
