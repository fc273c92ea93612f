/** From where the journal is read on open: all that came before is summed up in a snapshot. */
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { type Frontier, frontierOf } from '../../anchor-client/evidence/merkle.ts'
import type { RowSource } from './row-source.ts'
import { decodeSealRow } from './seal-row.ts'

/** The newest seal with a snapshot: named by the newest seal that can be read. */
export async function lastSnapshot(source: RowSource) {
  for (let number = source.nextRow - 1; number >= 0; number--) {
    const row = await source.get(number)
    if (row.kind !== 'seal') continue
    const seal = decodeSealRow(row.body)
    if (seal.snapshot) return { row: number, seal: { ...seal, snapshot: seal.snapshot } }
    if (seal.snapshotRow === null) return undefined
    // Rows in between cannot hold a newer one; a damaged one sends us further back.
    number = seal.snapshotRow + 1
  }
  return undefined
}

export function frontierFrom(size: number, hashes: Uint8Array): Frontier {
  const frontier = frontierOf(size, hashes)
  if (frontier === undefined) throw unmendable('a snapshot does not fit its size')
  return frontier
}

export const unmendable = (what: string): KedgeError =>
  new KedgeError('STORE_DAMAGED', `${what}: the journal cannot be gone on with`, {
    hint: 'Bring back a backup with kedge store restore, or begin a new life with kedge init --new-incarnation.',
  })
