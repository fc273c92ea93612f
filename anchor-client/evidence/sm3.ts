import { openSm3, type Sm3OfParts } from './sm3/one-shot.ts'

/** SM3 (GB/T 32905-2016) over the concatenation of its arguments. */
export function sm3(...parts: readonly Uint8Array[]): Uint8Array {
  opened ??= openSm3()
  return opened(parts)
}

// Opened at the first use: who imports this and never hashes does not wait for the compiler.
let opened: Sm3OfParts | undefined
