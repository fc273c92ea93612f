// Ten readings under one header, and what witnesses gave for it.
import type { Item } from '../bytes.ts'
import { type CheckpointCut, cut } from '../evidence.ts'
import { checkpoint, type History, history } from '../history.ts'
import { key } from '../keys.ts'
import { a, b, ledgers, w1 } from '../people.ts'
import { minute, second } from '../records.ts'
import type { Gateway, Stream } from '../streams.ts'
import { type LedgerTrust, type Trust, trust } from '../trust.ts'
import { keep, type Witness } from '../witness.ts'
import { probe } from './worlds.ts'

export const ten = probe(1, 10)
/** The wall of header 1, and the time of its anchor. */
export const sealedAt = 9 * minute + second
export const takenAt = sealedAt + 3 * second

/** Two batches, then signs of life. */
export const grow = (
  of: Stream = ten,
  walls: readonly (number | null)[] = [4 * minute + second, sealedAt],
  gateway: Gateway = a,
): History =>
  history(gateway, [
    { at: walls[0] ?? null, grown: [[of, Math.ceil(of.leaves.length / 2)]] },
    { at: walls[1] ?? null, grown: [[of, of.leaves.length]] },
    { at: 20 * minute, grown: [] },
    { at: 30 * minute, grown: [] },
    { at: 40 * minute, grown: [] },
  ])
export const grown = grow()

/** What a witness gave for the checkpoint of a size: its entries count with the size. */
export const by = (
  witness: Witness,
  size = 2,
  at: number | null = takenAt,
  from: History = grown,
): Item => {
  const shown = [1, size].map((of) => [checkpoint(from, of), at] as const)
  const [, entry] = keep(witness, shown, size - 1)
  return entry?.anchor ?? null
}

/** The ten readings under header 1, with these anchors on the checkpoint of size 2. */
export const under = (anchors: readonly Item[], from: History = grown, of: Stream = ten): Item =>
  underAll([{ of: checkpoint(from, 2), anchors }], from, of)

export const underAll = (
  checkpoints: readonly CheckpointCut[],
  from: History = grown,
  of: Stream = ten,
): Item => cut(from, [{ of, from: 0, to: of.leaves.length }], [{ seq: 1, checkpoints }])

/** The hospital's witness when it takes anything. */
export const any: Witness = { ...w1, rules: 0 }
export const stranger: Witness = { key: key('stranger'), rules: 1 }

/** Both gateways and these ledgers. */
export const believing = (name: string, believed: readonly LedgerTrust[]): Trust =>
  trust(name, {
    gateways: [
      [a, [{ key: a.key }]],
      [b, [{ key: b.key }]],
    ],
    ledgers: believed,
  })

export const anyTrust = believing('w1-takes-anything', [
  ledgers.embedded,
  { ...ledgers.w1, rules: 'any' },
])

export const unanchored = 'PPPPPPPPPNNNNNNP undetermined'
export const embeddedOnly = 'PPPPPPPPPPPNNNNP complete'
