/** A leaf as evidence carries it, from how it is stored. */

import { timeOf } from '../../anchor-client/evidence/fields.ts'
import type { Leaf, Time } from '../../anchor-client/evidence/model.ts'
import { decodeRecord } from '../../anchor-client/evidence/records.ts'
import type { StoredLeaf } from '../journal/frame.ts'
import type { Epochs } from '../recording/epochs.ts'
import { openPrivate } from '../recording/private-leaves.ts'

/** All of it; of a private reading whose key is gone only the commit. */
export function openedLeaf(stored: StoredLeaf, stream: number, epochs: Epochs): Leaf {
  const { form, head, body } = stored
  if (form === 'plain') {
    return { form: 'opened', salt: head, bytes: body, record: decodeRecord(body), openings: [] }
  }
  const key = epochs.of(stream)?.key
  return (key && openPrivate(key, stored)) || { form: 'hidden', commit: head }
}

/** The same with only these fields of a private reading; with none of them it is hidden. */
export function narrowed(leaf: Leaf, commit: Uint8Array, fields: readonly string[]): Leaf {
  if (leaf.form !== 'opened' || leaf.record.type !== 'private') return leaf
  const openings = leaf.openings.filter(({ field }) => fields.includes(field.name))
  return openings.length > 0 ? { ...leaf, openings } : { form: 'hidden', commit }
}

interface Moment {
  readonly earliestMs: number
  readonly latestMs: number
}

/** When a leaf says that it was, as far as its clock knows; a bound that is not known is taken as none. */
export function momentOf(leaf: Leaf): Moment | null {
  const time: Time | null = timeOf(leaf)
  if (time === null || time.wallMs === null) return null
  const boundMs = time.boundMs ?? 0
  return { earliestMs: time.wallMs - boundMs, latestMs: time.wallMs + boundMs }
}
