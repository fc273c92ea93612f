// A gateway and its streams (sections 4 and 5): descriptors, leaves, roots.
import { encode, type Item, join, u32, utf8 } from './bytes.ts'
import { seeded, sm3 } from './hash.ts'
import { type Key, sign } from './keys.ts'
import type { Draft, Fields } from './records.ts'
import { treeRoot } from './tree.ts'

export type Gateway = {
  readonly key: Key
  /** The id of its first key, whatever key signs now. */
  readonly id: Uint8Array
  readonly incarnation: number
  readonly hash: 1 | 2
}

export type Opening = {
  readonly number: number
  readonly salt: Uint8Array
  readonly field: Uint8Array
}

export type Leaf = {
  readonly salt: Uint8Array
  readonly record: Uint8Array
  readonly commit: Uint8Array
  readonly hash: Uint8Array
  /** The committed fields of a private reading, else null. */
  readonly openings: readonly Opening[] | null
}

export type Stream = {
  readonly number: number
  readonly tag: Uint8Array
  readonly descriptor: Uint8Array
  readonly leaves: readonly Leaf[]
}

export type Description = {
  readonly number: number
  readonly source: string
  readonly kinds?: readonly string[] | null
  readonly erasable?: boolean
  readonly promise?: Item
  readonly predecessor?: Uint8Array | null
}

export const gateway = (key: Key, incarnation = 0, hash: 1 | 2 = 1): Gateway => ({
  key,
  id: key.id,
  incarnation,
  hash,
})

/** Salts follow from source and index: a rewritten stream differs only in what it says. */
export const stream = (of: Gateway, about: Description, drafts: readonly Draft[]): Stream => {
  const descriptor = encode([
    of.id,
    of.incarnation,
    about.number,
    about.source,
    about.kinds === undefined ? ['temperature'] : about.kinds,
    about.erasable ?? false,
    about.promise ?? null,
    about.predecessor ?? null,
  ])
  const leaves = drafts.map((draft, index) => leaf(`${about.source}/${index}`, draft))
  return { number: about.number, tag: streamTag(descriptor), descriptor, leaves }
}

export const control = (of: Gateway, drafts: readonly Draft[]): Stream =>
  stream(of, { number: 0, source: 'control', kinds: [] }, drafts)

export const streamTag = (descriptor: Uint8Array): Uint8Array =>
  sm3(utf8('kedge/stream/v1\0'), descriptor)

export const rootAt = (of: Stream, size: number): Uint8Array =>
  treeRoot(of.leaves.slice(0, size).map(({ hash }) => hash))

export const leaf = (name: string, draft: Draft): Leaf => {
  const salt = seeded('salt', name).subarray(0, 16)
  const openings = 'fields' in draft ? openingsOf(name, draft.fields) : null
  const record = encode(openings ? [2, commitments(name, openings)] : (draft as Item))
  const commit = sm3(utf8('kedge/leaf/v1\0'), salt, u32(record.length), record)
  // the second byte of a record is its code, up to 23
  const prefix = record[1] === 1 || record[1] === 2 ? 0 : 2
  return { salt, record, commit, hash: sm3(Uint8Array.of(prefix), commit), openings }
}

export const fieldCommitment = ({ salt, field }: Omit<Opening, 'number'>): Uint8Array =>
  sm3(utf8('kedge/field/v1\0'), salt, u32(field.length), field)

const openingsOf = (name: string, fields: Fields): readonly Opening[] =>
  Object.entries(fields).map(([number, content]) => ({
    number: Number(number),
    salt: seeded('salt', name, number).subarray(0, 16),
    field: encode([Number(number), content]),
  }))

const commitments = (name: string, openings: readonly Opening[]): Uint8Array =>
  join(
    ...Array.from({ length: 12 }, (_, number) => {
      const opening = openings.find((one) => one.number === number)
      return opening ? fieldCommitment(opening) : seeded('filler', name, number)
    }),
  )

/** A damage record: leaves [a, b) are gone from under the root at `size`. */
export const damaged = (time: Item, of: Stream, a: number, b: number, size: number): Draft => [
  21,
  time,
  of.tag,
  a,
  b,
  size,
  rootAt(of, size),
]

export const eraseMessage = (of: Gateway, tag: Uint8Array, order: Uint8Array): Uint8Array =>
  sm3(utf8('kedge/erase/v1\0'), of.id, u32(of.incarnation), tag, order)

/** An erase record, ordered and signed by a controller. */
export const erased = (time: Item, of: Gateway, tag: Uint8Array, controller: Key): Draft => {
  const order = seeded('order', of.incarnation)
  const signature = sign(controller, eraseMessage(of, tag, order))
  return [22, time, tag, order, controller.publicKey, signature]
}
