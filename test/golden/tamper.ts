// Ways to spoil a file's arrays.
import type { Item } from './bytes.ts'

/** The tree with what stands at this path put through `by`. */
export const change = (tree: Item, path: readonly number[], by: (item: Item) => Item): Item => {
  const [first, ...rest] = path
  if (first === undefined) return by(tree)
  return list(tree).map((item, i) => (i === first ? change(item, rest, by) : item))
}

export const put = (tree: Item, path: readonly number[], item: Item): Item =>
  change(tree, path, () => item)

export const pick = (tree: Item, path: readonly number[]): Item =>
  path.reduce<Item>((item, i) => list(item)[i] ?? null, tree)

export const list = (item: Item): readonly Item[] => {
  if (!Array.isArray(item)) throw new TypeError('not an array')
  return item
}

export const bytes = (item: Item): Uint8Array => {
  if (!(item instanceof Uint8Array)) throw new TypeError('not a byte string')
  return item
}

/** One bit of a byte string turned over. */
export const flip =
  (at = 0) =>
  (item: Item): Item =>
    bytes(item).map((byte, i) => (i === (at < 0 ? bytes(item).length + at : at) ? byte ^ 1 : byte))

export const dropHash = (item: Item): Item => bytes(item).slice(0, -32)
export const addHash = (item: Item): Item =>
  new Uint8Array([...bytes(item), ...new Uint8Array(32).fill(7)])
/** The first hash twice. */
export const doubleHash = (item: Item): Item =>
  new Uint8Array([...bytes(item).slice(0, 32), ...bytes(item)])

export const drop =
  (at: number) =>
  (item: Item): Item =>
    list(item).filter((_, i) => i !== at)

export const swap =
  (i: number, j: number) =>
  (item: Item): Item =>
    list(item).map((one, at) => list(item)[at === i ? j : at === j ? i : at] ?? one)

export const append =
  (...more: readonly Item[]) =>
  (item: Item): Item => [...list(item), ...more]

export const insert =
  (at: number, ...more: readonly Item[]) =>
  (item: Item): Item => [...list(item).slice(0, at), ...more, ...list(item).slice(at)]
