import { sm3 } from './sm3.ts'

/** HMAC (RFC 2104) with SM3, over the concatenation of the parts. */
export function hmacSm3(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const block = new Uint8Array(blockLength)
  block.set(key.length > blockLength ? sm3(key) : key)
  const inner = sm3(
    block.map((byte) => byte ^ 0x36),
    ...parts,
  )
  const tag = sm3(
    block.map((byte) => byte ^ 0x5c),
    inner,
  )
  block.fill(0)
  return tag
}

/** Whether two tags are equal, in a time that does not say where they differ. */
export function sameTag(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] ?? 0)
  return difference === 0
}

const blockLength = 64
