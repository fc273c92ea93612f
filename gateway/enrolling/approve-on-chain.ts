/** What only the registrar of a contract may do: register a gateway on its chain, or grant it a new incarnation. */
import { bytesToHex } from '../../anchor-client/evidence/bytes.ts'
import { ledgerNamed } from '../../anchor-client/ledgers/index.ts'
import type { Admission, LedgerSession, Place } from '../../anchor-client/ledgers/ledger.ts'
import { timeOf } from '../anchoring/anchor-rows.ts'
import { asked } from '../anchoring/asked.ts'
import { openLedgers } from '../anchoring/ledger-host.ts'
import type { Key } from '../keys/key-file.ts'
import { pause } from '../retry.ts'
import { addressOfKey, type ChainEntry } from './chain-account.ts'
import { refused } from './enrolment.ts'

export interface EnrolledOnChain {
  readonly ledger: string
  readonly gateway: string
  readonly incarnation: number
  readonly account: string
  readonly state: 'open'
  readonly block: number
  readonly at: string | null
  readonly cost: string | null
}

export interface Approval {
  readonly chain: ChainEntry
  readonly account: Key
  readonly admission: Admission
  /** A new incarnation closes the one before for ever, so that its number must be said by whoever grants it. */
  readonly granted: number | undefined
  readonly onWait: (why: string) => void
  readonly signal: AbortSignal
}

const lookAgainMs = 1000

/** Resolves once the registration is final. */
export async function approveOnChain(approval: Approval): Promise<EnrolledOnChain> {
  const { chain, account, admission, granted, signal } = approval
  const { gateway, incarnation } = admission
  mustBeGranted(incarnation, granted)
  if (admission.account === undefined) {
    throw refused(
      'it asks for no place on a chain',
      'Put the chain under anchor in the configuration of the gateway, and make the request anew.',
    )
  }
  await using host = await openLedgers([chain.entry], ledgerNamed, {
    nowMs: () => Date.now(),
    keyFor: async () => account,
    isFirstUse: () => false,
  })
  const [closed] = host.closed
  if (closed) throw closed.error
  const [opened] = host.opened
  const { session } = opened as NonNullable<typeof opened>
  const place = await admitted(session, approval)
  return {
    ledger: chain.name,
    gateway: bytesToHex(gateway),
    incarnation,
    account: `0x${bytesToHex(admission.account)}`,
    state: 'open',
    block: place.height,
    at: timeOf(place),
    cost: place.cost,
  }

  async function admitted(session: LedgerSession, { onWait }: Approval): Promise<Place> {
    for (;;) {
      signal.throwIfAborted()
      const identity = await asked(signal, (until) => session.describe(until))
      if (identity.state === 'fault') throw identity.error
      if (identity.state === 'unknown') {
        onWait(identity.why)
        await pause(lookAgainMs, signal)
        continue
      }
      const { registrar } = session
      if (registrar === null) {
        throw refused(
          `0x${bytesToHex(addressOfKey(account))} is not the registrar of this contract`,
          'kedge enrol account shows the account of this folder; the contract was given its registrar when it was deployed.',
        )
      }
      const outcome = await asked(signal, (until) => registrar.admit(admission, until))
      switch (outcome.state) {
        case 'final':
          return outcome.place
        case 'fault':
          throw outcome.error
        case 'refused':
          if (outcome.reason !== 'not-permitted') throw refused(outcome.why, laterHint)
          onWait(outcome.why)
          break
        case 'known':
          onWait(
            outcome.place === null
              ? 'it is on its way'
              : `it is in block ${outcome.place.height}, and not final so far`,
          )
          break
        default:
          onWait('why' in outcome ? outcome.why : `the ledger answers ${outcome.state}`)
      }
      await pause(lookAgainMs, signal)
    }
  }
}

function mustBeGranted(incarnation: number, granted: number | undefined): void {
  if (granted !== undefined && granted !== incarnation) {
    throw refused(`incarnation ${incarnation} is asked for, and ${granted} is granted`)
  }
  if (granted !== undefined || incarnation === 0) return
  throw refused(
    'a new incarnation is asked for: it closes the one before at its last anchored size, for ever',
    `If that is meant, grant it: kedge enrol approve FILE --incarnation ${incarnation} --data DIR`,
  )
}

const laterHint = 'kedge enrol status on the gateway says what the ledger knows of it.'
