import type { z } from 'zod'
import type { Beacon, HashId } from '../evidence/model.ts'
import type { Checkpoint } from '../evidence/seal.ts'
import type {
  Anchored,
  Found,
  FoundBeacon,
  FoundHead,
  Outcome,
  Prepared,
  Proved,
  Unknown,
} from './outcomes.ts'
import type { Admission, LedgerRequest } from './requests.ts'

export type * from './outcomes.ts'
export type * from './requests.ts'

/** One ledger: a file beside this one and a line in `index.ts`. */
export interface Ledger<Options extends z.ZodObject = z.ZodObject> {
  readonly summary: string
  readonly options: Options
  /** On which curve its account here signs; `none` takes what the device key has signed, from whoever brings it. */
  readonly account: 'none' | 'sm2' | 'secp256k1'
  /** The history hashes that every such ledger computes: known before one is asked. */
  readonly hashIds: readonly HashId[]
  /** Throws where waiting does not help: damaged, in use, not the one that was pinned. An outage is no reason. */
  connect(options: z.output<Options>, host: LedgerHost): Promise<LedgerSession>
}

export const defineLedger = <Options extends z.ZodObject>(of: Ledger<Options>): Ledger<Options> =>
  of

/** What a ledger is given, as it has no clock and makes no key of its own. */
export interface LedgerHost {
  /** The wall clock, or null where it was never set. */
  nowMs(): number | null
  /** The account that writes, 04‖x‖y on the ledger's own curve: never the device key. */
  readonly publicKey: Uint8Array
  /** SM2 gives r‖s over the message; secp256k1 r‖s‖recovery over a digest of 32 bytes, s in the lower half. */
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>
  /** Only on first use may files be made that should else be there: an empty ledger is not a lost one. */
  readonly isFirstUse: boolean
  /** Who it was at first use, as far as that is known: nobody else is spoken to. */
  readonly pinned?: Uint8Array | undefined
}

/** Every operation may be asked again. An outage is the outcome `unknown`; what throws is a fault. */
export interface LedgerSession extends AsyncDisposable {
  /** Who this is. The caller pins `ledgerId` at first use and refuses another afterwards. */
  describe(signal: AbortSignal): Promise<LedgerIdentity | Unknown>
  /** The newest state the ledger shows, final or not: a restored or cloned gateway finds it ahead of its own. */
  head(gateway: Uint8Array, incarnation: number, signal: AbortSignal): Promise<FoundHead>
  /** Signs but sends nothing; an outcome where there is nothing to send. The caller stores the bytes, fsynced, before
   * it sends them, prepares nothing else until these have an end, and prepares the same anew only after `lapsed`. */
  prepare(request: LedgerRequest, signal: AbortSignal): Promise<Prepared | Outcome>
  /** Hands over the very bytes. The same bytes again change nothing, and are the answer to `unknown`. */
  send(prepared: Prepared, signal: AbortSignal): Promise<Outcome>
  /** What became of these bytes, by the ledger's state, not by one node's receipt. Sends nothing. */
  status(prepared: Prepared, signal: AbortSignal): Promise<Outcome>
  /** By final state alone, so that it also tells after the bytes were lost. `absent` may still be on its way. */
  find(gateway: Uint8Array, incarnation: number, size: number, signal: AbortSignal): Promise<Found>
  /** Final anchors from this size on, ascending. Throws `LEDGER_UNREACHABLE` in the middle of an outage. */
  iterate(
    gateway: Uint8Array,
    incarnation: number,
    fromSize: number,
    signal: AbortSignal,
  ): AsyncIterable<Anchored>
  /** The bytes for the evidence, at any time after `final`. `unknown` is also: not yet, or no longer from this
   * node. The caller judges them with `evidence/proofs` before it keeps them. */
  prove(of: Checkpoint, signal: AbortSignal): Promise<Proved>
  /** The newest final block or entry, for a header to name; `proveBeacon` says later what it was. */
  beacon(signal: AbortSignal): Promise<FoundBeacon>
  proveBeacon(beacon: Beacon, signal: AbortSignal): Promise<Proved>
  health(signal: AbortSignal): Promise<LedgerHealth>
  /** Null unless this connection is the registrar's: no gateway can admit itself. */
  readonly registrar: Registrar | null
}

export interface LedgerIdentity {
  readonly state: 'described'
  readonly ledgerId: Uint8Array
  /** What pins it in a trust file, beside the keys that all ledgers share there. */
  readonly pin: { readonly kind: string } & Readonly<Record<string, unknown>>
  /** The history hashes that it computes. */
  readonly hashIds: readonly HashId[]
  /** When a state counts as final, in words. */
  readonly finality: string
}

export interface Registrar {
  /** Registers a gateway, or grants it a new incarnation: that closes the one before at its last anchored size. */
  admit(admission: Admission, signal: AbortSignal): Promise<Outcome>
}

export interface LedgerHealth {
  readonly isWell: boolean
  /** What a person should know, also where it is well. */
  readonly notes: readonly string[]
  readonly height: number | null
  readonly timeMs: number | null
}
