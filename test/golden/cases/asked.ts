// How people ask.
import type { Item } from '../bytes.ts'
import type { Answer, Case } from '../case.ts'
import { at, celsius, type Draft, minute, start } from '../records.ts'
import { probe, sealedOnce } from './worlds.ts'

export type Asked = readonly [string, string, Item, readonly string[], Answer]

export const questioned = (asked: readonly Asked[]): readonly Case[] =>
  asked.map(([name, title, tree, expect, answer]): Case => [name, title, tree, answer, { expect }])

/** A time as a person asks for it. */
const time = (ms: number): string => new Date(start + ms).toISOString().replace('.000', '')
export const asked = (from: number, to: number, source = 'probe-1'): string =>
  `${source},${time(from)},${time(to)}`

export const neighbours = sealedOnce([probe(1, 40)], [{ from: 9, to: 22 }])
export const whole = sealedOnce([probe(1, 40)])

export const unbounded = (i: number): Draft => celsius(400, at(i * minute, { bound: null }))
