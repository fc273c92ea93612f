/** The readings of a message as samples, whoever brought it. */
import { calibrated } from './calibration.ts'
import type { Sample } from './driver.ts'
import type { JsonMapping } from './json-mapping.ts'
import { detailsOf, type Mapped } from './json-readings.ts'

interface Bringing {
  /** Of a reading, by its name. */
  sourceOf(name: string): string
  /** Where it does not go without saying. */
  readonly topic: string | null
  readonly doubts: readonly string[]
}

export function samplesOf(
  mapped: Mapped,
  { readings }: Pick<JsonMapping, 'readings'>,
  { sourceOf, topic, doubts }: Bringing,
): readonly Sample[] {
  const { counter } = mapped
  const details = [...detailsOf(mapped), ...(topic === null ? [] : [['topic', topic] as const])]
  return mapped.readings.map(({ name, ...read }) =>
    calibrated(
      {
        ...read,
        source: sourceOf(name),
        ...(doubts.length > 0 && { quality: `suspect: ${doubts.join(', ')}` }),
        ...(counter !== null && { counter }),
        ...(details.length > 0 && { details }),
      },
      readings[name]?.calibration,
    ),
  )
}
