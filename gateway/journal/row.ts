/** A row of the journal as it lies in LevelDB: its kind, what it says, and a check that binds both to its number. */
import { crc32 } from 'node:zlib'

/** `gone` stands for a frame that is not there any more: the head alone, for whoever opens the journal next. */
export const rowKinds = { frame: 1, seal: 2, signature: 3, gone: 4 } as const
export type RowKind = keyof typeof rowKinds

export interface Row {
  readonly number: number
  readonly kind: RowKind
  readonly body: Uint8Array
}

/** A row that should be there: its bytes as far as they are, for whoever salvages. */
export interface DamagedRow {
  readonly number: number
  readonly kind: 'damaged'
  readonly body: Uint8Array
}

export const missing = (number: number): DamagedRow => ({
  number,
  kind: 'damaged',
  body: new Uint8Array(),
})

export function keyOf(number: number): Uint8Array {
  const key = new Uint8Array(8)
  const view = new DataView(key.buffer)
  view.setUint32(0, Math.floor(number / 2 ** 32))
  view.setUint32(4, number % 2 ** 32)
  return key
}

/** Far beyond any row where the key is none of ours. */
export function numberOf(key: Uint8Array): number {
  if (key.length !== 8) return Number.MAX_SAFE_INTEGER
  const view = new DataView(key.buffer, key.byteOffset)
  return Math.min(view.getUint32(0) * 2 ** 32 + view.getUint32(4), Number.MAX_SAFE_INTEGER)
}

export function encodeRow({ number, kind, body }: Row): Uint8Array {
  const value = new Uint8Array(body.length + 5)
  value[0] = rowKinds[kind]
  value.set(body, 1)
  new DataView(value.buffer).setUint32(body.length + 1, checkOf(number, value.subarray(0, -4)))
  return value
}

/** The number is part of what is checked: no row can stand in another's place. */
const checkOf = (number: number, bytes: Uint8Array): number => crc32(bytes, crc32(keyOf(number)))

export function decodeRow(number: number, value: Uint8Array | undefined): Row | DamagedRow {
  if (value === undefined || value.length < 5) return missing(number)
  const body = value.subarray(1, -4)
  const kind = kindOf(value[0] as number)
  const check = new DataView(value.buffer, value.byteOffset).getUint32(value.length - 4)
  const isWhole = kind !== undefined && check === checkOf(number, value.subarray(0, -4))
  return isWhole ? { number, kind, body } : { number, kind: 'damaged', body }
}

export const kindOf = (code: number | undefined): RowKind | undefined =>
  (Object.keys(rowKinds) as RowKind[]).find((kind) => rowKinds[kind] === code)
