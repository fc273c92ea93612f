import { type Case, fine, incomplete, withGaps } from '../case.ts'
import { a } from '../people.ts'
import { alive, at, celsius, day, gap, hour, minute, noted } from '../records.ts'
import { control } from '../streams.ts'
import { counters } from './counters.ts'
import { periods } from './periods.ts'
import { type Promised, read, rebooted } from './promised.ts'
import { probeOf, sealedOnce } from './worlds.ts'

const liveness = [3, 10 * minute]

const events: readonly Promised[] = [
  [
    'events-with-signs-of-life',
    'a reader with nothing to read says that it lives',
    liveness,
    [...read(0), alive(at(10 * minute)), alive(at(20 * minute)), ...read(21, 22)],
    fine,
  ],
  [
    'events-without-sign-of-life',
    'a reader silent for longer than it promised',
    liveness,
    [...read(0, 11)],
    incomplete,
  ],
  [
    'events-hidden-by-a-clock-that-stopped',
    'a sign of life without wall time does not cut the month that the wall clocks around it show',
    liveness,
    [
      ...read(0),
      alive(at(minute, { wall: null, clock: 0, bound: null })),
      celsius(420, at(30 * day, { mono: 3 * minute })),
    ],
    incomplete,
  ],
  [
    'events-gap-of-none',
    'a gap of none does not excuse a month without a sign of life',
    liveness,
    [...read(0), gap(at(30 * day), 'radio', 0), celsius(420, at(30 * day))],
    incomplete,
  ],
  [
    'events-gap',
    'a silence that was declared',
    liveness,
    [...read(0), gap(at(hour), 'power', 1), ...read(60)],
    withGaps,
  ],
  [
    'nothing-promised',
    'a stream that promises nothing keeps its promise',
    null,
    [...read(0, 500), celsius(410, rebooted(3))],
    fine,
  ],
  [
    'nothing-promised-and-mono-runs-back',
    "even where nothing is promised the gateway's own clock does not run back",
    null,
    [...read(3), celsius(410, at(2 * minute, { wall: null, clock: 0, bound: null }))],
    incomplete,
  ],
]

export const promises: readonly Case[] = [
  ...[...counters, ...periods, ...events].map(
    ([name, title, promise, leaves, answer]): Case => [
      name,
      title,
      sealedOnce([probeOf(leaves, { promise })]),
      answer,
    ],
  ),
  [
    'control-stream-without-promise',
    'the control stream promises nothing and may be silent for days',
    sealedOnce([
      control(a, [
        noted(at(0), 'first', new Uint8Array()),
        noted(at(9 * day), 'second', Uint8Array.of(1)),
      ]),
    ]),
    fine,
  ],
]
