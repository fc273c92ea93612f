/** A new life for a gateway whose store and ledgers do not agree: same key, new streams, a history from 0. */
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import type { Config } from '../config/schema.ts'
import { type DataFolder, type Marker, readMarker } from './data-folder.ts'
import { createStore, openStore } from './store.ts'

export interface Begun {
  readonly incarnation: number
  /** Readings of the incarnation before that no ledger has taken. */
  readonly recommitted: number
}

export async function beginAnew(data: DataFolder, _config: Config): Promise<Begun> {
  const marker = await readMarker(data)
  if (marker === undefined) {
    throw new KedgeError('STORE_MISSING', `there is no gateway in ${data.folder}`, {
      hint: 'kedge init makes one.',
    })
  }
  const previous = await lastAnchored(data, marker)
  const next: Marker = { ...marker, incarnation: marker.incarnation + 1, previous }
  await createStore(data, next)
  return { incarnation: next.incarnation, recommitted: 0 }
}

/** The last anchored checkpoint that this store knows of. */
async function lastAnchored(data: DataFolder, marker: Marker): Promise<Marker['previous']> {
  await using store = await openStore(data)
  let newest: Marker['previous'] = null
  for (const { ledgerId } of store.anchors.pins()) {
    const anchor = await store.anchors.newest(ledgerId)
    if (anchor && anchor.size > (newest?.size ?? 0)) {
      const { size, root } = anchor
      newest = { incarnation: marker.incarnation, size, hashId: marker.hashId, root }
    }
  }
  return newest
}
