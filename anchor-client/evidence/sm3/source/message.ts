import {
  add,
  call,
  copyEights,
  downTo,
  func,
  get,
  i32,
  set,
  shiftLeft,
  store,
  storeByte,
  subtract,
  swapped,
  type Wat,
  when,
  zeroEights,
} from './wat.ts'

/** How a message becomes blocks (GB/T 32905-2016, 5.2), in functions that both modules have. */
export const messageFunctions = (): Wat =>
  [
    func(
      'pad',
      { takes: ['start', 'length', 'high', 'low'], locals: ['at', 'end'], gives: 'i32' },
      set('at', add(get('start'), get('length'))),
      set('end', add(get('start'), downTo(64, add(get('length'), i32(72))))),
      store(get('at'), i32(0x80)),
      store(get('at'), i32(0), 4),
      set('at', downTo(8, add(get('at'), i32(8)))),
      zeroEights('at', get('end')),
      store(subtract(get('end'), i32(8)), swapped('high')),
      store(subtract(get('end'), i32(4)), swapped('low')),
      subtract(get('end'), get('start')),
    ),
    // A copy, since padding in place would run into the next message.
    func(
      'lay',
      {
        takes: ['to', 'source', 'length', 'prefix', 'before'],
        locals: ['at', 'end'],
        gives: 'i32',
      },
      set('at', get('to')),
      when(
        notNegative(get('prefix')),
        storeByte(get('at'), get('prefix')),
        set('at', add(get('at'), i32(1))),
      ),
      set('end', add(get('at'), get('length'))),
      copyEights('at', 'source', get('end')),
      set('length', subtract(get('end'), get('to'))),
      call(
        'pad',
        get('to'),
        get('length'),
        i32(0),
        shiftLeft(add(get('before'), get('length')), 3),
      ),
    ),
  ].join('\n')

export const notNegative = (word: Wat): Wat => `(i32.ge_s ${word} ${i32(0)})`
