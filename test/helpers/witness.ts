import { join } from 'node:path'
import { bytesToHex } from '../../anchor-client/evidence/bytes.ts'
import { keyId } from '../../anchor-client/evidence/sm2.ts'
import type { LedgerHost, LedgerSession, Outcome } from '../../anchor-client/ledgers/ledger.ts'
import type { Admission } from '../../anchor-client/ledgers/requests.ts'
import { outcomeOf } from '../../anchor-client/ledgers/witness/answers.ts'
import { openKeeper, type WitnessKeeper } from '../../anchor-client/ledgers/witness/keeper.ts'
import { witness as ledger } from '../../anchor-client/ledgers/witness.ts'
import { openHttpServer, type Tls } from '../../gateway/witness/http-server.ts'
import { openLimiter, usualLimits, type WitnessLimits } from '../../gateway/witness/limits.ts'
import type { Witness } from '../../gateway/witness/open-witness.ts'
import { replyTo } from '../../gateway/witness/replies.ts'
import { host } from './embedded.ts'
import type { OwnedLedger } from './ledger-under-test.ts'

/** A witness in this process, on a port of its own: its real server, rules and log, but a key without a file. */
export interface ServedWitness extends AsyncDisposable {
  readonly url: string
  readonly keeper: WitnessKeeper
  readonly warnings: readonly string[]
  admit(admission: Admission): Promise<Outcome>
}

interface Served {
  readonly port?: number
  readonly isFirstUse?: boolean
  readonly limits?: Partial<WitnessLimits>
  readonly tls?: Tls
  readonly told?: Partial<LedgerHost>
}

/** Nothing that these tests ask for is too much. */
const wide = { perSecond: 1e6, burst: 1e6 }

export async function serveWitness(folder: string, of: Served = {}): Promise<ServedWitness> {
  const { port = 0, isFirstUse = true, tls, told } = of
  const limits = { ...usualLimits, peer: wide, gateway: wide, ...of.limits }
  const owner = host({ isFirstUse, ...told })
  const mayAdd = openLimiter(limits.gateway)
  const keeper = await openKeeper(join(folder, 'witness'), owner, {
    mayAdd: (gateway) => (mayAdd(bytesToHex(gateway)) ? null : 'too fast'),
  })
  const served: Witness = {
    publicKey: owner.publicKey,
    ledgerId: keyId(owner.publicKey),
    sign: (message) => owner.sign(message) as Uint8Array,
    keeper: async () => keeper,
    [Symbol.asyncDispose]: () => keeper[Symbol.asyncDispose](),
  }
  const warnings: string[] = []
  const listen = { host: '127.0.0.1', port, isLoopback: true }
  const server = await openHttpServer(
    listen,
    tls,
    limits,
    (question) => replyTo(served, question),
    (message) => warnings.push(message),
  )
  return {
    url: server.url,
    keeper,
    warnings,
    admit: async (admission) => outcomeOf(await keeper.admit(admission)),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await served[Symbol.asyncDispose]()
    },
  }
}

type Options = Parameters<typeof ledger.connect>[0]

export const connectTo = (url: string, told: Partial<Options> = {}): Promise<LedgerSession> =>
  ledger.connect({ url, timeoutMs: 30_000, ...told }, host())

/** A connection with the registrar beside it, who sits at the witness itself. */
export async function ownedBy(
  served: () => ServedWitness,
  session: LedgerSession,
): Promise<OwnedLedger> {
  return { ...session, registrar: { admit: (admission) => served().admit(admission) } }
}

export const portOf = (url: string): number => Number(new URL(url).port)
