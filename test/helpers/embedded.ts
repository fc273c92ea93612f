import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openEmbedded } from '../../anchor-client/ledgers/embedded.ts'
import type { LedgerHost } from '../../anchor-client/ledgers/ledger.ts'
import { ask, gatewayOf, secretOf } from './anchoring.ts'
import { signerOf } from './signer.ts'

export const startMs = Date.UTC(2026, 2, 1)
export const witness = signerOf(secretOf('witness'))
export const logName = 'witness.log'

export const host = (told: Partial<LedgerHost> = {}): LedgerHost => ({
  ...witness,
  nowMs: () => startMs,
  isFirstUse: false,
  ...told,
})

export const { signal } = new AbortController()
export const gateway = gatewayOf({ secret: secretOf('gateway') })

/** A log of a registration and anchors of these sizes; where each of its records ends. */
export async function writtenLog(path: string, sizes: readonly number[]) {
  const ends: number[] = []
  const log = () => readFile(join(path, logName))
  await using session = await openEmbedded(path, host({ isFirstUse: true }))
  ends.push((await log()).length)
  await session.registrar.admit(gateway.admission, signal)
  ends.push((await log()).length)
  for (const [i, size] of sizes.entries()) {
    await ask(session, gateway.anchor(sizes[i - 1] ?? 0, size))
    ends.push((await log()).length)
  }
  return { bytes: await log(), ends }
}
