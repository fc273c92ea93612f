/** Numbers from 0 to 1 that look like chance and are the same for the same seed. */
export function chanceFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    // Weyl sequence with two rounds of mixing.
    state = (state + 0x9e3779b9) >>> 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
  }
}

/** A value that wanders around `middle` and stays within `reach` of it. */
export function wandering(
  random: () => number,
  { middle, reach, step }: { middle: number; reach: number; step: number },
): () => number {
  let away = (random() - 0.5) * reach
  return () => {
    away += (random() * 2 - 1) * step - away * 0.02
    away = Math.max(-reach, Math.min(reach, away))
    return middle + away
  }
}
