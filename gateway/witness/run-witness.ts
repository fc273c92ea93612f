/** Runs a witness: an anchor for gateways of others, kept by whoever they do not control. */
import { bytesToHex } from '../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { formatTime } from '../../anchor-client/evidence/rfc3339.ts'
import type { SignedEntry } from '../../anchor-client/ledgers/witness/entries.ts'
import { holding } from '../held.ts'
import type { SecretReference } from '../keys/secret.ts'
import { mustFitSocket } from '../serving/line-socket.ts'
import { openHttpServer, type Tls } from './http-server.ts'
import { openLimiter, usualLimits, type WitnessLimits } from './limits.ts'
import type { ListenAddress } from './listen-address.ts'
import { openWitness, witnessSocket } from './open-witness.ts'
import { serveRegistrar } from './registrar-socket.ts'
import { replyTo } from './replies.ts'

export type WitnessEvent =
  | {
      readonly event: 'started'
      readonly url: string
      readonly ledger: string
      readonly publicKey: string
      readonly data: string
      readonly entries: number
      readonly pid: number
    }
  | {
      readonly event: 'entry'
      readonly number: number
      readonly type: string
      readonly gateway: string
      readonly incarnation: number
      /** Of an anchor. */
      readonly size: number | null
      readonly at: string | null
      readonly hash: string
    }
  | { readonly event: 'warning'; readonly message: string }
  | { readonly event: 'stopped' }

interface WitnessRun {
  readonly folder: string
  readonly secret?: SecretReference | undefined
  readonly listen: ListenAddress
  readonly tls?: Tls | undefined
  readonly limits?: WitnessLimits
  readonly onEvent: (event: WitnessEvent) => void
}

/** Runs until the signal aborts, and then stops cleanly. */
export async function runWitness(run: WitnessRun, signal: AbortSignal): Promise<void> {
  const { folder, secret, listen, tls, limits = usualLimits, onEvent } = run
  if (!listen.isLoopback && tls === undefined) {
    throw new KedgeError('USAGE', 'a witness that others can reach needs TLS', {
      hint: 'Name --tls-key FILE and --tls-cert FILE, or listen on 127.0.0.1 alone.',
    })
  }
  mustFitSocket(witnessSocket(folder))
  const mayAdd = openLimiter(limits.gateway)
  const hooks = {
    mayAdd: (gateway: Uint8Array) =>
      mayAdd(bytesToHex(gateway)) ? null : 'this gateway adds entries too fast: wait',
    onEntry: (entry: SignedEntry) => onEvent(entryEvent(entry)),
  }
  await holding(async (held) => {
    const witness = held.use(await openWitness({ folder, secret, mayCreate: true, hooks }))
    held.use(await serveRegistrar(folder, witness))
    const warn = (message: string) => onEvent({ event: 'warning', message })
    const server = held.use(
      await openHttpServer(listen, tls, limits, (question) => replyTo(witness, question), warn),
    )
    onEvent({
      event: 'started',
      url: server.url,
      ledger: bytesToHex(witness.ledgerId),
      publicKey: bytesToHex(witness.publicKey),
      data: folder,
      entries: (await witness.keeper()).book.count,
      pid: process.pid,
    })
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
    await held[Symbol.asyncDispose]()
  })
  onEvent({ event: 'stopped' })
}

function entryEvent({ entry, message }: SignedEntry): WitnessEvent {
  const { number, wallMs, body } = entry
  return {
    event: 'entry',
    number,
    type: body.type,
    gateway: bytesToHex(body.gateway),
    incarnation: body.incarnation,
    size: body.type === 'anchor' ? body.size : null,
    at: wallMs === null ? null : formatTime(wallMs),
    hash: bytesToHex(message),
  }
}
