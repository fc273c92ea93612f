import { Buffer } from 'node:buffer'

/** What was changed, and the bytes of the file after it. */
interface Mutation {
  readonly what: string
  readonly bytes: Uint8Array
  /** Whether it takes out a whole part that a narrower file may do without. */
  readonly narrows: boolean
}

/**
 * Every element of every array of a file deleted, doubled and swapped with the next one; in byte strings
 * that hold CBOR or a list of hashes, too. Knows CBOR's outline only, so that it owes the codec nothing.
 */
export function* mutations(file: Uint8Array): Iterable<Mutation> {
  const start = Buffer.from(file.subarray(0, magicLength))
  const root = parseWhole(Buffer.from(file.subarray(magicLength)))
  if (root === undefined) throw new TypeError('not a file')
  yield* mutationsAt(root, '', (changed) => Buffer.concat([start, write(changed)]))
}

const magicLength = 6

/** An array, a byte string that may be taken apart, or the bytes of anything else. */
type Node =
  | { readonly form: 'array' | 'cbor' | 'hashes'; readonly elements: readonly Node[] }
  | { readonly form: 'other'; readonly bytes: Buffer }

/** Seals, segments, checkpoints, anchors; and the openings of a private reading. */
const optionalParts = /^\/2(\/\d+\/(1|3(\/\d+\/6)?))?$|^\/1\/\d+\/3\/\d+\/2$/

function* mutationsAt(
  node: Node,
  path: string,
  wrap: (changed: Node) => Buffer,
): Iterable<Mutation> {
  if (node.form === 'other') return
  const { elements } = node
  const changed = (what: string, now: readonly Node[], narrows = false): Mutation => ({
    what: `${path || '/'} ${what}`,
    bytes: wrap({ ...node, elements: now }),
    narrows,
  })
  for (const [i, element] of elements.entries()) {
    const before = elements.slice(0, i)
    const after = elements.slice(i + 1)
    if (node.form !== 'cbor') {
      yield changed(`without ${i}`, [...before, ...after], optionalParts.test(path))
      yield changed(`with ${i} twice`, [...before, element, element, ...after])
      const [next, ...rest] = after
      if (next !== undefined && !write(next).equals(write(element))) {
        yield changed(`with ${i} and ${i + 1} swapped`, [...before, next, element, ...rest])
      }
    }
    yield* mutationsAt(element, `${path}/${i}`, (inner) =>
      wrap({ ...node, elements: [...before, inner, ...after] }),
    )
  }
}

function parseWhole(bytes: Buffer): Node | undefined {
  try {
    const { node, end } = parse(bytes, 0)
    return end === bytes.length ? node : undefined
  } catch {
    return undefined
  }
}

function parse(bytes: Buffer, at: number): { node: Node; end: number } {
  const { major, argument, next } = head(bytes, at)
  if (major === 4) {
    const elements: Node[] = []
    let end = next
    for (let left = argument; left > 0; left--) {
      const element = parse(bytes, end)
      elements.push(element.node)
      end = element.end
    }
    return { node: { form: 'array', elements }, end }
  }
  const end = major === 2 || major === 3 ? next + argument : next
  if (end > bytes.length) throw new RangeError('cut off')
  const whole: Node = { form: 'other', bytes: bytes.subarray(at, end) }
  return { node: major === 2 ? takenApart(bytes.subarray(next, end), whole) : whole, end }
}

function takenApart(content: Buffer, whole: Node): Node {
  const inner = content[0] !== undefined && content[0] >> 5 === 4 ? parseWhole(content) : undefined
  if (inner !== undefined) return { form: 'cbor', elements: [inner] }
  if (content.length === 0 || content.length % 32 !== 0) return whole
  const hashes = Array.from({ length: content.length / 32 }, (_, i): Node => {
    return { form: 'other', bytes: content.subarray(32 * i, 32 * i + 32) }
  })
  return { form: 'hashes', elements: hashes }
}

function head(bytes: Buffer, at: number) {
  const initial = bytes.readUInt8(at)
  const major = initial >> 5
  const short = initial & 31
  if (short < 24 || major === 7) return { major, argument: short, next: at + 1 }
  const width = 2 ** (short - 24)
  const argument =
    width === 8 ? Number(bytes.readBigUInt64BE(at + 1)) : bytes.readUIntBE(at + 1, width)
  return { major, argument, next: at + 1 + width }
}

function write(node: Node): Buffer {
  if (node.form === 'other') return node.bytes
  const content = Buffer.concat(node.elements.map(write))
  if (node.form === 'array') return Buffer.concat([writeHead(4, node.elements.length), content])
  return Buffer.concat([writeHead(2, content.length), content])
}

function writeHead(major: number, argument: number): Buffer {
  const type = major << 5
  if (argument < 24) return Buffer.of(type | argument)
  if (argument < 0x100) return Buffer.of(type | 24, argument)
  if (argument < 0x10000) return Buffer.of(type | 25, argument >> 8, argument & 255)
  const wide = Buffer.alloc(5, type | 26)
  wide.writeUInt32BE(argument, 1)
  return wide
}
