import { bytesToHex } from '../bytes.ts'
import { timeOf } from '../fields.ts'
import type { EvidenceFile, FileStream, Line, Property, Range } from '../model.ts'
import { formatTime } from '../rfc3339.ts'
import { countOf, quoted } from './finding.ts'

/** What was verified, in one sentence, with what a reader must not take for shown. */
export function claimSentence(file: EvidenceFile, lines: readonly Line[]): string {
  const { gateway, incarnation } = (file.streams[0] as FileStream).descriptor
  const ranges = file.ranges.slice(0, rangesNamed).map((range) => rangeText(file, range))
  const more = file.ranges.length - ranges.length
  if (more > 0) ranges.push(countOf(more, 'further range'))
  const anchors = file.seals.flatMap(({ checkpoints }) => checkpoints.flatMap((c) => c.anchors))
  const open = lines.filter(
    ({ property, result }) => result === 'NOT CHECKED' && mustBeSaid.includes(property),
  )
  const notShown = open.map(({ property }) => property).join(', ')
  return [
    `${ranges.join(' and ')}, of gateway ${bytesToHex(gateway).slice(0, 16)}… incarnation ${incarnation}`,
    `under ${countOf(file.seals.length, 'seal')} with ${countOf(anchors.length, 'anchor')}`,
    ...(notShown ? [`not shown: ${notShown}`] : []),
  ].join(', ')
}

const rangesNamed = 5

/** These do not stand in the way of "complete", so they stand in the first sentence. */
const mustBeSaid: readonly Property[] = [
  'continuity',
  'independent',
  'fixed-before',
  'sealed-after',
]

function rangeText({ streams }: EvidenceFile, { stream, from, to, leaves }: Range): string {
  const { source } = (streams[stream] as FileStream).descriptor
  const [start, end] = [from, to - 1].map((index) => timeOf(leaves.at(index))?.wallMs)
  const times = start != null && end != null ? ` (${formatTime(start)} to ${formatTime(end)})` : ''
  return `leaves ${from} to ${to - 1} of ${quoted(source)}${times}`
}
