/** Tells the ledgers of every key that followed the one that they know, in order, each with the same bytes until it is final. */
import type { LedgerSession, Prepared } from '../../anchor-client/ledgers/ledger.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import { asked } from './asked.ts'
import type { OpenedLedger } from './ledger-host.ts'

export interface RotationTeller {
  /** True once this ledger knows our current key; else to be asked again. */
  tell(name: string, signal: AbortSignal): Promise<boolean>
}

interface OnItsWay {
  readonly seq: number
  readonly prepared: Prepared
}

export function rotationTeller(
  ledgers: readonly Pick<OpenedLedger, 'name' | 'session'>[],
  { gateway, incarnation }: { readonly gateway: Uint8Array; readonly incarnation: number },
  keys: Pick<KeyRing, 'rotations' | 'rotationsBefore'>,
): RotationTeller {
  // In memory only: what is lost in a crash is prepared anew, and may land twice without harm.
  const onItsWay = new Map<string, OnItsWay>()

  async function tellOne(
    name: string,
    session: LedgerSession,
    rotation: KeyRing['rotations'][number],
    signal: AbortSignal,
  ): Promise<boolean> {
    const { seq } = rotation
    const before = onItsWay.get(name)
    const prepared =
      before?.seq === seq
        ? before.prepared
        : await session.prepare({ type: 'rotation', gateway, ...rotation }, signal)
    if (prepared.state !== 'prepared') return prepared.state === 'final'
    onItsWay.set(name, { seq, prepared })
    const { state } = await session.send(prepared, signal)
    // It may still land, or be taken by a node that was away.
    if (state !== 'known' && state !== 'unknown') onItsWay.delete(name)
    return state === 'final'
  }

  async function tellAll(name: string, signal: AbortSignal): Promise<boolean> {
    const session = ledgers.find((of) => of.name === name)?.session
    const head = await session?.head(gateway, incarnation, signal)
    if (session === undefined || head?.state !== 'registered') return false
    const known = keys.rotationsBefore(head.keyId)
    if (known < 0) return false
    for (const rotation of keys.rotations.slice(known)) {
      if (!(await tellOne(name, session, rotation, signal))) return false
    }
    return true
  }

  return {
    tell: async (name, signal) => (await asked(signal, (until) => tellAll(name, until))) === true,
  }
}
