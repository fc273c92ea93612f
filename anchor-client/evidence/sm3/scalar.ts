import { initialState, roundConstants } from './constants.ts'
import { scalarMemory } from './layout.ts'
import { compression, compressionLocals, stateNames, type Words, wordNames } from './rounds.ts'
import {
  add,
  call,
  copyEights,
  downTo,
  func,
  get,
  i32,
  load,
  repeat,
  set,
  store,
  storeByte,
  subtract,
  type Wat,
  when,
  zeroEights,
} from './wat.ts'

const { state, digest, constants, message } = scalarMemory

const binary =
  (instruction: string) =>
  (...words: readonly Wat[]): Wat =>
    words.reduce((left, right) => `(i32.${instruction} ${left} ${right})`)
const and = binary('and')
const or = binary('or')
const xor = binary('xor')
const rotate = (value: Wat, by: number): Wat => `(i32.rotl ${value} ${i32(by)})`

const one: Words = {
  type: 'i32',
  add,
  xor,
  choose: (bits, one, zero) => xor(zero, and(bits, xor(one, zero))),
  majority: (a, b, c) => or(and(a, b), and(c, or(a, b))),
  rotate: (name, by) => rotate(get(name), by),
  constant: load,
}

/** The local's bytes in the other order. Written out, since engines do not inline calls. */
const swapped = (name: string): Wat =>
  or(and(rotate(get(name), 8), i32(0x00ff00ff)), and(rotate(get(name), 24), i32(0xff00ff00 | 0)))
const little = (word: number): string =>
  [0, 8, 16, 24].map((by) => `\\${((word >>> by) & 255).toString(16).padStart(2, '0')}`).join('')

export const scalarModule = (): Wat =>
  `(module (memory (export "memory") 2)
(data ${i32(constants)} "${Array.from(roundConstants, little).join('')}")
${[
  func(
    'begin',
    { exported: true },
    ...Array.from(initialState, (word, i) => store(i32(state), i32(word), 4 * i)),
  ),
  func(
    'compress',
    { takes: ['block'], locals: compressionLocals(one) },
    ...wordNames.flatMap((name, i) => [
      set('x', load(get('block'), 4 * i)),
      set(name, swapped('x')),
    ]),
    ...stateNames.map((name, i) => set(name, load(i32(state), 4 * i))),
    compression(one, constants),
    ...stateNames.map((name, i) =>
      store(i32(state), xor(get(name), load(i32(state), 4 * i)), 4 * i),
    ),
  ),
  func(
    'absorb',
    { exported: true, takes: ['length'], locals: ['at'] },
    set('at', i32(message)),
    repeat('at', 64, add(i32(message), get('length')), call('compress', get('at'))),
  ),
  func(
    'finish',
    { exported: true, takes: ['length', 'high', 'low'], locals: ['at', 'end', 'x'] },
    set('at', add(i32(message), get('length'))),
    set('end', add(i32(message), downTo(64, add(get('length'), i32(72))))),
    store(get('at'), i32(0x80)),
    store(get('at'), i32(0), 4),
    set('at', downTo(8, add(get('at'), i32(8)))),
    zeroEights('at', get('end')),
    store(subtract(get('end'), i32(8)), swapped('high')),
    store(subtract(get('end'), i32(4)), swapped('low')),
    call('absorb', subtract(get('end'), i32(message))),
    ...stateNames.flatMap((_, i) => [
      set('x', load(i32(state), 4 * i)),
      store(i32(digest), swapped('x'), 4 * i),
    ]),
  ),
  func(
    'hash',
    { exported: true, takes: ['length'] },
    call('begin'),
    call('finish', get('length'), i32(0), `(i32.shl ${get('length')} ${i32(3)})`),
  ),
].join('\n')})`
