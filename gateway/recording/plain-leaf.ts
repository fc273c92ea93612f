import { randomFillSync } from 'node:crypto'
import type { LeafRecord } from '../../anchor-client/evidence/model.ts'
import { encodeRecord } from '../../anchor-client/evidence/records.ts'
import type { StoredLeaf } from '../journal/frame.ts'

/** A record under a salt of its own. */
export const plainLeaf = (record: LeafRecord): StoredLeaf => ({
  form: 'plain',
  head: freshSalt(),
  body: encodeRecord(record),
})

// Randomness is drawn for many leaves at once: a call to the system costs more than the bytes.
let pool = new Uint8Array()
let used = 0

function freshSalt(): Uint8Array {
  if (used + 16 > pool.length) {
    pool = randomFillSync(new Uint8Array(4096))
    used = 0
  }
  used += 16
  return pool.subarray(used - 16, used)
}
