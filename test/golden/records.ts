// What a leaf says (section 5). A draft becomes a leaf when a stream gives it its salt.
import type { Item, Raw } from './bytes.ts'
import type { Key } from './keys.ts'

/** `Raw` is a record that is not even encoded as it must be. */
export type Draft = readonly Item[] | { readonly fields: Fields } | Raw
/** Contents by field number of a private reading; what is missing is 32 random bytes. */
export type Fields = Readonly<Record<number, Item>>
export type Member = readonly [tag: Uint8Array, index: number]

/** 2026-03-01T00:00:00Z; every time here counts its milliseconds from then. */
export const start = Date.UTC(2026, 2, 1)
export const second = 1_000
export const minute = 60_000
export const hour = 3_600_000
export const day = 86_400_000

type Clock = {
  readonly boot?: number
  readonly mono?: number
  readonly wall?: number | null
  readonly clock?: number
  readonly bound?: number | null
}

/** A time T: the gateway booted a minute before `start`, its clock is NTP's, good to 40 ms. */
export const at = (ms: number, clock: Clock = {}): Item => [
  clock.boot ?? 1,
  clock.mono ?? minute + ms,
  clock.wall === undefined ? start + ms : clock.wall,
  clock.clock ?? 2,
  clock.bound === undefined ? 40 : clock.bound,
]

type More = {
  readonly unit?: string
  readonly quality?: string
  readonly raw?: Item
  readonly counter?: number
  readonly source?: string
  readonly details?: Item
}

export const reading = (kind: string, value: Item, time: Item, more: More = {}): Draft => [
  1,
  kind,
  value,
  more.unit ?? null,
  more.quality ?? null,
  more.raw ?? null,
  more.counter ?? null,
  time,
  more.source ?? null,
  more.details ?? null,
]

/** A temperature in hundredths of a degree. */
export const celsius = (hundredths: number, time: Item, more: More = {}): Draft =>
  reading('temperature', [hundredths, -2], time, { unit: 'Cel', ...more })

export const privately = (fields: Fields): Draft => ({ fields })

export const open = (time: Item, id: string, members: readonly Member[]): Draft => [
  3,
  time,
  id,
  byTag(members),
]
export const close = (time: Item, members: readonly Member[] | null = null): Draft => [
  4,
  time,
  members && byTag(members),
]
export const gap = (time: Item | null, cause: string, count: number | null): Draft => [
  5,
  time,
  cause,
  count,
]
export const lost = (cause: string): Draft => [6, cause]
export const alive = (time: Item | null): Draft => [7, time]
export const joins = (time: Item, tag: Uint8Array, from: number): Draft => [8, time, tag, from]

export const booted = (time: Item, program: string): Draft => [16, time, program]
export const configured = (time: Item, bytes: Uint8Array): Draft => [17, time, bytes]
export const opened = (time: Item, descriptor: Uint8Array): Draft => [18, time, descriptor]
export const clockSet = (time: Item): Draft => [19, time]
export const rotated = (time: Item, key: Key, seq: number): Draft => [20, time, key.publicKey, seq]
export const silent = (time: Item, ledger: Uint8Array): Draft => [23, time, ledger]
export const noted = (time: Item, name: string, bytes: Uint8Array): Draft => [24, time, name, bytes]

/** Readings 0 to count − 1, one each `everyMs`. */
export const series = (count: number, draft: (index: number) => Draft): readonly Draft[] =>
  Array.from({ length: count }, (_, index) => draft(index))

const byTag = (members: readonly Member[]): readonly Member[] =>
  [...members].sort(([a], [b]) => Buffer.compare(a, b))
