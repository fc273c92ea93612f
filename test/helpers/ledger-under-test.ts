import { setMaxListeners } from 'node:events'
import test, { type ExecutionContext } from 'ava'
import { bytesToHex } from '../../anchor-client/evidence/bytes.ts'
import type { HashId } from '../../anchor-client/evidence/model.ts'
import type { Pin } from '../../anchor-client/evidence/proofs/proof.ts'
import { parsePinnedLedger } from '../../anchor-client/evidence/trust.ts'
import type {
  LedgerSession,
  Outcome,
  Place,
  Refusal,
  Registrar,
} from '../../anchor-client/ledgers/ledger.ts'
import { gatewayOf, secretOf, type TestGateway, type Told } from './anchoring.ts'
import { signerOf } from './signer.ts'

/** A ledger that outlives its connections: opened again it is the same one. */
export interface LedgerUnderTest extends AsyncDisposable {
  open(): Promise<OwnedLedger>
}

export type OwnedLedger = LedgerSession & { readonly registrar: Registrar }

export type SetUp = () => Promise<LedgerUnderTest>

/** What ledgers may differ in. */
export interface Traits {
  /** The history hashes that it computes; the suites use the first. */
  readonly hashIds: readonly [HashId, ...HashId[]]
  /** How far its blocks are apart, where that is long. */
  readonly blockMs?: number
}

export const bothHashes: Traits = { hashIds: [1, 2] }

/** The one gateway of the suites, with the first hash of its ledger. */
export const usualWith =
  ({ hashIds: [hashId] }: Traits) =>
  (told: Partial<Told> = {}): TestGateway =>
    usual({ hashId, ...told })

/** What a regulator would have to believe to judge the proof of an anchor in this place. */
export async function pinsFor(session: LedgerSession, { height, hash }: Place): Promise<Pin[]> {
  const identity = await session.describe(signal)
  if (identity.state === 'unknown') throw new Error(identity.why)
  const { pin } = identity
  const isChain = Array.isArray(pin.blocks) && pin.blocks.length === 0
  const blocks = [{ height, hash: bytesToHex(hash) }]
  return [parsePinnedLedger(JSON.stringify(isChain ? { ...pin, blocks } : pin))]
}

/** A test on a ledger of its own, with nobody registered yet. */
export const onLedger =
  (name: string, setUp: SetUp) =>
  (
    title: string,
    run: (t: ExecutionContext, session: OwnedLedger, ledger: LedgerUnderTest) => Promise<void>,
  ): void =>
    test(`${name}: ${title}`, async (t) => {
      await using ledger = await setUp()
      await using session = await ledger.open()
      await run(t, session, ledger)
    })

export const { signal } = new AbortController()
// One for all tests of a file, each of which asks several things at once.
setMaxListeners(0, signal)
export const nextKey = signerOf(secretOf('next key'))
/** The one gateway of the suites; told otherwise, a clone or another life of it. */
export const usual = (told: Partial<Told> = {}): TestGateway =>
  gatewayOf({ secret: secretOf('gateway'), ...told })

export function isFinal(t: ExecutionContext, outcome: Outcome): Place | undefined {
  t.is(outcome.state, 'final', 'why' in outcome ? outcome.why : undefined)
  return outcome.state === 'final' ? outcome.place : undefined
}

export const isRefused = (t: ExecutionContext, outcome: Outcome, reason: Refusal): void => {
  t.is(outcome.state === 'refused' ? outcome.reason : outcome.state, reason)
}

export async function sizesOf(
  session: LedgerSession,
  gateway: Uint8Array,
  from: number,
  incarnation = 0,
): Promise<number[]> {
  const sizes: number[] = []
  for await (const { size } of session.iterate(gateway, incarnation, from, signal)) sizes.push(size)
  return sizes
}
