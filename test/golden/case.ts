import type { Item } from './bytes.ts'
import { fileBytes } from './evidence.ts'
import { usual } from './people.ts'
import type { Trust } from './trust.ts'

/** A file, what is asked of it, and what every verifier must answer: by hand from FORMAT.md. */
export type Case = readonly [
  name: string,
  /** A sentence that a nurse or an auditor understands. */
  title: string,
  /** Arrays to be encoded, or bytes where it is not even that. */
  file: Item | Uint8Array,
  answer: Answer,
  question?: Question,
]

/** P, F or N for each of the sixteen lines, and the verdict. */
export type Answer = `${string} ${Verdict}`

export type Verdict =
  | 'invalid'
  | 'incomplete'
  | 'undetermined'
  | 'complete-with-declared-gaps'
  | 'complete'

/** Asked with the usual trust, unless another is named (null: none). */
export type Question = {
  readonly trust?: Trust | null
  readonly expect?: readonly string[]
  readonly maxLagMs?: number
}

/** What a file may pass without a beacon and without an erasure. */
export const fine = 'PPPPPPPPPPPPPNNP complete'
export const withGaps = 'PPPPPPPPPPPPPNNP complete-with-declared-gaps'
export const incomplete = 'PPPPPPPPPPPPPNNF incomplete'
export const undetermined = 'PPPPPPPPPPPPPNNN undetermined'

/** A line from 1 to 7 fails: nothing after it is judged. */
export const failsAt = (line: 1 | 2 | 3 | 4 | 5 | 6 | 7): Answer =>
  `${'P'.repeat(line - 1)}F${'N'.repeat(16 - line)} invalid`

/** A case whose answer is the same as its neighbours'. */
export type Forged = readonly [name: string, title: string, file: Item | Uint8Array]

export const all = (answer: Answer, forged: readonly Forged[]): readonly Case[] =>
  forged.map(([name, title, file]): Case => [name, title, file, answer])

export const bytesOf = ([, , file]: Case): Uint8Array =>
  file instanceof Uint8Array ? file : fileBytes(file)

/** A case as the manifest tells it, but for its files. */
export const manifestOf = ([name, title, , answer, question = {}]: Case) => {
  const [lines = '', verdict] = answer.split(' ')
  if (!/^[PFN]{16}$/.test(lines)) throw new TypeError(`${name}: sixteen letters`)
  const { trust = usual, expect = [], maxLagMs = null } = question
  return { name, title, trust, expect, maxLagMs, verdict, lines }
}
