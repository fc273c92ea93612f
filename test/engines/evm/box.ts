/** A gateway's outbox with its account on a chain, admitted by the registrar. */
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import type { EvmOptions } from '../../../anchor-client/ledgers/evm/options.ts'
import { evm } from '../../../anchor-client/ledgers/evm.ts'
import type { LedgerSession } from '../../../anchor-client/ledgers/ledger.ts'
import { type AnchorEvent, runOutbox } from '../../../gateway/anchoring/outbox.ts'
import { newBell, type Pace } from '../../../gateway/anchoring/pace.ts'
import { secretOf } from '../../helpers/anchoring.ts'
import { hostOf, optionsOf } from '../../helpers/evm-ledger.ts'
import { until } from '../../helpers/gateway.ts'
import { openStore } from '../../helpers/outbox.ts'
import { scratchFolder } from '../../helpers/scratch.ts'
import { registrarOf, writerOf } from './chains.ts'
import { contractAt, hexOf } from './genesis.ts'
import { type Recorded, recordedHistory } from './recorded.ts'
import type { Rpc } from './rpc.ts'

export interface BoxOptions {
  /** Of the nodes, or of what stands before them. */
  readonly urls: readonly string[]
  /** One that is there when all is over. */
  readonly lasting: { readonly url: string; readonly rpc: Rpc }
  readonly contract?: number
  readonly told?: Partial<EvmOptions>
}

/** The gateway from a start to a stop. */
export interface Life {
  readonly events: readonly AnchorEvent[]
  anchored(size: number): Promise<void>
  /** Resolves with what it said of it. */
  trouble(state: string): Promise<string>
  /** As `kedge anchor retry`. */
  retry(): void
  /** Once there is a proof of all that is anchored. */
  stop(): Promise<string>
}

export interface Box extends AsyncDisposable {
  readonly history: Recorded
  readonly contract: Uint8Array
  readonly path: string
  readonly startMs: number
  /** A look from elsewhere, at the node that lasts. */
  look(): Promise<LedgerSession>
  /** @param changed what the configuration says from this start on */
  live(changed?: Partial<EvmOptions>): Promise<Life>
  /** Signs the next checkpoints, as long as the box lives. */
  sign(size: number): void
}

const { signal } = new AbortController()

export const accountFolder = 'account'

/** Of the gateway that writes to this contract. */
export const historyOfBox = (contract: number, startMs: number): Recorded =>
  recordedHistory(secretOf(`gateway ${contract}`), startMs)

export const pace: Pace = {
  firstMs: 40,
  mostMs: 600,
  pollMostMs: 300,
  slowMs: 600,
  random: () => 0.5,
}

export async function openBox(t: ExecutionContext, options: BoxOptions): Promise<Box> {
  const { urls, lasting, contract: number = 0, told } = options
  const { path, ...folder } = await scratchFolder()
  const startMs = Date.now()
  const history = historyOfBox(number, startMs)
  const contract = contractAt(number)
  const bell = newBell()
  const writer = writerOf(number)
  const lives = new Set<AbortController>()
  let configured = { ...told }
  const open = (own: Partial<EvmOptions>, name: string, account = writer) =>
    evm.connect(optionsOf(lasting.url, hexOf(contract), join(path, name), own), hostOf(account))

  {
    await using session = await open(configured, 'registrar', registrarOf(number))
    const { gateway, incarnation, hashId, publicKey: key } = history
    const account = writer.address
    const admission = { gateway, incarnation, hashId, key, account }
    const admitted = await session.registrar?.admit(admission, signal)
    t.like(admitted, { state: 'final' })
  }

  return {
    history,
    contract,
    path,
    startMs,
    look: () => open(configured, 'look'),
    sign(size) {
      history.sign(size)
      bell.ring()
    },
    async live(changed = {}) {
      configured = { ...configured, ...changed }
      const session = await open({ urls: [...urls], ...configured }, accountFolder)
      const store = await openStore(path, history)
      const stop = new AbortController()
      lives.add(stop)
      const events: AnchorEvent[] = []
      const done = runOutbox({
        name: 'evm',
        session,
        history,
        store,
        signal: stop.signal,
        bell,
        pace,
        onEvent: (event) => events.push(event),
        // The bell is enough.
        waitForNewer: (_, until) =>
          new Promise((resolve) => {
            if (until.aborted) resolve()
            until.addEventListener('abort', () => resolve(), { once: true })
          }),
      })
      return {
        events,
        async anchored(size) {
          const isIt = (event: AnchorEvent) => event.event === 'anchored' && event.size >= size
          const told = () => JSON.stringify(events.at(-1))
          await until(() => events.some(isIt), `the anchor of ${size}`).catch((error) => {
            throw new Error(`${error.message}: ${told()}`)
          })
        },
        async trouble(state) {
          const found = await until(
            () => events.find((one) => one.event === 'anchor-trouble' && one.state === state),
            state,
          ).catch((error) => {
            throw new Error(`${error.message}: ${JSON.stringify(events)}`)
          })
          return 'why' in found ? found.why : ''
        },
        retry: () => bell.ring(),
        async stop() {
          await until(async () => {
            const left = store.pins().map(({ ledgerId }) => store.unproved(ledgerId, 1))
            return (await Promise.all(left)).flat().length === 0
          }, 'the last proof')
          stop.abort()
          const end = await done
          await store[Symbol.asyncDispose]()
          await session[Symbol.asyncDispose]()
          return end
        },
      }
    },
    async [Symbol.asyncDispose]() {
      for (const life of lives) life.abort()
      await folder[Symbol.asyncDispose]()
    },
  }
}
