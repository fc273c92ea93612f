/** A YAML document as values, each with its place: aliases are followed, up to a limit. */
import { type Document, isAlias, isMap, isScalar, isSeq, type Node } from 'yaml'
import { type Complaint, complaint } from './complaint.ts'

export const maxDepth = 16
const maxValues = 20_000

/** A value, where it stands, and where its key stands: offsets into the text. */
export interface Spot {
  readonly value: unknown
  /** Of a number or a word as it was typed. */
  readonly typed: string | undefined
  readonly at: number
  readonly keyAt: number
  readonly children: ReadonlyMap<string, Spot>
}

export interface Parsed {
  /** Absent where the text is broken: half of it would only give faults that are none. */
  readonly root: Spot | undefined
  readonly complaints: readonly Complaint[]
}

/** Values with their places; the document is already known to be shallow. */
export function build(document: Document.Parsed): Parsed {
  const complaints: Complaint[] = []
  const anchors = new Map<string, Node>()
  let values = 0
  let isEndless = false

  const root = spotOf(document.contents, 0, 0, 0)
  // An empty file says nothing, so that all that is missing can be named.
  const said = root.value === null ? { ...root, value: {} } : root
  return { root: isEndless ? undefined : said, complaints }

  function spotOf(node: Node | null, keyAt: number, depth: number, fallback: number): Spot {
    const at = node?.range?.[0] ?? fallback
    const scalar = (value: unknown, typed?: string): Spot => {
      return { value, typed, at, keyAt, children: new Map() }
    }
    values += 1
    if (!isEndless && (values > maxValues || depth > maxDepth)) {
      isEndless = true
      const why = depth > maxDepth ? 'this refers to itself' : `more than ${maxValues} values`
      complaints.push(complaint(at, `${why}, with what each * brings in`))
    }
    if (isEndless || node === null) return scalar(null)
    if (isAlias(node)) {
      const target = anchors.get(node.source)
      if (target) return { ...spotOf(target, keyAt, depth + 1, at), at }
      complaints.push(
        complaint(at, 'this * refers to nothing', 'put a value that begins with * in quotes'),
      )
      return scalar(null)
    }
    if ('anchor' in node && node.anchor) anchors.set(node.anchor, node)
    if (isScalar(node)) {
      if (node.tag) complaints.push(tagged(at))
      return scalar(node.value, node.source)
    }
    if (!isMap(node) && !isSeq(node)) return scalar(null)
    if (node.tag && !/:(map|seq)$/.test(node.tag)) complaints.push(tagged(at))

    const children = new Map<string, Spot>()
    if (isSeq(node)) {
      node.items.forEach((item, i) => {
        const child = spotOf(item as Node, at, depth + 1, at)
        children.set(String(i), { ...child, keyAt: child.at })
      })
      return {
        value: Array.from(children.values(), ({ value }) => value),
        typed: undefined,
        at,
        keyAt,
        children,
      }
    }
    for (const { key, value } of node.items) {
      const pairAt = (key as Node | null)?.range?.[0] ?? at
      const name = isScalar(key) && !key.tag ? (key.source ?? String(key.value)) : undefined
      if (!name || name === '__proto__') {
        complaints.push(complaint(pairAt, 'a key must be plain text'))
        continue
      }
      const child = spotOf(value as Node | null, pairAt, depth + 1, pairAt)
      if (children.has(name))
        complaints.push(complaint(pairAt, 'this key stands here twice', 'keep one'))
      else children.set(name, child)
    }
    const value = Object.fromEntries(Array.from(children, ([name, child]) => [name, child.value]))
    return { value, typed: undefined, at, keyAt, children }
  }
}

const tagged = (at: number) =>
  complaint(
    at,
    'a type written with ! is not wanted here',
    'put a value that begins with ! in quotes',
  )
