import type { Words } from './rounds.ts'
import { get, i32, joined, set, tee, type Wat } from './wat.ts'

/** Words of four messages side by side, one in each lane of a vector. */

export const loadFour = (address: Wat, offset = 0): Wat => `(v128.load offset=${offset} ${address})`
export const storeFour = (address: Wat, value: Wat, offset = 0): Wat =>
  `(v128.store offset=${offset} ${address} ${value})`
export const splat = (word: number): Wat => `(v128.const i32x4 ${word} ${word} ${word} ${word})`

export const addFour = joined('i32x4.add')
export const xorFour = joined('v128.xor')
export const andFour = joined('v128.and')
const orFour = joined('v128.or')

const choose = (bits: Wat, one: Wat, zero: Wat): Wat => `(v128.bitselect ${one} ${zero} ${bits})`
/** The same vector twice, since it may be computed only once. */
const rotated = (vector: Wat, again: Wat, by: number): Wat =>
  orFour(`(i32x4.shl ${vector} ${i32(by)})`, `(i32x4.shr_u ${again} ${i32(32 - by)})`)
const bytesMoved = (value: Wat, from: readonly number[]): Wat =>
  `(i8x16.swizzle ${value} (v128.const i8x16 ${from.join(' ')}))`
const inEachWord = (order: readonly number[]): number[] =>
  [0, 4, 8, 12].flatMap((word) => order.map((byte) => word + byte))
const upByOne = inEachWord([3, 0, 1, 2])
const reversed = inEachWord([3, 2, 1, 0])
export const swappedFour = (value: Wat): Wat => bytesMoved(value, reversed)

export const four: Words = {
  type: 'v128',
  add: addFour,
  xor: xorFour,
  choose,
  majority: (a, b, c) => choose(xorFour(a, b), c, a),
  rotate: (name, by) => rotated(get(name), get(name), by),
  // Without an instruction for it a rotation takes three steps, but one by eight bits only moves bytes.
  permuted: (name, by) => {
    const inner = tee('y', xorFour(get(name), bytesMoved(get(name), upByOne)))
    return xorFour(get(name), rotated(inner, get('y'), by))
  },
  constant: (address, offset) => `(v128.load32_splat offset=${offset} ${address})`,
}

const shuffled = (left: Wat, right: Wat, words: readonly number[]): Wat => {
  const bytes = words.flatMap((word) => [0, 1, 2, 3].map((i) => 4 * word + i))
  return `(i8x16.shuffle ${bytes.join(' ')} ${left} ${right})`
}

/** Four rows of four words, as four columns: in the same locals. */
export function transposed(names: readonly [string, string, string, string]): Wat[] {
  const [p, q, r, s] = names.map(get) as [Wat, Wat, Wat, Wat]
  const [P, Q, R, S] = names
  return [
    set('x', shuffled(p, q, [2, 6, 3, 7])),
    set(P, shuffled(p, q, [0, 4, 1, 5])),
    set('y', shuffled(r, s, [2, 6, 3, 7])),
    set(R, shuffled(r, s, [0, 4, 1, 5])),
    set(Q, shuffled(p, r, [2, 3, 6, 7])),
    set(P, shuffled(p, r, [0, 1, 4, 5])),
    set(S, shuffled(get('x'), get('y'), [2, 3, 6, 7])),
    set(R, shuffled(get('x'), get('y'), [0, 1, 4, 5])),
  ]
}

export const quads = <T>(names: readonly T[]): [T, T, T, T][] =>
  Array.from({ length: names.length / 4 }, (_, i) => names.slice(4 * i, 4 * i + 4) as [T, T, T, T])
