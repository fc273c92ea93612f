import type { Item } from '../bytes.ts'
import type { Answer } from '../case.ts'
import { at, type Draft, minute, second } from '../records.ts'
import { minutes } from './worlds.ts'

/** A stream of one promise with these leaves. */
export type Promised = readonly [
  name: string,
  title: string,
  promise: Item,
  leaves: readonly Draft[],
  answer: Answer,
]

/** Readings at these minutes. */
export const read = (...at: readonly number[]): readonly Draft[] => at.flatMap((i) => minutes(1, i))

export const rebooted = (i: number, wall?: null) =>
  at(i * minute, {
    boot: 2,
    mono: second,
    ...(wall === null ? { wall, clock: 0, bound: null } : {}),
  })
