import test, { type ExecutionContext } from 'ava'
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
