/** Runs the drivers: what they yield goes on record, what fails is tried again, and its silence is declared. */
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import type { ClockFix, Driver, Sample, Source } from '../drivers/driver.ts'
import { backoffMs, pause } from './retry.ts'

export interface Device {
  readonly name: string
  readonly driver: Driver
  readonly options: Readonly<Record<string, unknown>>
  readonly isSimulated: boolean
}

export interface DeviceHost {
  /** False where there is no room for it, and its sender, who waits for a receipt, is to send it again. */
  take(device: Device, sample: Sample): boolean
  /** Resolves once what was taken is on the disk: who brings more than that can take must wait. */
  settled(): Promise<void>
  /** Of these sources something came that is no reading: called for each, whether or not it goes on record. */
  garbled(device: Device, sources: readonly string[]): void
  refuse(source: string, reason: string, bytes: Uint8Array): void
  heard(device: Device, source: string): void
  clock(fix: ClockFix): void
  /** Not again for the same reason; null when the device is there again. */
  trouble(device: Device, error: KedgeError | null): void
  warn(device: Device, message: string): void
}

export const sourcesOf = ({ driver, options }: Device): readonly Source[] =>
  driver.sources(options as never)

/** Ends when the signal aborts, never before, and never with an error: nobody waits for one. */
export async function runDevice(
  device: Device,
  host: DeviceHost,
  signal: AbortSignal,
): Promise<void> {
  const own = sourcesOf(device).map(({ source }) => source)
  const refusals = limitedRefusals(host.refuse)
  const guarded = guardedBy((message) => host.warn(device, message))
  let isInTrouble = false
  const isThere = () => {
    refusals.settle()
    if (isInTrouble) host.trouble(device, null)
    isInTrouble = false
  }
  let attempt = 0
  let taken = 0
  while (!signal.aborted) {
    try {
      const samples = device.driver.read(device.options as never, {
        signal,
        refuse: guarded((reason, bytes, sources = own) => {
          const [source = device.name, ...others] = sources
          refusals.refuse(others.length === 0 ? source : device.name, reason, bytes)
          host.garbled(device, sources)
        }),
        heard: guarded((source) => {
          host.heard(device, source)
          isThere()
          attempt = 0
        }),
        clock: guarded((fix) => host.clock(fix)),
        warn: (message) => host.warn(device, message),
      })
      for await (const sample of samples) {
        const isTaken = host.take(device, sample)
        isThere()
        // Receipts go out in order: one that is never given would hold back all that come after it.
        if (!isTaken) break
        attempt = 0
        taken += 1
        if (taken % mostAhead === 0) await host.settled()
      }
    } catch (error) {
      if (signal.aborted) return
      if (!isInTrouble) guarded(() => host.trouble(device, asKedgeError(device, error)))()
      isInTrouble = true
    }
    await pause(backoffMs(attempt++), signal)
  }
}

/**
 * What the gateway cannot do for a device is told, once as long as it is the same, and does not end the process: a
 * driver calls from the events of its wire, too, where nobody would catch it.
 */
function guardedBy(warn: (message: string) => void) {
  let told: string | undefined
  return <Of extends readonly unknown[]>(act: (...of: Of) => void) =>
    (...of: Of): void => {
      try {
        act(...of)
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        if (message !== told) warn(message)
        told = message
      }
    }
}

/** A device that sends faster than the disk writes must not fill the memory. */
const mostAhead = 1024

function asKedgeError({ name }: Device, error: unknown): KedgeError {
  if (error instanceof KedgeError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new KedgeError('SENSOR_ABSENT', `${name}: ${message}`, { cause: error })
}

/**
 * A wire that carries noise must not fill the card: beyond a few of a source in a span they are counted, and told in
 * one. Of each source by itself, since one that is broken must not hide another.
 */
function limitedRefusals(refuse: (source: string, reason: string, bytes: Uint8Array) => void) {
  const most = 10
  const spanMs = 10_000
  const spans = new Map<string, { readonly sinceMs: number; count: number }>()
  const isOver = (sinceMs: number) => performance.now() - sinceMs > spanMs
  /** Also once it is quiet again, so that none stays uncounted. */
  const settle = (): void => {
    for (const [source, { sinceMs, count }] of spans) {
      if (!isOver(sinceMs)) continue
      spans.delete(source)
      if (count > most) {
        refuse(source, `${count - most} more like these were refused`, new Uint8Array())
      }
    }
  }
  return {
    settle,
    refuse(source: string, reason: string, bytes: Uint8Array): void {
      settle()
      const span = spans.get(source) ?? { sinceMs: performance.now(), count: 0 }
      spans.set(source, span)
      span.count += 1
      if (span.count <= most) refuse(source, reason, bytes)
    },
  }
}
