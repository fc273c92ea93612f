import { initialState, roundConstants } from '../constants.ts'
import { layout } from '../layout.ts'
import { messageFunctions } from './message.ts'
import { compression, compressionLocals, stateNames, type Words, wordNames } from './rounds.ts'
import {
  add,
  and,
  call,
  dataAt,
  func,
  get,
  i32,
  load,
  or,
  repeat,
  rotateLeft,
  set,
  shiftLeft,
  store,
  subtract,
  swapped,
  type Wat,
  xor,
} from './wat.ts'

const { constants, state, digest, message, ends, pages } = layout

/** One message at a time: what single hashes are made with, and many where there is no SIMD. */
export const scalarModule = (): Wat => `(module
(memory (export "memory") ${pages})
${dataAt(constants, roundConstants)}
${messageFunctions()}
${functions().join('\n')})`

const one: Words = {
  type: 'i32',
  add,
  xor,
  choose: (bits, one, zero) => xor(zero, and(bits, xor(one, zero))),
  majority: (a, b, c) => or(and(a, b), and(c, or(a, b))),
  rotate: (name, by) => rotateLeft(get(name), by),
  permuted: (name, by) => xor(get(name), rotateLeft(get(name), by), rotateLeft(get(name), by + 8)),
  constant: load,
}

const functions = (): Wat[] => [
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
    'write',
    { takes: ['to'], locals: ['x'] },
    ...stateNames.flatMap((_, i) => [
      set('x', load(i32(state), 4 * i)),
      store(get('to'), swapped('x'), 4 * i),
    ]),
  ),
  func(
    'finish',
    { exported: true, takes: ['length', 'high', 'low'] },
    call('absorb', call('pad', i32(message), get('length'), get('high'), get('low'))),
    call('write', i32(digest)),
  ),
  func(
    'hash',
    { exported: true, takes: ['length'] },
    call('begin'),
    call('finish', get('length'), i32(0), shiftLeft(get('length'), 3)),
  ),
  func(
    'hashCopy',
    { takes: ['source', 'length', 'prefix', 'to'] },
    call('begin'),
    call('absorb', call('lay', i32(message), get('source'), get('length'), get('prefix'), i32(0))),
    call('write', get('to')),
  ),
  func(
    'each',
    { exported: true, takes: ['source', 'to', 'count', 'length', 'prefix'], locals: ['end'] },
    set('end', add(get('to'), shiftLeft(get('count'), 5))),
    repeat(
      'to',
      32,
      get('end'),
      call('hashCopy', get('source'), get('length'), get('prefix'), get('to')),
      set('source', add(get('source'), get('length'))),
    ),
  ),
  func(
    'slices',
    { exported: true, takes: ['source', 'to', 'count'], locals: ['at', 'end', 'start'] },
    set('at', i32(ends)),
    set('end', add(i32(ends), shiftLeft(get('count'), 2))),
    repeat(
      'at',
      4,
      get('end'),
      call(
        'hashCopy',
        add(get('source'), get('start')),
        subtract(load(get('at')), get('start')),
        i32(-1),
        get('to'),
      ),
      set('start', load(get('at'))),
      set('to', add(get('to'), i32(32))),
    ),
  ),
]
