/** Opens the ledgers that the configuration names, each with its own account. */
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { Ledger, LedgerHost, LedgerSession } from '../../anchor-client/ledgers/ledger.ts'
import { turns } from '../../anchor-client/ledgers/turns.ts'
import type { Algorithm } from '../keys/curve.ts'

/** An entry of the configuration, already checked. */
export type LedgerEntry = { readonly ledger: string } & Readonly<Record<string, unknown>>

export interface OpenedLedger {
  /** `embedded`, and the second of its kind `embedded-2`. */
  readonly name: string
  readonly entry: LedgerEntry
  /** Its anchors lie in blocks, under which others grow. */
  readonly isChain: boolean
  readonly session: LedgerSession
  /** Closes it and opens it again behind the same session: for one whose files could not be written. */
  renew(signal: AbortSignal): Promise<void>
}

/** One that cannot be opened keeps nobody from recording, nor the others from being anchored on. */
export interface ClosedLedger {
  readonly name: string
  readonly entry: LedgerEntry
  readonly error: KedgeError
}

export interface Ledgers extends AsyncDisposable {
  readonly opened: readonly OpenedLedger[]
  readonly closed: readonly ClosedLedger[]
}

export interface LedgerAccounts {
  nowMs(): number | null
  /** The account of a ledger that needs one, in the folder that its entry names. */
  keyFor(place: AccountPlace, name: string): Promise<Account>
  /** Whether the store of anchors has nothing of it: `(_, name) => store.pinned(name) === undefined`. */
  isFirstUse(entry: LedgerEntry, name: string): boolean
  /** Its id as it was pinned at first use. */
  pinned?(name: string): Uint8Array | undefined
}

export interface AccountPlace {
  readonly algorithm: Algorithm
  readonly folder: string
}

export type Account = Pick<LedgerHost, 'publicKey' | 'sign'>

/** A witness elsewhere takes what the device key has signed, from whoever brings it. */
export const noAccount: Account = {
  publicKey: new Uint8Array(),
  sign: (): never => {
    throw new TypeError('this ledger has no account here')
  },
}

/** Where the account of an entry lies, or null where its ledger needs none. */
export function accountPlace(
  { ledger: kind, path }: LedgerEntry,
  registry: Readonly<Record<string, Ledger>>,
): AccountPlace | null {
  const account = registry[kind]?.account ?? 'none'
  if (account === 'none' || typeof path !== 'string') return null
  return { algorithm: account === 'sm2' ? 'SM2' : account, folder: path }
}

export async function openLedgers(
  entries: readonly LedgerEntry[],
  registry: Readonly<Record<string, Ledger>>,
  accounts: LedgerAccounts,
): Promise<Ledgers> {
  const opened: (OpenedLedger & AsyncDisposable)[] = []
  const closed: ClosedLedger[] = []
  const names = ledgerNames(entries)
  for (const [i, entry] of entries.entries()) {
    const name = names[i] as string
    try {
      opened.push(await openLedger(name, entry, registry, accounts))
    } catch (error) {
      if (!(error instanceof KedgeError)) {
        await closeAll(opened)
        throw error
      }
      closed.push({ name, entry, error })
    }
  }
  return { opened, closed, [Symbol.asyncDispose]: () => closeAll(opened) }
}

async function openLedger(
  name: string,
  entry: LedgerEntry,
  registry: Readonly<Record<string, Ledger>>,
  accounts: LedgerAccounts,
): Promise<OpenedLedger & AsyncDisposable> {
  const { ledger: kind, ...options } = entry
  const ledger = registry[kind]
  if (ledger === undefined) throw new KedgeError('CONFIG_INVALID', `there is no ledger ${kind}`)
  const place = accountPlace(entry, registry)
  const key = place ? await accounts.keyFor(place, name) : noAccount
  const connect = (): Promise<LedgerSession> =>
    ledger.connect(options, {
      nowMs: () => accounts.nowMs(),
      publicKey: key.publicKey,
      sign: (message) => key.sign(message),
      isFirstUse: accounts.isFirstUse(entry, name),
      pinned: accounts.pinned?.(name),
    })
  let current = await connect()
  let isClosed = false
  // Closing must not overtake an opening.
  const inTurn = turns()
  return {
    name,
    entry,
    isChain: ledger.account === 'secp256k1',
    session: behind(() => current),
    renew: (signal) =>
      inTurn(async () => {
        if (isClosed || signal.aborted) return
        await current[Symbol.asyncDispose]()
        current = await connect()
      }),
    [Symbol.asyncDispose]: () =>
      inTurn(async () => {
        isClosed = true
        await current[Symbol.asyncDispose]()
      }),
  }
}

/** A session that stays while the connection behind it is exchanged. */
const behind = (current: () => LedgerSession): LedgerSession => ({
  describe: (...asked) => current().describe(...asked),
  head: (...asked) => current().head(...asked),
  prepare: (...asked) => current().prepare(...asked),
  send: (...asked) => current().send(...asked),
  status: (...asked) => current().status(...asked),
  find: (...asked) => current().find(...asked),
  iterate: (...asked) => current().iterate(...asked),
  prove: (...asked) => current().prove(...asked),
  beacon: (...asked) => current().beacon(...asked),
  proveBeacon: (...asked) => current().proveBeacon(...asked),
  health: (...asked) => current().health(...asked),
  get registrar() {
    return current().registrar
  },
  [Symbol.asyncDispose]: () => current()[Symbol.asyncDispose](),
})

/** By kind, so that another kind listed before it does not give it another name. */
export const ledgerNames = (entries: readonly LedgerEntry[]): readonly string[] =>
  entries.map(({ ledger: kind }, i) => {
    const before = entries.slice(0, i).filter(({ ledger }) => ledger === kind).length
    return before === 0 ? kind : `${kind}-${before + 1}`
  })

async function closeAll(opened: readonly AsyncDisposable[]): Promise<void> {
  for (const one of opened) await one[Symbol.asyncDispose]()
}
