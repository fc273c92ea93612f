import { z } from 'zod'
import type { Details, Promised, Value } from '../anchor-client/evidence/model.ts'

/** What a device said once. Numbers are decimals with the digits as the sensor gave them. */
export interface Sample {
  /** One of those that `sources` names. */
  readonly source: string
  readonly kind: string
  readonly value: Value
  /** UCUM, at most 16 bytes. */
  readonly unit?: string
  /** Absent for a good value, else `suspect: ` and why. */
  readonly quality?: string
  /** What the device said before anything was done to it, where `value` does not tell. */
  readonly raw?: Value
  /** The device's own counter. */
  readonly counter?: number
  /** Names in ascending order. */
  readonly details?: Details
  /** Called once the reading is on disk: whoever waits for a receipt gets it here. */
  committed?(): void
}

/** A stream that a driver will feed, as the stream's descriptor says it for ever. */
export interface Source {
  readonly source: string
  readonly kinds: readonly string[]
  readonly promise: Promised
  readonly erasable: boolean
}

/** A receiver's time: `unixMs` was true at the call, by at most `boundMs` more or less. */
export interface ClockFix {
  readonly unixMs: number
  readonly boundMs: number
}

/** All a driver may use of the outside world besides its own device. */
export interface Surroundings {
  /** Aborted when the gateway stops. */
  readonly signal: AbortSignal
  /**
   * These bytes came from the device and are no reading: they are counted and recorded. `sources` says whose reading
   * they would have been; without it, it may have been any of the device's.
   */
  refuse(reason: string, bytes: Uint8Array, sources?: readonly string[]): void
  /** The device answered just now, and there was nothing to report on this source: its sign of life. */
  heard(source: string): void
  clock(fix: ClockFix): void
  warn(message: string): void
}

/**
 * Turns one device into samples.
 *
 * `read` opens the device, yields until `signal` aborts, and closes in `finally` what it opened.
 * When the device fails it throws a `SENSOR_*` error; the gateway waits and calls `read` again,
 * so a driver keeps no state between calls and never retries by itself.
 */
export interface Driver<Options extends z.ZodObject = z.ZodObject> {
  readonly summary: string
  readonly options: Options
  /** Known from the options alone: nothing is opened. */
  sources(options: z.output<Options>): readonly Source[]
  read(options: z.output<Options>, surroundings: Surroundings): AsyncGenerator<Sample, void>
}

/** The driver as the gateway sees it: an abort ends `read` without an error and without a last sample. */
export function defineDriver<Options extends z.ZodObject>(
  driver: Driver<Options>,
): Driver<Options> {
  return {
    ...driver,
    async *read(options, surroundings) {
      const { signal } = surroundings
      if (signal.aborted) return
      try {
        for await (const sample of driver.read(options, surroundings)) {
          if (signal.aborted) return
          yield sample
        }
      } catch (error) {
        // Whatever a wire says while it is being closed is no failure of the device.
        if (!signal.aborted) throw error
      }
    },
  }
}

/** The `unit` option of a driver: what a record can say. */
export const unitOption = z
  .string()
  .regex(/^[!-~]{1,16}$/)
  .meta({ title: 'a UCUM unit, such as Cel, % or /min' })

/** The `kind` option of a driver, and of whatever else names readings. */
export const kindOption = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/)
  .meta({ title: 'a kind of reading, such as temperature or heart-rate' })

/** Last part of the name of a stream, where a device feeds several. */
export const partName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,23}$/)
  .meta({ title: 'a name of small letters, digits and . _ -, at most 24' })

/** What `least` and `most` of a reading must keep. */
export const inOrder = ({
  least,
  most,
}: {
  least?: number | undefined
  most?: number | undefined
}) => least === undefined || most === undefined || least <= most
export const outOfOrder = { error: 'a least that is not above most' }

/** The `source` option of a driver: a name that is kept for ever, where the driver's own will not do. */
export const sourceOption = (otherwise: string) =>
  z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$/, 'letters, digits and . _ / - only, at most 64')
    .optional()
    .describe(`Name of the stream, kept for ever in its evidence (${otherwise} if not given)`)
