import test from 'ava'
import { explainPdu, parseAnswer, readPdu, tables } from '../drivers/modbus.ts'
import {
  lengthOfTcp,
  modbusCrc16,
  parseRtu,
  parseTcp,
  rtuFrame,
  tcpFrame,
} from '../drivers/modbus-frames.ts'
import { vectors } from './helpers/vectors.ts'

const { frames } = vectors('drivers/modbus.json') as { frames: { name: string; hex: string }[] }
const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))
const [example = '', request = ''] = frames.map(({ hex }) => hex)
const refused = (message: RegExp) => ({ code: 'SENSOR_GARBLED', message }) as const

test('the published frames have a right checksum and say what they are known to say', (t) => {
  t.is(modbusCrc16(bytesOf('0207')), 0x1241)
  t.deepEqual(parseRtu(bytesOf(example)), { unit: 2, pdu: Uint8Array.of(7) })
  const { unit, pdu } = parseRtu(bytesOf(request))
  t.is(unit, 1)
  t.deepEqual(explainPdu(pdu), { fn: 3, address: 0, count: 10 })
})

test('what is asked is what the protocol says', (t) => {
  const pdu = readPdu({ table: 'holding', address: 0, count: 10 })
  t.deepEqual(rtuFrame({ unit: 1, pdu }), bytesOf(request))
  const framed = tcpFrame({ transaction: 0x1501, unit: 255, pdu })
  t.deepEqual(framed, bytesOf('150100000006ff030000000a'))
  t.deepEqual(parseTcp(framed), { transaction: 0x1501, unit: 255, pdu })
  for (const [table, fn] of Object.entries(tables)) {
    t.is(readPdu({ table: table as keyof typeof tables, address: 0x1234, count: 1 })[0], fn)
  }
})

test('registers and coils of an answer are read in their order', (t) => {
  const registers = parseAnswer({ table: 'input', address: 1, count: 2 }, bytesOf('0404ffd30262'))
  t.deepEqual(registers.registers, [0xffd3, 610])
  const coils = parseAnswer({ table: 'coil', address: 19, count: 10 }, bytesOf('0102cd02'))
  const on = [true, false, true, true, false, false, true, true, false, true]
  t.deepEqual(coils.bits, on)
})

for (const [what, pdu, reason] of [
  ['an exception', '8402', /refused with exception 2: it has no such address/],
  ['an exception that the standard does not know', '8463', /exception 99: not in the standard/],
  ['an exception without its number', '84', /without its number/],
  ['an answer to another function', '0304ffd30262', /function 3, not 4/],
  ['an answer that is too short', '0402ffd3', /1 values, not 2/],
  ['an answer that is too long', '0406ffd302620000', /3 values, not 2/],
  ['a length that lies', '0404ffd302', /length that does not belong/],
  ['a question where an answer should be', '0400010002', /length that does not belong/],
  ['half a register', '0403ffd302', /half a register/],
  ['nothing', '', /empty/],
] as const) {
  test(`${what} is refused with its reason, never a reading`, (t) => {
    const asked = { table: 'input', address: 1, count: 2 } as const
    t.throws(() => parseAnswer(asked, bytesOf(pdu)), refused(reason))
  })
}

test('an answer of five bytes is no question when a slave said it', (t) => {
  const pdu = bytesOf('0103000064')
  t.deepEqual(explainPdu(pdu), { fn: 1, address: 0x300, count: 100 })
  const { bits = [] } = explainPdu(pdu, 'answer')
  t.deepEqual(bits.map(Number).join(''), '000000000000000000100110')
})

test('what is written is explained too', (t) => {
  t.deepEqual(explainPdu(bytesOf('0500acff00')), { fn: 5, address: 0xac, bits: [true] })
  t.deepEqual(explainPdu(bytesOf('0600010003')), { fn: 6, address: 1, registers: [3] })
  t.deepEqual(explainPdu(bytesOf('1000010002')), { fn: 16, address: 1, count: 2 })
  t.deepEqual(explainPdu(bytesOf('100001000204000a0102')), {
    fn: 16,
    address: 1,
    count: 2,
    registers: [10, 0x102],
  })
  t.deepEqual(explainPdu(bytesOf('0f0013000301cd')), {
    fn: 15,
    address: 0x13,
    count: 3,
    bits: [true, false, true],
  })
  t.deepEqual(explainPdu(bytesOf('2b0e0100')), { fn: 43, rest: bytesOf('0e0100') })
})

for (const [what, parse, reason] of [
  ['a bad checksum', () => parseRtu(bytesOf('02074113')), /bad checksum/],
  ['half a frame', () => parseRtu(bytesOf('0207')), /half a frame/],
  ['a frame of 300 bytes', () => parseRtu(new Uint8Array(300)), /more than Modbus allows/],
  ['half a TCP frame', () => parseTcp(bytesOf('1501000000')), /half a frame/],
  [
    'a TCP frame of another protocol',
    () => parseTcp(bytesOf('150100010006ff030000000a')),
    /no header/,
  ],
  [
    'a TCP header that lies',
    () => parseTcp(bytesOf('150100000007ff030000000a')),
    /12 bytes where the header says 13/,
  ],
  [
    'a coil that is neither on nor off',
    () => explainPdu(bytesOf('0500ac1234')),
    /neither on nor off/,
  ],
  ['function 0', () => explainPdu(bytesOf('00')), /function 0/],
] as const) {
  test(`${what} is refused with its reason`, (t) => {
    t.throws(parse, refused(reason))
  })
}

test('a TCP header tells its length before the rest is there', (t) => {
  t.is(lengthOfTcp(bytesOf('150100000006')), 12)
  t.is(lengthOfTcp(bytesOf('150100000000')), null)
  t.is(lengthOfTcp(bytesOf('15010000ffff')), null)
})
