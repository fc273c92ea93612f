// Bytes, and the CBOR profile of FORMAT.md section 1 (written only).

/** What the profile can say; `Raw` is for files that say what it cannot. */
export type Item = number | string | boolean | null | Uint8Array | Raw | readonly Item[]
export type Raw = { readonly raw: Uint8Array }

export const encode = (item: Item): Uint8Array => {
  if (item === false) return Uint8Array.of(0xf4)
  if (item === true) return Uint8Array.of(0xf5)
  if (item === null) return Uint8Array.of(0xf6)
  if (typeof item === 'number') return item < 0 ? head(1, -1 - item) : head(0, item)
  if (typeof item === 'string') return join(head(3, utf8(item).length), utf8(item))
  if (item instanceof Uint8Array) return join(head(2, item.length), item)
  if (isRaw(item)) return item.raw
  return join(head(4, item.length), ...item.map(encode))
}

export const raw = (hexText: string): Raw => ({ raw: fromHex(hexText) })

const isRaw = (item: Raw | readonly Item[]): item is Raw => 'raw' in item

const head = (major: number, n: number): Uint8Array => {
  const first = major << 5
  if (n < 24) return Uint8Array.of(first | n)
  if (n < 2 ** 8) return Uint8Array.of(first | 24, n)
  if (n < 2 ** 16) return join(Uint8Array.of(first | 25), bigEndian(n, 2))
  if (n < 2 ** 32) return join(Uint8Array.of(first | 26), bigEndian(n, 4))
  return join(Uint8Array.of(first | 27), bigEndian(n, 8))
}

export const join = (...parts: readonly Uint8Array[]): Uint8Array =>
  new Uint8Array(Buffer.concat(parts))

export const bigEndian = (n: number | bigint, length: number): Uint8Array =>
  fromHex(n.toString(16).padStart(2 * length, '0'))

export const u32 = (n: number): Uint8Array => bigEndian(n, 4)
export const u64 = (n: number): Uint8Array => bigEndian(n, 8)

/** Text as the bytes that are hashed and carried. */
export const utf8 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'utf8'))

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
export const fromHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))

export const compare = (a: Uint8Array, b: Uint8Array): number => Buffer.compare(a, b)
