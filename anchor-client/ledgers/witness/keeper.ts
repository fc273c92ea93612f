import type { Admission, LedgerHost } from '../ledger.ts'
import { turns } from '../turns.ts'
import type { Answer } from './answers.ts'
import { openBook, type WitnessBook } from './book.ts'
import type { SignedEntry } from './entries.ts'
import { decodeRequest } from './requests.ts'
import { anchorCovering, findIncarnation, type Judgement, judge, judgeAdmission } from './rules.ts'

/** A witness's book with the rules before it: the same in the process and behind HTTPS. */
export interface WitnessKeeper extends AsyncDisposable {
  readonly book: WitnessBook
  /** Why the last entry could not be written; then nothing more is, before the book is opened again. */
  readonly trouble: string | null
  /** Judges the bytes of a request, and writes what they ask for. */
  submit(bytes: Uint8Array): Promise<Answer>
  /** What became of these bytes. Writes nothing. */
  look(bytes: Uint8Array): Promise<Answer>
  /** Asked by the registrar alone. */
  admit(admission: Admission): Promise<Answer>
}

export interface KeeperHooks {
  /** Why this gateway may not add an entry just now, or null. What needs no new entry is answered all the same. */
  mayAdd?(gateway: Uint8Array): string | null
  onEntry?(entry: SignedEntry): void
}

export async function openKeeper(
  folder: string,
  host: LedgerHost,
  { mayAdd = () => null, onEntry = () => undefined }: KeeperHooks = {},
): Promise<WitnessKeeper> {
  const book = await openBook(folder, host)
  const inTurn = turns()
  let trouble: string | null = null

  async function answerOf(judgement: Exclude<Judgement, { state: 'take' }>): Promise<Answer> {
    switch (judgement.state) {
      case 'taken':
        return { state: 'taken', entry: await book.read(judgement.number) }
      case 'covered':
        return { state: 'covered', entry: await book.read(judgement.by.number) }
      default:
        return judgement.state === 'conflict' ? { ...judgement, entry: null } : judgement
    }
  }

  /** A conflict is borne out by the anchor that is there. */
  async function withEntry(answer: Answer, request: { gateway: Uint8Array; incarnation: number }) {
    if (answer.state !== 'conflict' || answer.size === 0) return answer
    const of = findIncarnation(book.register, request)
    const anchor = of && anchorCovering(of, answer.size)
    return anchor ? { ...answer, entry: await book.read(anchor.number) } : answer
  }

  /** Judged and written in one turn: between the two nothing else may be taken. */
  const take = (judged: () => Judgement, hasLimit: boolean): Promise<Answer> =>
    inTurn(async () => {
      const judgement = judged()
      if (judgement.state !== 'take') return answerOf(judgement)
      const why = hasLimit ? mayAdd(judgement.body.gateway) : null
      if (why !== null) return { state: 'unknown', why }
      try {
        const entry = await book.read(await book.write(judgement.body))
        trouble = null
        onEntry(entry)
        return { state: 'taken', entry }
      } catch (error) {
        // Whether the entry is on the disk shows when the files are opened again.
        trouble = error instanceof Error ? error.message : String(error)
        return { state: 'unknown', why: trouble }
      }
    })

  return {
    book,
    get trouble() {
      return trouble
    },
    async submit(bytes) {
      const request = decodeRequest(bytes)
      if (request === undefined) return malformed
      return withEntry(await take(() => judge(book.register, request), true), request)
    },
    async look(bytes) {
      const request = decodeRequest(bytes)
      if (request === undefined) return malformed
      const judgement = judge(book.register, request)
      if (judgement.state === 'take') return { state: 'unknown', why: 'it was not taken so far' }
      return withEntry(await answerOf(judgement), request)
    },
    admit: (admission) => take(() => judgeAdmission(book.register, admission), false),
    async [Symbol.asyncDispose]() {
      await inTurn(async () => book[Symbol.asyncDispose]())
    },
  }
}

const malformed: Answer = {
  state: 'refused',
  reason: 'malformed',
  why: 'these bytes are no request to a witness',
}
