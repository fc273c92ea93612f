import { equalBytes } from '../../evidence/bytes.ts'
import { KedgeError } from '../../evidence/errors.ts'
import { extensionsOnly } from '../../evidence/proofs/witness.ts'
import { checkpointHead, checkpointMessage } from '../../evidence/seal.ts'
import { keyId, verifySm2 } from '../../evidence/sm2.ts'
import type { ForkReport, FoundHead, LedgerRequest } from '../ledger.ts'
import type { Answer } from './answers.ts'
import type { EntryBody, SignedEntry } from './entries.ts'
import { emptyHead } from './rules.ts'
import type { StateEntries } from './statements.ts'

/** Judges what a witness elsewhere says, before anything of it is believed. Each throws `LEDGER_LIES`. */

export const lies = (what: string): KedgeError =>
  new KedgeError('LEDGER_LIES', `the witness ${what}`, {
    hint: 'Nothing is lost: what waits stays here. Ask whoever runs the witness, and compare its key.',
  })

/** Remembers the entries that a witness has shown: no number may ever be another entry. */
export interface EntryMemory {
  /** Throws where the entry is not signed by this key, or contradicts what was shown before. */
  believe(entry: SignedEntry): void
}

const mostRemembered = 4096

export function openMemory(key: Uint8Array): EntryMemory {
  const seen = new Map<number, { readonly message: Uint8Array; readonly previous: Uint8Array }>()
  return {
    believe({ entry, message, signature }) {
      const { number, previous, rules } = entry
      const known = seen.get(number)
      if (known && equalBytes(known.message, message)) return
      if (!verifySm2(key, message, signature)) throw lies(`did not sign entry ${number}`)
      if (rules !== extensionsOnly) throw lies('follows other rules than it says')
      const [before, after] = [seen.get(number - 1), seen.get(number + 1)]
      const isBroken =
        known !== undefined ||
        (before && !equalBytes(before.message, previous)) ||
        (after && !equalBytes(after.previous, message))
      if (isBroken) throw lies(`has signed two histories (entry ${number})`)
      const oldest = seen.size < mostRemembered ? undefined : seen.keys().next().value
      if (oldest !== undefined) seen.delete(oldest)
      // Copies: what was read is a view of a whole answer.
      seen.set(number, { message, previous: Uint8Array.from(previous) })
    },
  }
}

interface Subject {
  readonly gateway: Uint8Array
  readonly incarnation: number
}

/** The entry's body, if it is of this kind and about this gateway. */
export function bodyAbout<Type extends EntryBody['type']>(
  { entry: { body, number } }: SignedEntry,
  type: Type,
  { gateway, incarnation }: Subject,
): Extract<EntryBody, { type: Type }> {
  if (body.type !== type) throw lies(`shows entry ${number}, a ${body.type}, as ${type}`)
  if (!equalBytes(body.gateway, gateway) || body.incarnation !== incarnation) {
    throw lies(`shows entry ${number}, which is about another gateway or incarnation`)
  }
  return body as Extract<EntryBody, { type: Type }>
}

/** Whether an answer follows from the entries that it brings. */
export function judgeAnswer(request: LedgerRequest, answer: Answer, memory: EntryMemory): void {
  switch (answer.state) {
    case 'taken':
      memory.believe(answer.entry)
      judgeTaken(request, answer.entry)
      break
    case 'covered': {
      memory.believe(answer.entry)
      const { size } = bodyAbout(answer.entry, 'anchor', request)
      if (request.type !== 'anchor' || size <= request.size) throw lies('covers what it does not')
      break
    }
    case 'conflict':
      judgeConflict(request, answer, memory)
      break
    case 'refused':
    case 'lapsed':
    case 'unknown':
      break
  }
}

function judgeTaken(request: LedgerRequest, entry: SignedEntry): void {
  const isAsked = () => {
    switch (request.type) {
      case 'anchor': {
        const { size, hashId, head } = bodyAbout(entry, 'anchor', request)
        const isSame = size === request.size && hashId === request.hashId
        return isSame && equalBytes(head, checkpointHead(request))
      }
      case 'rotation': {
        const { seq, newKey } = bodyAbout(entry, 'rotation', request)
        return seq === request.seq && equalBytes(newKey, request.newKey)
      }
      case 'fork':
        return isFork(bodyAbout(entry, 'fork', request))
    }
  }
  if (!isAsked()) throw lies(`took something else than it was asked (entry ${entry.entry.number})`)
}

function judgeConflict(
  request: LedgerRequest,
  { size, head, entry }: Extract<Answer, { state: 'conflict' }>,
  memory: EntryMemory,
): void {
  if (request.type !== 'anchor' || entry === null) throw lies('shows no anchor for a conflict')
  memory.believe(entry)
  const held = bodyAbout(entry, 'anchor', request)
  const ours = checkpointHead(
    size === request.size ? request : { ...request, size, root: request.oldRoot },
  )
  const isAbout = size === request.size || size === request.oldSize
  const isBorneOut = held.size === size && equalBytes(held.head, head)
  if (!isAbout || !isBorneOut || equalBytes(held.head, ours)) {
    throw lies('calls a conflict what is none')
  }
}

/** What follows from the entries of a state, each of which was believed before. */
export function headOfState(state: StateEntries, subject: Subject): FoundHead {
  const { admission, rotation, anchor, fork, closing } = state
  const isFirst = admission.entry.body.type === 'registration'
  const admitted = bodyAbout(admission, isFirst ? 'registration' : 'incarnation', subject)
  const { hashId } = admitted
  const anchored = anchor && bodyAbout(anchor, 'anchor', subject)
  if (anchored && anchored.hashId !== hashId) throw lies('shows an anchor of another hash')
  const size = anchored?.size ?? 0
  const head = anchored?.head ?? emptyHead({ ...subject, hashId })
  const rotated = rotation && bodyAbout(rotation, 'rotation', subject)
  if (fork && !isFork(bodyAbout(fork, 'fork', subject))) throw lies('shows a fork that is none')
  if (closing) judgeClosing(closing, subject, size, head)
  const shown = [rotation, anchor, fork, closing].filter((entry) => entry !== null)
  if (shown.some(({ entry }) => entry.number <= admission.entry.number)) {
    throw lies('shows what was before the admission')
  }
  return {
    state: 'registered',
    size,
    head: Uint8Array.from(head),
    hashId,
    keyId: keyId(rotated?.newKey ?? admitted.key),
    isFinal: true,
    stands: closing ? 'closed' : fork ? 'frozen' : 'open',
  }
}

function judgeClosing(
  { entry: { body } }: SignedEntry,
  { gateway, incarnation }: Subject,
  size: number,
  head: Uint8Array,
): void {
  const isClosing =
    body.type === 'incarnation' &&
    equalBytes(body.gateway, gateway) &&
    body.incarnation > incarnation &&
    body.closed === incarnation
  if (!isClosing) throw lies('shows no incarnation that closes this one')
  if (body.closedSize !== size || !equalBytes(body.closedHead, head)) {
    throw lies('closed the incarnation at another size than it shows')
  }
}

/** The same key must have signed both, whoever says so. */
function isFork(report: ForkReport): boolean {
  const { forks, key } = report
  const isTwo = !equalBytes(forks[0].root, forks[1].root)
  return (
    isTwo &&
    forks.every(({ root, signature }) =>
      verifySm2(key, checkpointMessage({ ...report, root }), signature),
    )
  )
}
