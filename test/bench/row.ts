/** One number beside a peer's or a limit, in the same run. */
export interface Row {
  readonly topic: string
  readonly what: string
  readonly ours: number
  readonly unit: string
  readonly peer: number
  readonly peerName: string
  readonly better: 'higher' | 'lower'
  readonly runs: number
  /** Largest and smallest of our runs, as a share of the median. */
  readonly spread: number
}

export interface Measured {
  readonly median: number
  readonly spread: number
  readonly runs: number
}

/** Milliseconds of several runs in turn, ours and the peer's, after one of each that does not count. */
export function inTurn(
  runs: number,
  ours: () => void,
  peer: () => void,
): { ours: Measured; peer: Measured } {
  ours()
  peer()
  const times = { ours: [] as number[], peer: [] as number[] }
  for (let i = 0; i < runs; i++) {
    times.ours.push(milliseconds(ours))
    times.peer.push(milliseconds(peer))
  }
  return { ours: measured(times.ours), peer: measured(times.peer) }
}

export function measured(values: readonly number[]): Measured {
  const sorted = [...values].sort((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)] as number
  const range = (sorted.at(-1) as number) - (sorted[0] as number)
  return { median, spread: median === 0 ? 0 : range / median, runs: values.length }
}

export function milliseconds(work: () => void): number {
  const start = performance.now()
  work()
  return performance.now() - start
}

/** A size or a count that is the same in every run, beside the most that it may be. */
export const atMost = (
  topic: string,
  what: string,
  ours: number,
  unit: string,
  limit: number,
): Row => ({
  topic,
  what,
  ours,
  unit,
  peer: limit,
  peerName: 'limit',
  better: 'lower',
  runs: 1,
  spread: 0,
})

/** In the sense "ours is this many times as good". */
export const ratioOf = ({ ours, peer, better }: Row): number =>
  better === 'higher' ? ours / peer : peer / ours
