/** Random choices that the same seed makes again. */
export interface Random {
  below(limit: number): number
  bytes(length: number): Uint8Array
  oneOf<T>(list: readonly T[]): T
}

export function randomFrom(seed: number): Random {
  // xorshift128: small, and long enough in its period for any run.
  const state = Uint32Array.of(seed, 0x9e3779b9, 0x243f6a88, 0xb7e15162)
  const next = (): number => {
    const [x = 0, y = 0, z = 0, w = 0] = state
    const mixed = x ^ (x << 11)
    state.set([y, z, w, w ^ (w >>> 19) ^ mixed ^ (mixed >>> 8)])
    return state[3] as number
  }
  for (let i = 0; i < 16; i++) next()
  const below = (limit: number) => Math.floor((next() / 2 ** 32) * limit)
  return {
    below,
    bytes: (length) => Uint8Array.from({ length }, () => below(256)),
    oneOf: (list) => list[below(list.length)] as (typeof list)[number],
  }
}
