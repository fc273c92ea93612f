import { initialState, roundConstants } from '../constants.ts'
import { layout } from '../layout.ts'
import { messageFunctions, notNegative } from './message.ts'
import { compression, compressionLocals, stateNames, wordNames } from './rounds.ts'
import {
  addFour,
  andFour,
  four,
  loadFour,
  quads,
  splat,
  storeFour,
  swappedFour,
  transposed,
  xorFour,
} from './vectors.ts'
import {
  add,
  below,
  call,
  dataAt,
  downTo,
  func,
  get,
  i32,
  least,
  load,
  repeat,
  select,
  set,
  shiftLeft,
  shiftRight,
  store,
  subtract,
  times,
  type Wat,
} from './wat.ts'

const { constants, state, next, turn, blocks, tails, tailStride, ends, pages } = layout

/** Four messages at a time, each in its own lane of the vectors. */
export const fourModule = (): Wat => `(module
(memory (export "memory") ${pages})
${dataAt(constants, roundConstants)}
${[messageFunctions(), prepare(), hashFour(), each(), slices()].join('\n')})`

const lanes = [0, 1, 2, 3]
const pointer = (lane: number): string => `p${lane}`

/** Whole blocks are read where they lie; the rest, and anything with a prefix, is laid out as a tail. */
const prepare = (): Wat =>
  func(
    'prepare',
    { takes: ['lane', 'source', 'length', 'prefix'], locals: ['tail', 'whole'] },
    set('tail', add(i32(tails), times(get('lane'), i32(tailStride)))),
    set('whole', select(notNegative(get('prefix')), i32(0), downTo(64, get('length')))),
    set('lane', shiftLeft(get('lane'), 2)),
    store(get('lane'), get('source'), next),
    set('source', add(get('source'), get('whole'))),
    store(get('lane'), get('source'), turn),
    set('length', subtract(get('length'), get('whole'))),
    set(
      'tail',
      call('lay', get('tail'), get('source'), get('length'), get('prefix'), get('whole')),
    ),
    store(get('lane'), shiftRight(add(get('whole'), get('tail')), 6), blocks),
  )

const hashFour = (): Wat => {
  const stateAt = (i: number) => loadFour(i32(state), 16 * i)
  const isRunning = `(i32x4.gt_s ${get('left')} ${splat(0)})`
  const locals = ['y: v128', 'left: v128', 'running: v128', ...lanes.map(pointer)]
  return func(
    'hashFour',
    { takes: ['to'], locals: [...compressionLocals(four), ...locals] },
    ...Array.from(initialState, (word, i) => storeFour(i32(state), splat(word), 16 * i)),
    ...lanes.map((lane) => set(pointer(lane), load(i32(next), 4 * lane))),
    set('left', loadFour(i32(blocks))),
    '(loop $block',
    set('running', isRunning),
    ...lanes.map(blockOf),
    ...quads(wordNames).flatMap((names, i) => [
      ...names.map((name, lane) => set(name, swappedFour(loadFour(get(pointer(lane)), 16 * i)))),
      ...transposed(names),
    ]),
    ...lanes.map((lane) => set(pointer(lane), add(get(pointer(lane)), i32(64)))),
    ...stateNames.map((name, i) => set(name, stateAt(i))),
    compression(four, constants),
    // A message that has ended keeps its state while the longer ones go on.
    ...stateNames.map((name, i) =>
      storeFour(i32(state), xorFour(stateAt(i), andFour(get(name), get('running'))), 16 * i),
    ),
    set('left', addFour(get('left'), splat(-1))),
    `(br_if $block (v128.any_true ${isRunning})))`,
    ...stateNames.map((name, i) => set(name, stateAt(i))),
    ...quads(stateNames).flatMap((names, half) => [
      ...transposed(names),
      ...names.map((name, lane) =>
        storeFour(get('to'), swappedFour(get(name)), 32 * lane + 16 * half),
      ),
    ]),
  )
}

/** Where a message's whole blocks end, its tail takes over. */
function blockOf(lane: number): Wat {
  const isOver = `(i32.eq ${get(pointer(lane))} ${load(i32(turn), 4 * lane)})`
  return set(pointer(lane), select(isOver, i32(tails + tailStride * lane), get(pointer(lane))))
}

const each = (): Wat => {
  // Lanes without a message take the last one again.
  const last = subtract(get('count'), i32(1))
  const start = (lane: number) =>
    add(get('source'), times(get('length'), least(add(get('i'), i32(lane)), last)))
  return func(
    'each',
    { exported: true, takes: ['source', 'to', 'count', 'length', 'prefix'], locals: ['i'] },
    repeat(
      'i',
      4,
      get('count'),
      ...lanes.map((lane) => call('prepare', i32(lane), start(lane), get('length'), get('prefix'))),
      call('hashFour', add(get('to'), shiftLeft(get('i'), 5))),
    ),
  )
}

const slices = (): Wat => {
  const isThere = (lane: number) => below(add(get('i'), i32(lane)), get('count'))
  const endOf = (lane: number) => load(shiftLeft(get('i'), 2), ends + 4 * lane)
  return func(
    'slices',
    { exported: true, takes: ['source', 'to', 'count'], locals: ['i', 'start', 'end', 'length'] },
    repeat(
      'i',
      4,
      get('count'),
      ...lanes.flatMap((lane) => [
        // Lanes without a message take an empty one.
        set('end', select(isThere(lane), endOf(lane), get('start'))),
        set('length', subtract(get('end'), get('start'))),
        call('prepare', i32(lane), add(get('source'), get('start')), get('length'), i32(-1)),
        set('start', get('end')),
      ]),
      call('hashFour', add(get('to'), shiftLeft(get('i'), 5))),
    ),
  )
}
