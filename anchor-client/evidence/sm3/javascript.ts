import { initialState, roundConstants } from './constants.ts'

/**
 * SM3 (GB/T 32905-2016) in plain JavaScript, for engines without WebAssembly or a page whose policy forbids
 * it. Written here because the packages at hand take seven times as long.
 */
export function sm3InJavaScript(parts: readonly Uint8Array[]): Uint8Array {
  state.set(initialState)
  let filled = 0
  let length = 0
  for (const part of parts) {
    length += part.length
    let at = 0
    while (at < part.length) {
      const take = Math.min(64 - filled, part.length - at)
      for (let i = 0; i < take; i++) block[filled + i] = part[at + i] as number
      filled += take
      at += take
      if (filled === 64) {
        compress()
        filled = 0
      }
    }
  }
  return digestAfter(filled, length)
}

/** Takes in whole blocks, for a stream that keeps its own state. */
export function absorbInJavaScript(into: Int32Array, blocks: Uint8Array): void {
  state.set(into)
  for (let at = 0; at < blocks.length; at += 64) {
    block.set(blocks.subarray(at, at + 64))
    compress()
  }
  into.set(state)
}

export function finishInJavaScript(from: Int32Array, rest: Uint8Array, length: number): Uint8Array {
  state.set(from)
  block.set(rest)
  return digestAfter(rest.length, length)
}

function digestAfter(filled: number, length: number): Uint8Array {
  pad(filled, length)
  const digest = new Uint8Array(32)
  for (let i = 0; i < 8; i++) writeWord(digest, 4 * i, state[i] as number)
  return digest
}

// Nothing below is re-entered: a hash is computed without yielding, so one working set serves all.
const state = new Int32Array(8)
const block = new Uint8Array(64)
const words = new Int32Array(68)
function writeWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word >>> 24
  bytes[at + 1] = word >>> 16
  bytes[at + 2] = word >>> 8
  bytes[at + 3] = word
}

function pad(filled: number, length: number): void {
  block.fill(0, filled)
  block[filled] = 0x80
  if (filled >= 56) {
    compress()
    block.fill(0)
  }
  writeWord(block, 56, Math.floor(length / 0x20000000))
  writeWord(block, 60, length << 3)
  compress()
}

function compress(): void {
  const w = words
  for (let i = 0, at = 0; i < 16; i++, at += 4) {
    w[i] =
      ((block[at] as number) << 24) |
      ((block[at + 1] as number) << 16) |
      ((block[at + 2] as number) << 8) |
      (block[at + 3] as number)
  }
  for (let i = 16; i < 68; i++) {
    const w3 = w[i - 3] as number
    const x = (w[i - 16] as number) ^ (w[i - 9] as number) ^ ((w3 << 15) | (w3 >>> 17))
    const w13 = w[i - 13] as number
    w[i] =
      x ^
      ((x << 15) | (x >>> 17)) ^
      ((x << 23) | (x >>> 9)) ^
      ((w13 << 7) | (w13 >>> 25)) ^
      (w[i - 6] as number)
  }
  let a = state[0] as number
  let b = state[1] as number
  let c = state[2] as number
  let d = state[3] as number
  let e = state[4] as number
  let f = state[5] as number
  let g = state[6] as number
  let h = state[7] as number
  // Two loops, since the first sixteen rounds mix in another way: a branch in each round costs a fifth.
  for (let j = 0; j < 16; j++) {
    const a12 = (a << 12) | (a >>> 20)
    const sum = (a12 + e + (roundConstants[j] as number)) | 0
    const ss1 = (sum << 7) | (sum >>> 25)
    const wj = w[j] as number
    const tt1 = ((a ^ b ^ c) + d + (ss1 ^ a12) + (wj ^ (w[j + 4] as number))) | 0
    const tt2 = ((e ^ f ^ g) + h + ss1 + wj) | 0
    d = c
    c = (b << 9) | (b >>> 23)
    b = a
    a = tt1
    h = g
    g = (f << 19) | (f >>> 13)
    f = e
    e = tt2 ^ ((tt2 << 9) | (tt2 >>> 23)) ^ ((tt2 << 17) | (tt2 >>> 15))
  }
  for (let j = 16; j < 64; j++) {
    const a12 = (a << 12) | (a >>> 20)
    const sum = (a12 + e + (roundConstants[j] as number)) | 0
    const ss1 = (sum << 7) | (sum >>> 25)
    const wj = w[j] as number
    const tt1 = (((a & b) | (a & c) | (b & c)) + d + (ss1 ^ a12) + (wj ^ (w[j + 4] as number))) | 0
    const tt2 = (((e & f) | (~e & g)) + h + ss1 + wj) | 0
    d = c
    c = (b << 9) | (b >>> 23)
    b = a
    a = tt1
    h = g
    g = (f << 19) | (f >>> 13)
    f = e
    e = tt2 ^ ((tt2 << 9) | (tt2 >>> 23)) ^ ((tt2 << 17) | (tt2 >>> 15))
  }
  state[0] = (state[0] as number) ^ a
  state[1] = (state[1] as number) ^ b
  state[2] = (state[2] as number) ^ c
  state[3] = (state[3] as number) ^ d
  state[4] = (state[4] as number) ^ e
  state[5] = (state[5] as number) ^ f
  state[6] = (state[6] as number) ^ g
  state[7] = (state[7] as number) ^ h
}
