import { openBlocks, type Sm3Blocks } from './sm3/blocks.ts'
import { initialState } from './sm3/constants.ts'

/** SM3 of a message that comes in pieces and is never held whole. */
export interface Sm3Stream {
  update(bytes: Uint8Array): void
  /** Of all that has come so far: more may follow. */
  digest(): Uint8Array
}

export function sm3Stream(blocks: Sm3Blocks = fastest()): Sm3Stream {
  const state = Int32Array.from(initialState)
  const rest = new Uint8Array(64)
  let length = 0

  return {
    update(bytes) {
      const waiting = length % 64
      const taken = waiting === 0 ? 0 : Math.min(64 - waiting, bytes.length)
      rest.set(bytes.subarray(0, taken), waiting)
      length += bytes.length
      if (waiting > 0 && waiting + taken < 64) return
      if (waiting > 0) blocks.absorb(state, rest)
      const whole = bytes.length - ((bytes.length - taken) % 64)
      blocks.absorb(state, bytes.subarray(taken, whole))
      rest.set(bytes.subarray(whole))
    },
    digest: () => blocks.finish(state, rest.subarray(0, length % 64), length),
  }
}

function fastest(): Sm3Blocks {
  opened ??= openBlocks()
  return opened
}
let opened: Sm3Blocks | undefined
