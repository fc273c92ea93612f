import { bytesToHex } from '../bytes.ts'
import type { ControlRecord, Descriptor, Erase, EvidenceFile, FileStream } from '../model.ts'
import { isReading } from '../records.ts'
import { eraseMessage } from '../seal.ts'
import { verifySm2 } from '../sm2.ts'
import { controlStream } from '../stream.ts'
import type { Trust } from '../trust.ts'
import { type Finding, fail, notChecked, pass, worstOf } from './finding.ts'

/** Control records of one type that the file opens. */
export function controlRecords<Type extends ControlRecord['type']>(
  { streams, ranges }: EvidenceFile,
  type: Type,
): Extract<ControlRecord, { type: Type }>[] {
  const found: ControlRecord[] = []
  for (const { stream, leaves } of ranges) {
    if ((streams[stream] as FileStream).descriptor.number !== controlStream.number) continue
    for (const [, leaf] of leaves) {
      if (leaf.form === 'opened' && leaf.record.type === type)
        found.push(leaf.record as ControlRecord)
    }
  }
  return found as Extract<ControlRecord, { type: Type }>[]
}

/** Which of the file's streams were erased, by tag in hex, and by whose order. */
export function erasures(file: EvidenceFile): ReadonlyMap<string, readonly Erase[]> {
  const tags = new Set(file.streams.map(({ tag }) => bytesToHex(tag)))
  const erased = new Map<string, Erase[]>()
  for (const record of controlRecords(file, 'erase')) {
    const tag = bytesToHex(record.tag)
    if (tags.has(tag)) erased.set(tag, [...(erased.get(tag) ?? []), record])
  }
  return erased
}

/** Line 15: what was erased was erasable, by order of a controller, and is gone. */
export function erasedLine(file: EvidenceFile, trust: Trust | null): Finding {
  const erased = erasures(file)
  if (erased.size === 0) return notChecked('nothing erased')
  const findings = [...erased].flatMap(([tag, records]) => {
    const at = file.streams.findIndex((stream) => bytesToHex(stream.tag) === tag)
    const { descriptor } = file.streams[at] as FileStream
    const { source, erasable } = descriptor
    if (!erasable) return fail(`${source} was not opened as erasable`)
    if (hasOpenedReading(file, at)) {
      return fail(`${source} was erased, and yet a reading of it is opened`)
    }
    return records.map((record) => orderFinding(descriptor, record, trust))
  })
  return worstOf(findings)
}

function orderFinding(
  stream: Descriptor,
  { tag, order, controller, signature }: Erase,
  trust: Trust | null,
): Finding {
  const { source } = stream
  if (!verifySm2(controller, eraseMessage(stream, tag, order), signature)) {
    return fail(`the order to erase ${source} is not signed by the controller it names`)
  }
  if (trust?.controllers.has(bytesToHex(controller)) !== true) {
    return notChecked(`the controller who erased ${source} is not in trust`)
  }
  return pass(`${source} was erased under order ${bytesToHex(order).slice(0, 16)}…`)
}

function hasOpenedReading({ ranges }: EvidenceFile, at: number): boolean {
  for (const { stream, leaves } of ranges) {
    if (stream !== at) continue
    for (const [, leaf] of leaves) {
      if (leaf.form === 'opened' && isReading(leaf.record)) return true
    }
  }
  return false
}
