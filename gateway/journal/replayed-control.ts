import { equalBytes } from '../../anchor-client/evidence/bytes.ts'
import type { LeafRecord } from '../../anchor-client/evidence/model.ts'
import { decodeRecord } from '../../anchor-client/evidence/records.ts'
import { decodeDescriptor } from '../../anchor-client/evidence/stream.ts'
import type { StoredLeaf } from './frame.ts'
import type { Damaged } from './segments.ts'

/** What the gateway's own stream tells: which boot it was, which streams there are, what was declared. */
export function openControl(onStream: (number: number, descriptor: Uint8Array) => void) {
  const declared: LeafRecord[] = []
  let boot = -1
  let machineBoot: Uint8Array = new Uint8Array()

  function seen(newer: number): void {
    if (newer <= boot) return
    boot = newer
    machineBoot = new Uint8Array()
  }

  return {
    declared,
    get boot() {
      return boot
    },
    get machineBoot() {
      return machineBoot
    },
    beginAt(snapshot: { readonly boot: number; readonly machineBoot: Uint8Array }): void {
      boot = snapshot.boot
      machineBoot = snapshot.machineBoot
    },
    read(leaves: readonly StoredLeaf[]): void {
      for (const { body } of leaves) {
        const record = decodeRecord(body)
        if ('time' in record && record.time) seen(record.time.boot)
        if (record.type === 'note' && record.name === 'machine-boot') machineBoot = record.bytes
        if (record.type === 'damage') declared.push(record)
        if (record.type !== 'stream') continue
        onStream(decodeDescriptor(record.descriptor).number, record.descriptor)
      }
    },
    /** Where a boot's own record is gone, what was recorded in it tells of it. */
    seen,
  }
}

/** What of the damage found is not on record. */
export const undeclared = (
  damage: readonly Damaged[],
  declared: readonly LeafRecord[],
): Damaged[] =>
  damage.filter(({ tag, from, to }) => {
    const declares = (record: LeafRecord) =>
      record.type === 'damage' &&
      equalBytes(record.tag, tag) &&
      record.from <= from &&
      record.to >= to
    return !declared.some(declares)
  })
