/** What the sources beside it need of WebAssembly's text format: each function gives one expression. */
export type Wat = string

export const get = (name: string): Wat => `(local.get $${name})`
export const set = (name: string, value: Wat): Wat => `(local.set $${name} ${value})`
export const tee = (name: string, value: Wat): Wat => `(local.tee $${name} ${value})`
export const i32 = (value: number): Wat => `(i32.const ${value})`
export const call = (name: string, ...values: readonly Wat[]): Wat =>
  `(call $${name} ${values.join(' ')})`

export const load = (address: Wat, offset = 0): Wat => `(i32.load offset=${offset} ${address})`
export const store = (address: Wat, value: Wat, offset = 0): Wat =>
  `(i32.store offset=${offset} ${address} ${value})`
export const storeByte = (address: Wat, value: Wat): Wat => `(i32.store8 ${address} ${value})`
const load64 = (address: Wat): Wat => `(i64.load ${address})`
const store64 = (address: Wat, value: Wat, offset = 0): Wat =>
  `(i64.store offset=${offset} ${address} ${value})`

/** One instruction of two operands, over any number of them. */
export const joined =
  (instruction: string) =>
  (...values: readonly Wat[]): Wat =>
    values.reduce((left, right) => `(${instruction} ${left} ${right})`)

export const add = joined('i32.add')
export const subtract = joined('i32.sub')
export const times = joined('i32.mul')
export const and = joined('i32.and')
export const or = joined('i32.or')
export const xor = joined('i32.xor')
export const rotateLeft = (word: Wat, by: number): Wat => `(i32.rotl ${word} ${i32(by)})`
export const shiftLeft = (word: Wat, by: number): Wat => `(i32.shl ${word} ${i32(by)})`
export const shiftRight = (word: Wat, by: number): Wat => `(i32.shr_u ${word} ${i32(by)})`
/** The local's bytes in the other order. Written out, since engines do not inline calls. */
export const swapped = (name: string): Wat =>
  or(
    and(rotateLeft(get(name), 8), i32(0x00ff00ff)),
    and(rotateLeft(get(name), 24), i32(0xff00ff00 | 0)),
  )

export const select = (condition: Wat, then: Wat, otherwise: Wat): Wat =>
  `(select ${then} ${otherwise} ${condition})`
export const below = joined('i32.lt_u')
export const least = (left: Wat, right: Wat): Wat => select(below(left, right), left, right)
/** The next lower multiple of a power of two. */
export const downTo = (multiple: number, value: Wat): Wat => and(value, i32(-multiple))

/** Once at least, then again for as long as `name`, moved on by `by`, is below `end`. */
export const repeat = (name: string, by: number, end: Wat, ...body: readonly Wat[]): Wat =>
  `(loop $by_${name} ${body.join('\n')}
  (br_if $by_${name} ${below(tee(name, add(get(name), i32(by))), end)}))`

export const when = (condition: Wat, ...body: readonly Wat[]): Wat =>
  `(if ${condition} (then ${body.join('\n')}))`

/** Eight bytes at a time, up to seven too many: whoever calls it leaves room for them. */
export const copyEights = (to: string, from: string, end: Wat): Wat =>
  when(
    below(get(to), end),
    repeat(to, 8, end, store64(get(to), load64(get(from))), set(from, add(get(from), i32(8)))),
  )

export const zeroEights = (to: string, end: Wat): Wat =>
  when(below(get(to), end), repeat(to, 8, end, store64(get(to), '(i64.const 0)')))

export interface Shape {
  readonly takes?: readonly string[]
  /** Locals of other types than i32 are given with them, as in `x: v128`. */
  readonly locals?: readonly string[]
  readonly exported?: boolean
  readonly gives?: 'i32'
}

export function func(name: string, shape: Shape, ...body: readonly Wat[]): Wat {
  const declared = (kind: string, names: readonly string[] = []) =>
    names.map((each) => {
      const [local, type = 'i32'] = each.split(': ')
      return `(${kind} $${local} ${type})`
    })
  const head = [
    `func $${name}`,
    ...(shape.exported ? [`(export "${name}")`] : []),
    ...declared('param', shape.takes),
    ...(shape.gives ? [`(result ${shape.gives})`] : []),
    ...declared('local', shape.locals),
  ]
  return `(${head.join(' ')}\n${body.join('\n')})`
}

export const dataAt = (address: number, words: Iterable<number>): Wat => {
  const bytes = Array.from(words, (word) => [0, 8, 16, 24].map((by) => (word >>> by) & 255)).flat()
  const escaped = bytes.map((byte) => `\\${byte.toString(16).padStart(2, '0')}`)
  return `(data ${i32(address)} "${escaped.join('')}")`
}
