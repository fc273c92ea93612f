import { bytesToHex } from '../../evidence/bytes.ts'
import { KedgeError } from '../../evidence/errors.ts'
import { isPublicKey, keyId } from '../../evidence/sm2.ts'
import type {
  LedgerIdentity,
  LedgerSession,
  Outcome,
  Prepared,
  Registrar,
  Unknown,
} from '../ledger.ts'
import { turns } from '../turns.ts'
import { allAnchors, earlierAnchor, emptyHead, lastAnchor } from './anchors.ts'
import type { EvmChain } from './chain.ts'
import { tooCheap } from './fees.ts'
import { describedBy, healthOf } from './health.ts'
import { judgeRequest, type KnownKeys, refused } from './judging.ts'
import { ledgerIdOf, proveAnchor, proveBeacon } from './proving.ts'
import { admitGateway, confirmFork } from './registrar.ts'
import { isOutage } from './rpc/failures.ts'
import { hexOf } from './rpc/values.ts'
import { broadcast, outcomeNow, readPrepared, whereItWaits } from './sending.ts'
import { signCall } from './signing.ts'
import { type Account, anchorsOf, type EvmParts, isRegistrar, standingOf } from './standing.ts'

/** A session with the anchor contract: what is asked here, and what is made of a node's silence. */
export function openEvmSession(parts: EvmParts): LedgerSession {
  const { chain, account } = parts
  const keys: KnownKeys = new Map()
  /** One after the other: two that take the same number at once would lose one of them. */
  const inTurn = turns()

  async function sendOnce({ bytes }: Prepared, signal: AbortSignal): Promise<Outcome> {
    const read = readPrepared(parts, bytes)
    if (read === undefined) return malformed
    const { transaction, intent } = read
    // Also where nothing is heard for now: a node that was set back may need these bytes to come forward again.
    const before = await outcomeNow(parts, transaction, intent, signal).catch(unlessOutage(signal))
    const isToConfirm = intent.type === 'fork' && before?.state === 'known' && before.place !== null
    if (isToConfirm && account && isRegistrar(parts)) {
      return inTurn(() => confirmFork(parts, account, intent, signal))
    }
    if (before !== null) return before
    const answer = await broadcast(chain.nodes, transaction, signal)
    // On a chain that takes it at once, the state has the answer already.
    const after = await outcomeNow(parts, transaction, intent, signal)
    if (after !== null) return after
    // A node may take what pays too little, and keep it for ever without a word.
    const cheap = tooCheap(transaction.fee, (await chain.view(signal)).head)
    if (cheap !== null && answer.reply !== 'unknown') return refused('not-permitted', cheap)
    switch (answer.reply) {
      case 'taken':
        return { state: 'known', place: null }
      case 'refused':
        return refused('not-permitted', answer.why)
      case 'superseded':
      case 'unknown':
        return { state: 'unknown', why: answer.why }
    }
  }

  const registrarBy = (owner: Account): Registrar => ({
    admit: (admission, signal) =>
      orUnknown(chain, signal, () =>
        inTurn(async () => {
          const { key } = admission
          if (isPublicKey(key)) keys.set(bytesToHex(keyId(key)), key)
          return admitGateway(parts, owner, admission, signal)
        }),
      ),
  })

  return {
    describe: (signal) =>
      orUnknown(chain, signal, async (): Promise<LedgerIdentity | Unknown> => {
        const known = await chain.introduce(signal)
        const ledgerId = ledgerIdOf(parts)
        return ledgerId
          ? describedBy(parts, known, ledgerId)
          : { state: 'unknown', why: 'no node has told its chain' }
      }),

    head: (gateway, incarnation, signal) =>
      orUnknown(chain, signal, async () => {
        const { atHead, atFinal } = await standingOf(parts, { gateway, incarnation }, signal)
        if (!atHead.isAdmitted) return absent
        const { size, hashId, stands } = atHead
        return {
          state: 'registered',
          size,
          head: size === 0 ? emptyHead(hashId, gateway) : atHead.head,
          hashId,
          keyId: atHead.keyId,
          isFinal: atFinal.isAdmitted && atFinal.size === size && atFinal.stands === stands,
          stands,
        }
      }),

    prepare: (request, signal) =>
      orUnknown(chain, signal, () =>
        inTurn(async (): Promise<Prepared | Outcome> => {
          if (account === null) return refused('not-permitted', 'there is no account here')
          const judged = await judgeRequest(parts, request, keys, account.address, signal)
          if (judged.state !== 'take') return judged
          const { call, standing } = judged
          const signed = await signCall(parts, account, call, standing.view, signal)
          if ('state' in signed) return signed
          return { state: 'prepared', id: hexOf(signed.hash), bytes: signed.bytes }
        }),
      ),

    send: (prepared, signal) => orUnknown(chain, signal, () => sendOnce(prepared, signal)),

    status: (prepared, signal) =>
      orUnknown(chain, signal, async (): Promise<Outcome> => {
        const read = readPrepared(parts, prepared.bytes)
        if (read === undefined) return malformed
        const { transaction, intent } = read
        const now = await outcomeNow(parts, transaction, intent, signal)
        if (now !== null) return now
        const { isAnywhere, lacking } = await whereItWaits(parts, transaction, signal)
        if (!isAnywhere || lacking.length > 0) {
          // It may have come into a block between the two questions.
          const since = await outcomeNow(parts, transaction, intent, signal)
          if (since !== null) return since
          const why = isAnywhere
            ? `${lacking.join(', ')} has not got it`
            : 'no node keeps it for a block'
          return { state: 'unknown', why }
        }
        const cheap = tooCheap(transaction.fee, (await chain.view(signal)).head)
        return cheap === null ? { state: 'known', place: null } : refused('not-permitted', cheap)
      }),

    find: (gateway, incarnation, size, signal) =>
      orUnknown(chain, signal, async () => {
        const subject = { gateway, incarnation }
        const { view, atFinal } = await standingOf(parts, subject, signal)
        if (!atFinal.isAdmitted || atFinal.size < size || atFinal.size === 0) return absent
        const of = anchorsOf(parts, view, view.final)
        const exact =
          atFinal.size === size ? null : await earlierAnchor(of, subject, atFinal, size, signal)
        if (exact) return { state: 'final', anchored: exact.anchored }
        const { anchored } = await lastAnchor(of, subject, atFinal, signal)
        return atFinal.size === size
          ? { state: 'final', anchored }
          : { state: 'covered', by: anchored }
      }),

    async *iterate(gateway, incarnation, fromSize, signal) {
      const subject = { gateway, incarnation }
      try {
        const { view, atFinal } = await standingOf(parts, subject, signal)
        if (!atFinal.isAdmitted) return
        const of = anchorsOf(parts, view, view.final)
        for await (const { anchored } of allAnchors(of, subject, atFinal, fromSize, signal)) {
          signal.throwIfAborted()
          yield anchored
        }
      } catch (error) {
        if (!isOutage(error)) throw error
        throw new KedgeError('LEDGER_UNREACHABLE', error.message)
      }
    },

    prove: (checkpoint, signal) =>
      orUnknown(chain, signal, () => proveAnchor(parts, checkpoint, signal)),

    beacon: (signal) =>
      orUnknown(chain, signal, async () => {
        const { final } = await chain.view(signal)
        const ledger = ledgerIdOf(parts)
        if (ledger === null || final.number === 0) return absent
        return { state: 'final', ledger, height: final.number, hash: final.hash }
      }),

    proveBeacon: (beacon, signal) =>
      orUnknown(chain, signal, () => proveBeacon(parts, beacon, signal)),

    health: (signal) => healthOf(parts, signal),

    get registrar() {
      return account !== null && isRegistrar(parts) ? registrarBy(account) : null
    },

    async [Symbol.asyncDispose]() {
      for (const node of chain.nodes) node[Symbol.dispose]()
    },
  }
}

const absent = { state: 'absent' } as const

const malformed: Outcome = {
  state: 'refused',
  reason: 'malformed',
  why: 'these bytes are no transaction of this account to the contract',
}

const unlessOutage =
  (signal: AbortSignal) =>
  (error: unknown): null => {
    signal.throwIfAborted()
    if (isOutage(error)) return null
    throw error
  }

/** Nobody answers, or not to this question: an ordinary outcome. */
async function orUnknown<T>(
  chain: EvmChain,
  signal: AbortSignal,
  ask: () => Promise<T>,
): Promise<T | Unknown> {
  try {
    return await ask()
  } catch (error) {
    signal.throwIfAborted()
    if (isOutage(error)) return { state: 'unknown', why: error.message }
    chain.turnAway(error)
    throw error
  }
}
