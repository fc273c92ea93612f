import { randomBytes } from 'node:crypto'
import { bytesToHex, equalBytes } from '../../evidence/bytes.ts'
import { KedgeError } from '../../evidence/errors.ts'
import {
  encodeAnchorProof,
  encodeBeaconProof,
  extensionsOnly,
  witnessProofs,
} from '../../evidence/proofs/witness.ts'
import { checkpointHead } from '../../evidence/seal.ts'
import { keyId, verifySm2 } from '../../evidence/sm2.ts'
import type { Anchored, LedgerSession, Outcome, Prepared, Proved, Unknown } from '../ledger.ts'
import { anchoredIn, decodeAnswer, outcomeOf, placeOf } from './answers.ts'
import type { SignedEntry } from './entries.ts'
import {
  bodyAbout,
  type EntryMemory,
  headOfState,
  judgeAnswer,
  lies,
  openMemory,
} from './judging.ts'
import { decodeRequest, prepareRequest } from './requests.ts'
import {
  aboutGateway,
  aboutItself,
  decodePage,
  decodeSelf,
  decodeState,
  decodeStatement,
  nonceBytes,
  pageEntries,
  statementMessage,
} from './statements.ts'
import type { Question, WitnessWire } from './wire.ts'

/** By its key where the configuration has it, or by what it was at first use. */
interface Pinned {
  readonly key: Uint8Array | null
  readonly id?: Uint8Array | undefined
}

/** A session with a witness elsewhere: each answer is judged before it is believed. */
export function openWitnessSession(wire: WitnessWire, pinned: Pinned): LedgerSession {
  let known: Known | null = pinned.key && knownBy(pinned.key)

  /** Its own word about itself, fresh: whoever only repeats what it once said has not the key. */
  async function introduce(signal: AbortSignal): Promise<Known | Unknown> {
    const nonce = Uint8Array.from(randomBytes(nonceBytes))
    const path = `/v1/self?nonce=${bytesToHex(nonce)}`
    const answer = await wire.ask({ path, maxBytes: 1024 }, signal)
    if ('state' in answer) return answer
    const { body, signature } = read(answer, decodeStatement)
    const self = read(body, decodeSelf)
    if (!verifySm2(self.key, statementMessage(nonce, aboutItself, body), signature)) {
      throw lies('does not hold the key that it shows')
    }
    if (self.rules !== extensionsOnly) throw lies('keeps no rules that we know')
    const id = keyId(self.key)
    const expected = known ? keyId(known.key) : (pinned.id ?? id)
    if (equalBytes(expected, id)) {
      known ??= knownBy(self.key)
      return known
    }
    const ids = [expected, id].map((one) => `${bytesToHex(one).slice(0, 16)}…`)
    throw new KedgeError('LEDGER_MISMATCH', `the witness is ${ids[1]}, and was ${ids[0]} before`, {
      hint: 'Ask whoever runs it. Another witness is another entry of the configuration.',
    })
  }

  async function acquainted(signal: AbortSignal): Promise<Known | Unknown> {
    return known ?? introduce(signal)
  }

  /** A page of entries, each of them believed. */
  async function entries(path: string, most: number, signal: AbortSignal) {
    const of = await acquainted(signal)
    if ('why' in of) return of
    const maxBytes = 64 + most * mostEntryBytes
    const answer = await wire.ask({ path: `${path}&most=${most}`, maxBytes }, signal)
    if ('state' in answer) return answer
    const page = read(answer, decodePage)
    if (page.length > most) throw lies('shows more than it was asked for')
    for (const entry of page) of.memory.believe(entry)
    return page
  }

  async function anchors(
    gateway: Uint8Array,
    incarnation: number,
    from: number,
    most: number,
    signal: AbortSignal,
  ): Promise<readonly SignedEntry[] | Unknown> {
    const path = `/v1/anchors?gateway=${bytesToHex(gateway)}&incarnation=${incarnation}&from=${from}`
    const page = await entries(path, most, signal)
    if ('state' in page) return page
    let least = from
    for (const entry of page) {
      const { size } = bodyAbout(entry, 'anchor', { gateway, incarnation })
      if (size < least) throw lies('shows anchors out of order')
      least = size + 1
    }
    return page
  }

  async function request(path: string, { bytes }: Prepared, signal: AbortSignal): Promise<Outcome> {
    const asked = decodeRequest(bytes)
    if (asked === undefined) return malformed
    const of = await acquainted(signal)
    if ('why' in of) return of
    const question: Question = { path, body: bytes, maxBytes: 64 + mostEntryBytes }
    const answer = await wire.ask(question, signal)
    if ('state' in answer) return answer
    const said = read(answer, decodeAnswer)
    judgeAnswer(asked, said, of.memory)
    return outcomeOf(said)
  }

  return {
    async describe(signal) {
      const self = await introduce(signal)
      if ('why' in self) return self
      const { key } = self
      return {
        state: 'described',
        ledgerId: keyId(key),
        pin: { kind: witnessProofs.name, publicKey: bytesToHex(key), rules: 'extensions' },
        hashIds: [1, 2],
        finality: 'an entry is final once the witness has signed it',
      }
    },

    async head(gateway, incarnation, signal) {
      const of = await acquainted(signal)
      if ('why' in of) return of
      const nonce = Uint8Array.from(randomBytes(nonceBytes))
      const path = `/v1/state?gateway=${bytesToHex(gateway)}&incarnation=${incarnation}&nonce=${bytesToHex(nonce)}`
      const answer = await wire.ask({ path, maxBytes: 128 + 5 * mostEntryBytes }, signal)
      if ('state' in answer) return answer
      const { body, signature } = read(answer, decodeStatement)
      const message = statementMessage(nonce, aboutGateway(gateway, incarnation), body)
      if (!verifySm2(of.key, message, signature)) throw lies('did not sign this answer')
      const state = read(body, decodeState)
      if (state === null) return absent
      const shown = Object.values(state).filter((entry) => entry !== null)
      for (const entry of shown) of.memory.believe(entry)
      return headOfState(state, { gateway, incarnation })
    },

    prepare: async (request) => prepareRequest(request),
    send: (prepared, signal) => request('/v1/requests', prepared, signal),
    status: (prepared, signal) => request('/v1/requests/status', prepared, signal),

    async find(gateway, incarnation, size, signal) {
      const page = await anchors(gateway, incarnation, size, 1, signal)
      if ('state' in page) return page
      const [found] = page
      if (found === undefined) return absent
      const anchored = anchoredIn(found)
      return anchored.size === size
        ? { state: 'final', anchored }
        : { state: 'covered', by: anchored }
    },

    async *iterate(gateway, incarnation, fromSize, signal): AsyncGenerator<Anchored, void> {
      for (let from = fromSize; ; ) {
        const page = await anchors(gateway, incarnation, from, pageEntries, signal)
        if ('state' in page) throw new KedgeError('LEDGER_UNREACHABLE', page.why)
        for (const entry of page) {
          signal.throwIfAborted()
          const anchored = anchoredIn(entry)
          yield anchored
          from = anchored.size + 1
        }
        if (page.length < pageEntries) return
      }
    },

    async prove(checkpoint, signal) {
      const { gateway, incarnation, size } = checkpoint
      const page = await anchors(gateway, incarnation, size, 1, signal)
      if ('state' in page) return page
      const [found] = page
      if (!found || !known || !equalBytes(anchoredIn(found).head, checkpointHead(checkpoint))) {
        return absent
      }
      return proved(
        encodeAnchorProof({ ...found.entry, key: known.key, signature: found.signature }),
      )
    },

    async beacon(signal) {
      const page = await entries('/v1/entries?from=newest', 1, signal)
      if ('state' in page) return page
      const [newest] = page
      if (!newest || !known) return absent
      const { height, hash } = placeOf(newest)
      return { state: 'final', ledger: keyId(known.key), height, hash }
    },

    async proveBeacon({ ledger, height, hash }, signal) {
      const page = await entries(`/v1/entries?from=${height}`, 1, signal)
      if ('state' in page) return page
      const [named] = page
      if (!named || !known || !equalBytes(ledger, keyId(known.key))) return absent
      if (named.entry.number !== height || !equalBytes(named.message, hash)) return absent
      return proved(encodeBeaconProof(known.key, named.bytes, named.signature))
    },

    async health(signal) {
      const page = await entries('/v1/entries?from=newest', 1, signal)
      if ('state' in page) return { isWell: false, notes: [page.why], height: null, timeMs: null }
      const { height = null, timeMs = null } = page[0] ? placeOf(page[0]) : {}
      return { isWell: true, notes: [], height, timeMs }
    },

    registrar: null,

    async [Symbol.asyncDispose]() {
      wire[Symbol.dispose]()
    },
  }
}

interface Known {
  readonly key: Uint8Array
  readonly memory: EntryMemory
}

/** More than the longest entry, which is a fork report. */
const mostEntryBytes = 1024

const knownBy = (key: Uint8Array): Known => ({ key, memory: openMemory(key) })

/** Reads an answer that came as a witness's own: bytes in another form are no outage. */
function read<T>(bytes: Uint8Array, decode: (bytes: Uint8Array) => T): T {
  try {
    return decode(bytes)
  } catch (error) {
    if (error instanceof KedgeError) throw lies(`answers in no form that we know: ${error.message}`)
    throw error
  }
}

const absent = { state: 'absent' } as const

const malformed: Outcome = {
  state: 'refused',
  reason: 'malformed',
  why: 'these bytes are no request to a witness',
}

const proved = (proof: Uint8Array): Proved => ({ state: 'proved', kind: witnessProofs.kind, proof })
