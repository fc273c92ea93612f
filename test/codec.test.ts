import test from 'ava'
import fc from 'fast-check'
import { hexToBytes } from '../anchor-client/evidence/bytes.ts'
import {
  type Cursor,
  cursorOf,
  readBytes,
  readInt,
  readText,
  readUint,
  skipItem,
} from '../anchor-client/evidence/codec.ts'
import { encode, type Item } from '../anchor-client/evidence/encode.ts'
import { KedgeError } from '../anchor-client/evidence/errors.ts'

const reading =
  <T>(read: (cursor: Cursor) => T) =>
  (hex: string): T =>
    read(cursorOf(hexToBytes(hex)))

const refusal = { instanceOf: KedgeError, code: 'EVIDENCE_MALFORMED' }

test('numbers have one form, the shortest', (t) => {
  const uint = reading((at) => readUint(at))
  t.is(uint('17'), 23)
  t.is(uint('1818'), 24)
  t.is(uint('1b001fffffffffffff'), Number.MAX_SAFE_INTEGER)
  for (const hex of ['1817', '1900ff', '1a0000ffff', '1b00000000ffffffff', '1b0020000000000000']) {
    t.throws(() => uint(hex), refusal, hex)
  }
  const int = reading(readInt)
  t.is(int('20'), -1)
  t.is(int('3b001ffffffffffffe'), Number.MIN_SAFE_INTEGER)
  t.throws(() => int('3b001fffffffffffff'), refusal)
})

test('a length beyond the end is refused before anything is set aside', (t) => {
  const bytes = reading((at) => readBytes(at))
  for (const hex of ['41', '5a40000000', '5b001fffffffffffff', '5b7fffffffffffffff', '5f']) {
    t.throws(() => bytes(hex), refusal, hex)
  }
})

test('text is whole UTF-8', (t) => {
  const text = reading((at) => readText(at, 256))
  t.is(text('63e6b8a9'), '温')
  t.is(text('64f09d8486'), '𝄆')
  // Cut short, overlong, a surrogate, beyond the last character, a lone continuation, nothing.
  for (const hex of ['62e6b8', '62c0af', '63eda080', '64f4908080', '6180', '60']) {
    t.throws(() => text(hex), refusal, hex)
  }
})

test('maps, tags, floats, undefined and endless items are refused wherever they stand', (t) => {
  for (const hex of [
    'a0',
    'c000',
    'f93c00',
    'fb3ff0000000000000',
    'f7',
    'f0',
    'f8ff',
    '9fff',
    'ff',
  ]) {
    t.throws(() => reading(skipItem)(hex), refusal, hex)
    t.throws(() => reading(skipItem)(`81${hex}`), refusal, hex)
  }
})

test('arrays nest ten deep and no deeper', (t) => {
  t.notThrows(() => reading(skipItem)(`${'81'.repeat(10)}00`))
  t.throws(() => reading(skipItem)(`${'81'.repeat(11)}00`), refusal)
  t.throws(() => reading(skipItem)('81'.repeat(10_000)), refusal)
})

const anyItem: fc.Memo<Item> = fc.memo((depth) =>
  depth <= 1
    ? fc.oneof(
        fc.maxSafeInteger(),
        fc.boolean(),
        fc.constant(null),
        fc.uint8Array({ maxLength: 300 }),
        fc.string({ unit: 'grapheme', maxLength: 20 }),
      )
    : fc.oneof(anyItem(1), fc.array(anyItem(depth - 1), { maxLength: 30 })),
)

test('whatever is written is in the profile, and as long as it says', (t) => {
  fc.assert(
    fc.property(anyItem(5), (item) => {
      const bytes = encode(item)
      const cursor = cursorOf(bytes)
      skipItem(cursor)
      return cursor.at === bytes.length
    }),
  )
  t.pass()
})

test('a programmer who writes what the profile cannot say is told', (t) => {
  for (const item of [0.5, 2 ** 53, Number.NaN, '\ud800', 'x'.repeat(257)]) {
    t.throws(() => encode(item), { instanceOf: TypeError })
  }
})
