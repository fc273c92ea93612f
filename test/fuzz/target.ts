import type { Random } from './random.ts'

/** Something that reads what strangers send, and a way to try it. */
export interface Target {
  readonly summary: string
  /** Throws where the thing that is tried does not keep its word. */
  run(random: Random, isTimeUp: () => boolean): Promise<Outcome>
}

export interface Outcome {
  readonly tried: number
  /** The inputs that cost the most, the worst first. */
  readonly worst: readonly Readonly<Record<string, unknown>>[]
}
