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
  type Proved,
  type Registrar,
} from './ledger.ts'
import { anchoredIn, outcomeOf, placeOf } from './witness/answers.ts'
import { openKeeper } from './witness/keeper.ts'
import { prepareRequest } from './witness/requests.ts'
import { type Anchor, anchorCovering, findIncarnation, headOf, standing } from './witness/rules.ts'

/** A witness inside this process. It shows order and tampering; nobody else vouches for it. */
export const embedded = defineLedger({
  summary: 'A witness in this process, on its own files: order and tamper evidence, no third party',
  options: z.object({
    path: z.string().min(1).describe('A folder of its own, best outside the data folder'),
  }),
  account: 'sm2',
  hashIds: [1, 2],
  connect: ({ path }, host) => openEmbedded(path, host),
})

/** Whoever opens it owns it, and is its registrar. */
export interface EmbeddedLedger extends LedgerSession {
  readonly registrar: Registrar
}

export async function openEmbedded(path: string, host: LedgerHost): Promise<EmbeddedLedger> {
  const keeper = await openKeeper(path, host)
  const { book } = keeper
  const { publicKey } = host
  const ledgerId = keyId(publicKey)
  const anchored = async ({ number }: Anchor): Promise<Anchored> =>
    anchoredIn(await book.read(number))

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
      return { state: 'registered', size, head, hashId, keyId: keyId(key), isFinal: true, stands }
    },

    prepare: async (request) => prepareRequest(request),
    send: async ({ bytes }) => outcomeOf(await keeper.submit(bytes)),
    status: async ({ bytes }) => outcomeOf(await keeper.look(bytes)),

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
      const { trouble } = keeper
      const cut = `${cutBytes} bytes of an unfinished entry were cut off when it was opened`
      const notes = [...(cutBytes > 0 ? [cut] : []), ...(trouble === null ? [] : [trouble])]
      const { height = null, timeMs = null } = newest ?? {}
      return { isWell: trouble === null, notes, height, timeMs }
    },

    registrar: {
      admit: async (admission) => outcomeOf(await keeper.admit(admission)),
    },

    [Symbol.asyncDispose]: () => keeper[Symbol.asyncDispose](),
  }
}

const absent = { state: 'absent' } as const

const proved = (proof: Uint8Array): Proved => ({ state: 'proved', kind: witnessProofs.kind, proof })
