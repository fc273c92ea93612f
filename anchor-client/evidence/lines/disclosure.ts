import { equalBytes } from '../bytes.ts'
import { disclosedBy, timeOf } from '../fields.ts'
import { commitField } from '../leaves.ts'
import type { Descriptor, EvidenceFile, FileStream, LeafRecord, OpenedLeaf } from '../model.ts'
import { commitmentsOfPrivate } from '../record-codes.ts'
import { isControl, isReading } from '../records.ts'
import { controlStream } from '../stream.ts'
import { countOf, type Finding, fail, notChecked, pass } from './finding.ts'

/** Line 4: what is opened is what was committed, and stands where such a record may stand. */
export function disclosureLine({ streams, ranges, seals }: EvidenceFile): Finding {
  const sealedSize = new Map<number, number>()
  for (const { stream, size } of seals.flatMap(({ segments }) => segments)) {
    sealedSize.set(stream, Math.max(size, sealedSize.get(stream) ?? 0))
  }
  let opened = 0
  let hidden = 0
  let hiddenFields = 0
  for (const { stream, to, leaves } of ranges) {
    const { descriptor } = streams[stream] as FileStream
    for (const [index, leaf] of leaves) {
      if (leaf.form === 'hidden') {
        if (descriptor.number === controlStream.number) return fail('a control record is hidden')
        hidden += 1
      }
      if (leaf.form !== 'opened') continue
      opened += 1
      if (leaf.record.type === 'private')
        hiddenFields += commitmentsOfPrivate - leaf.openings.length
      const isLast = index + 1 >= (sealedSize.get(stream) ?? 0)
      const fault = faultOf(descriptor, index, leaf) ?? unclosed(leaf, isLast && index === to - 1)
      if (fault) return fail(`${descriptor.source}, leaf ${index}: ${fault}`)
    }
  }
  if (opened === 0) return notChecked('nothing is opened')
  const fields = hiddenFields > 0 ? `, and ${countOf(hiddenFields, 'field')} of opened ones` : ''
  return pass(
    `${countOf(opened, 'leaf', 'leaves')} opened, ${hidden.toLocaleString('en')} hidden${fields}`,
  )
}

function faultOf(descriptor: Descriptor, index: number, leaf: OpenedLeaf): string | undefined {
  const { record } = leaf
  if (record.type === 'private') {
    for (const { salt, bytes, number, field } of leaf.openings) {
      const commitment = record.commitments.subarray(32 * number, 32 * number + 32)
      if (!equalBytes(commitField(salt, bytes), commitment)) {
        return `the opened field ${field.name} is not what was committed`
      }
    }
  }
  const kind = kindOf(leaf)
  if (kind !== undefined && descriptor.kinds?.includes(kind) === false) {
    return `a reading of kind ${kind}, which this stream may not hold`
  }
  return misplaced(descriptor, index, record) ?? mistimed(descriptor, leaf)
}

function kindOf(leaf: OpenedLeaf): string | undefined {
  const { record } = leaf
  return record.type === 'private'
    ? disclosedBy(leaf).kind
    : 'kind' in record
      ? record.kind
      : undefined
}

function unclosed({ record }: OpenedLeaf, isLast: boolean): string | undefined {
  return record.type === 'close' && !isLast ? 'a stream goes on after its close' : undefined
}

function misplaced(
  { number, erasable }: Descriptor,
  index: number,
  record: LeafRecord,
): string | undefined {
  const inControl = number === controlStream.number
  const ofShipment = record.type === 'open' || record.type === 'join'
  if (isControl(record) !== inControl && (isControl(record) || isReading(record) || ofShipment)) {
    return `a record "${record.type}" does not belong ${inControl ? 'into' : 'outside'} the control stream`
  }
  if (erasable && (ofShipment || record.type === 'reading')) {
    return `a record "${record.type}" does not belong into an erasable stream`
  }
  if (record.type === 'open' && index !== 0) return 'a shipment opens at index 0 only'
  return undefined
}

function mistimed({ erasable }: Descriptor, leaf: OpenedLeaf): string | undefined {
  const { type } = leaf.record
  if (type === 'lost' || isReading(leaf.record)) return undefined
  const timed = timeOf(leaf) !== null
  if (timed === !erasable) return undefined
  return erasable ? 'a time, which an erasable stream may not state' : `"${type}" without a time`
}
