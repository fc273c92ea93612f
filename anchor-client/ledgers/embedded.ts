import { z } from 'zod'
import { bytesToHex, equalBytes } from '../evidence/bytes.ts'
import { encodeAnchorProof, encodeBeaconProof, witnessProofs } from '../evidence/proofs/witness.ts'
import { checkpointHead } from '../evidence/seal.ts'
import { keyId } from '../evidence/sm2.ts'
import {
  type Anchored,
  defineLedger,
  type LedgerHost,
  type LedgerIdentity,
  type LedgerSession,
  type Outcome,
  type Place,
  type Proved,
  type Registrar,
} from './ledger.ts'
import { openBook, type SignedEntry } from './witness-book.ts'
import { decodeRequest, encodeRequest } from './witness-requests.ts'
import {
  type Anchor,
  anchorCovering,
  findIncarnation,
  headOf,
  type Judgement,
  judge,
  judgeAdmission,
  standing,
} from './witness-rules.ts'

/** A witness inside this process. It shows order and tampering; nobody else vouches for it. */
export const embedded = defineLedger({
  summary: 'A witness in this process, on its own files: order and tamper evidence, no third party',
  options: z.object({
    path: z.string().min(1).describe('A folder of its own, best outside the data folder'),
  }),
  connect: ({ path }, host) => openEmbedded(path, host),
})

/** Whoever opens it owns it, and is its registrar. */
export interface EmbeddedLedger extends LedgerSession {
  readonly registrar: Registrar
}

export async function openEmbedded(path: string, host: LedgerHost): Promise<EmbeddedLedger> {
  const book = await openBook(path, host)
  const { publicKey } = host
  const ledgerId = keyId(publicKey)
  const inTurn = turns()
  let trouble: string | null = null

  async function anchored({ size, head, number }: Anchor): Promise<Anchored> {
    return { size, head, place: placeOf(await book.read(number)) }
  }

  async function outcomeOf(judgement: Exclude<Judgement, { state: 'take' }>): Promise<Outcome> {
    switch (judgement.state) {
      case 'taken':
        return { state: 'final', place: placeOf(await book.read(judgement.number)) }
      case 'covered':
        return { state: 'covered', by: await anchored(judgement.by) }
      default:
        return judgement
    }
  }

  /** Judged and written in one turn: between the two nothing else may be taken. */
  const take = (judged: () => Judgement): Promise<Outcome> =>
    inTurn(async () => {
      const judgement = judged()
      if (judgement.state !== 'take') return outcomeOf(judgement)
      try {
        const number = await book.write(judgement.body)
        trouble = null
        return { state: 'final', place: placeOf(await book.read(number)) }
      } catch (error) {
        // Whether the entry is on the disk shows when the files are opened again.
        trouble = error instanceof Error ? error.message : String(error)
        return { state: 'unknown', why: trouble }
      }
    })

  const identity: LedgerIdentity = {
    state: 'described',
    ledgerId,
    pin: { kind: witnessProofs.name, publicKey: bytesToHex(publicKey), rules: 'extensions' },
    hashIds: [1, 2],
    finality: 'an entry is final once it is on the disk',
  }

  return {
    describe: async () => identity,

    async head(gateway, incarnation) {
      const of = findIncarnation(book.register, { gateway, incarnation })
      if (of === undefined) return { state: 'absent' }
      const { key, admission } = of
      const { size, head } = headOf(of)
      const stands = standing(book.register, of)
      const { hashId } = admission
      return { state: 'registered', size, head, hashId, key, isFinal: true, stands }
    },

    async prepare(request) {
      const at = request.type === 'rotation' ? request.seq : request.size
      const gateway = bytesToHex(request.gateway).slice(0, 16)
      const id = `${request.type} ${at} of ${gateway}…/${request.incarnation}`
      return { state: 'prepared', id, bytes: encodeRequest(request) }
    },

    async send({ bytes }) {
      const request = decodeRequest(bytes)
      return request ? take(() => judge(book.register, request)) : malformed
    },

    async status({ bytes }) {
      const request = decodeRequest(bytes)
      if (request === undefined) return malformed
      const judgement = judge(book.register, request)
      if (judgement.state === 'take') return { state: 'unknown', why: 'it was not taken so far' }
      return outcomeOf(judgement)
    },

    async find(gateway, incarnation, size) {
      const of = findIncarnation(book.register, { gateway, incarnation })
      const anchor = of && anchorCovering(of, size)
      if (anchor === undefined) return { state: 'absent' }
      const found = await anchored(anchor)
      return found.size === size
        ? { state: 'final', anchored: found }
        : { state: 'covered', by: found }
    },

    async *iterate(gateway, incarnation, fromSize, signal) {
      const of = findIncarnation(book.register, { gateway, incarnation })
      for (const anchor of [...(of?.anchors ?? [])]) {
        signal.throwIfAborted()
        if (anchor.size >= fromSize) yield await anchored(anchor)
      }
    },

    async prove(checkpoint) {
      const of = findIncarnation(book.register, checkpoint)
      const anchor = of && anchorCovering(of, checkpoint.size)
      if (!anchor || !equalBytes(anchor.head, checkpointHead(checkpoint))) return absent
      const { entry, signature } = await book.read(anchor.number)
      return proved(encodeAnchorProof({ ...entry, key: publicKey, signature }))
    },

    async beacon() {
      if (book.count === 0) return absent
      return { state: 'final', ledger: ledgerId, height: book.count - 1, hash: book.lastMessage }
    },

    async proveBeacon({ ledger, height, hash }) {
      if (!equalBytes(ledger, ledgerId) || height >= book.count) return absent
      const { bytes, message, signature } = await book.read(height)
      if (!equalBytes(message, hash)) return absent
      return proved(encodeBeaconProof(publicKey, bytes, signature))
    },

    async health() {
      const newest = book.count > 0 ? placeOf(await book.read(book.count - 1)) : null
      const { cutBytes } = book
      const cut = `${cutBytes} bytes of an unfinished entry were cut off when it was opened`
      const notes = [...(cutBytes > 0 ? [cut] : []), ...(trouble === null ? [] : [trouble])]
      const { height = null, timeMs = null } = newest ?? {}
      return { isWell: trouble === null, notes, height, timeMs }
    },

    registrar: {
      admit: (admission) => take(() => judgeAdmission(book.register, admission)),
    },

    async [Symbol.asyncDispose]() {
      await inTurn(async () => book[Symbol.asyncDispose]())
    },
  }
}

const absent = { state: 'absent' } as const

const malformed: Outcome = {
  state: 'refused',
  reason: 'malformed',
  why: 'these bytes are no request to a witness',
}

const proved = (proof: Uint8Array): Proved => ({ state: 'proved', kind: witnessProofs.kind, proof })

const placeOf = ({ entry, message }: SignedEntry): Place => ({
  height: entry.number,
  hash: message,
  timeMs: entry.wallMs,
  cost: null,
})

/** Runs what it is given one after the other; a failure is its own caller's alone. */
function turns() {
  let last: Promise<unknown> = Promise.resolve()
  return <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work)
    last = turn.catch(() => undefined)
    return turn
  }
}
