import { substitute } from './sm4/substitute.ts'

/**
 * SM4 (GB/T 32907-2016) in counter mode: the same call encrypts and decrypts. Key and first counter are 16
 * bytes each; a counter must never serve one key twice.
 */
export function sm4Ctr(key: Uint8Array, counter: Uint8Array, bytes: Uint8Array): Uint8Array {
  const roundKeys = sm4RoundKeys(key)
  const next = blockOf(counter)
  const result = Uint8Array.from(bytes)
  const blocks = new Uint8Array(16 * lanes)
  for (let at = 0; at < bytes.length; at += blocks.length) {
    for (let lane = 0; lane < lanes; lane++) {
      blocks.set(next, 16 * lane)
      increment(next)
    }
    encryptLanes(roundKeys, blocks)
    const end = Math.min(blocks.length, bytes.length - at)
    for (let i = 0; i < end; i++)
      result[at + i] = (result[at + i] as number) ^ (blocks[i] as number)
  }
  roundKeys.fill(0)
  blocks.fill(0)
  return result
}

/** One block under round keys. Alone it hides nothing of two that are equal: it is for modes and for tests. */
export function sm4Block(roundKeys: Int32Array, block: Uint8Array): Uint8Array {
  const blocks = new Uint8Array(16 * lanes)
  blocks.set(blockOf(block))
  encryptLanes(roundKeys, blocks)
  return blocks.slice(0, 16)
}

export function sm4RoundKeys(key: Uint8Array): Int32Array {
  const whole = blockOf(key)
  const k = familyKey.map((constant, i) => constant ^ readWord(whole, 4 * i))
  const roundKeys = new Int32Array(32)
  for (let i = 0; i < 32; i++) {
    const [k0, k1, k2, k3] = k as [number, number, number, number]
    mixed.fill(0)
    mixed[0] = k1 ^ k2 ^ k3 ^ roundConstant(i)
    substituteWords()
    const b = mixed[0] as number
    const next = k0 ^ b ^ rotated(b, 13) ^ rotated(b, 23)
    roundKeys[i] = next
    k.shift()
    k.push(next)
  }
  return roundKeys
}

/** So many blocks are encrypted at once: their words fill the planes of the S-box. */
const lanes = 8

// Nothing below is re-entered: blocks are encrypted without yielding, so one working set serves all.
const mixed = new Int32Array(lanes)
/** Word w of block i at 8 w + i. */
const state = new Int32Array(4 * lanes)

function encryptLanes(roundKeys: Int32Array, blocks: Uint8Array): void {
  for (let i = 0; i < state.length; i++) state[wordAt(i)] = readWord(blocks, 4 * i)
  for (let round = 0; round < 32; round++) {
    const to = lanes * (round & 3)
    const a = lanes * ((round + 1) & 3)
    const b = lanes * ((round + 2) & 3)
    const c = lanes * ((round + 3) & 3)
    const key = roundKeys[round] as number
    for (let i = 0; i < lanes; i++) {
      mixed[i] =
        (state[a + i] as number) ^ (state[b + i] as number) ^ (state[c + i] as number) ^ key
    }
    substituteWords()
    for (let i = 0; i < lanes; i++) {
      const s = mixed[i] as number
      const spread = s ^ rotated(s, 2) ^ rotated(s, 10) ^ rotated(s, 18) ^ rotated(s, 24)
      state[to + i] = (state[to + i] as number) ^ spread
    }
  }
  // The words come out in reverse.
  for (let i = 0; i < state.length; i++) {
    writeWord(blocks, 4 * (i ^ 3), state[wordAt(i)] as number)
  }
  state.fill(0)
  mixed.fill(0)
}

/** Where word `i` of all the blocks, one after the other, stands in the state. */
const wordAt = (i: number): number => lanes * (i & 3) + (i >> 2)

/** Words to planes, the S-box, and back: eight words are four squares of eight by eight bits. */
function substituteWords(): void {
  transpose()
  substitute(mixed)
  transpose()
}

function transpose(): void {
  swapBits(1, 0x55555555)
  swapBits(2, 0x33333333)
  swapBits(4, 0x0f0f0f0f)
}

/** Exchanges what `mask` hides of each word with what it shows of the one `distance` further on. */
function swapBits(distance: number, mask: number): void {
  for (let pair = 0; pair < lanes / 2; pair++) {
    const i = 2 * (pair & -distance) + (pair & (distance - 1))
    const a = mixed[i] as number
    const b = mixed[i + distance] as number
    const difference = ((a >>> distance) ^ b) & mask
    mixed[i] = a ^ (difference << distance)
    mixed[i + distance] = b ^ difference
  }
}

function readWord(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16)
  return high | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)
}

function writeWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word >>> 24
  bytes[at + 1] = word >>> 16
  bytes[at + 2] = word >>> 8
  bytes[at + 3] = word
}

const rotated = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits))

/** FK of the standard. */
const familyKey = [0xa3b1bac6, 0x56aa3350, 0x677d9197, 0xb27022dc] as const

/** CK of the standard: its bytes count in steps of seven. */
function roundConstant(round: number): number {
  let word = 0
  for (let i = 0; i < 4; i++) word = (word << 8) | ((7 * (4 * round + i)) & 0xff)
  return word
}

function blockOf(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== 16) throw new TypeError('a key, a counter or a block of other than 16 bytes')
  return Uint8Array.from(bytes)
}

function increment(counter: Uint8Array): void {
  for (let i = 15; i >= 0; i--) {
    counter[i] = (counter[i] as number) + 1
    if (counter[i] !== 0) return
  }
}
