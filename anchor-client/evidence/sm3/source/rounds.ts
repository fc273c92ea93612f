import { get, i32, repeat, set, type Wat } from './wat.ts'

/**
 * The compression of SM3 (GB/T 32905-2016, 5.3) over words of one message or of four side by side. The
 * block is in the locals w0 to w15, the state in a to h; both are changed in place.
 */
export const compression = (words: Words, constants: number): Wat =>
  [
    set('t', i32(constants)),
    ...sixteenRounds(words, true),
    set('t', i32(constants + 64)),
    // Written out sixteen times, the sixteen live words of the schedule need no addresses.
    repeat('t', 64, i32(constants + 256), ...sixteenRounds(words, false)),
  ].join('\n')

export interface Words {
  readonly type: 'i32' | 'v128'
  readonly add: (...words: readonly Wat[]) => Wat
  readonly xor: (...words: readonly Wat[]) => Wat
  /** By the bits of the first, one of the others. */
  readonly choose: (bits: Wat, one: Wat, zero: Wat) => Wat
  readonly majority: (a: Wat, b: Wat, c: Wat) => Wat
  readonly rotate: (name: string, by: number) => Wat
  /** The local, itself rotated by so much and by eight more, all xored: P0 by 9, P1 by 15. */
  readonly permuted: (name: string, by: number) => Wat
  /** The word at an address, the same for every message. */
  readonly constant: (address: Wat, offset: number) => Wat
}

export const stateNames = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as const
export const wordNames = Array.from({ length: 16 }, (_, i) => `w${i}`)

export const compressionLocals = ({ type }: Words): string[] => [
  't',
  ...[...stateNames, ...wordNames, 'x', 'a12', 'ss1', 'ss2'].map((name) => `${name}: ${type}`),
]

function sixteenRounds(words: Words, areFirst: boolean): Wat[] {
  return Array.from({ length: 16 }, (_, j) => [
    // A round needs the word four ahead of its own, and the block brings the first sixteen.
    ...(areFirst && j < 12 ? [] : nextWord(words, j + 4)),
    ...round(words, j, areFirst),
  ]).flat()
}

const wordAt = (j: number): string => `w${(j + 16) % 16}`

/** Word j of the schedule takes the place of word j - 16. */
function nextWord({ xor, rotate, permuted }: Words, j: number): Wat[] {
  const word = wordAt(j)
  return [
    set('x', xor(get(word), get(wordAt(j - 9)), rotate(wordAt(j - 3), 15))),
    set('x', permuted('x', 15)),
    set(word, xor(get('x'), rotate(wordAt(j - 13), 7), get(wordAt(j - 6)))),
  ]
}

function round(
  { add, xor, choose, majority, rotate, permuted, constant }: Words,
  j: number,
  isFirst: boolean,
): Wat[] {
  // Instead of moving eight words on by one place, each round calls them by other names.
  const named = (place: 0 | 1 | 2 | 3, names: string): string =>
    names[(place - j + 64) % 4] as string
  const [a, b, c, d] = [named(0, 'abcd'), named(1, 'abcd'), named(2, 'abcd'), named(3, 'abcd')]
  const [e, f, g, h] = [named(0, 'efgh'), named(1, 'efgh'), named(2, 'efgh'), named(3, 'efgh')]
  const ff = isFirst ? xor(get(a), get(b), get(c)) : majority(get(a), get(b), get(c))
  const gg = isFirst ? xor(get(e), get(f), get(g)) : choose(get(e), get(f), get(g))
  return [
    set('a12', rotate(a, 12)),
    // In each sum the term that is known last comes last: a round waits for nothing longer.
    set('x', add(get('a12'), constant(get('t'), 4 * j), get(e))),
    set('ss1', rotate('x', 7)),
    set('ss2', xor(get('ss1'), get('a12'))),
    set(d, add(get(d), xor(get(wordAt(j)), get(wordAt(j + 4))), ff, get('ss2'))),
    set('x', add(get(h), get(wordAt(j)), gg, get('ss1'))),
    set(h, permuted('x', 9)),
    set(b, rotate(b, 9)),
    set(f, rotate(f, 19)),
  ]
}
