/**
 * The gateway's time: milliseconds since the machine's boot, which nobody sets, and beside them the wall clock
 * with the largest error it can have. A clock that was never set has no bound, and then nothing is claimed.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { utf8 } from '../../anchor-client/evidence/bytes.ts'
import type { Time } from '../../anchor-client/evidence/model.ts'
import { sm3 } from '../../anchor-client/evidence/sm3.ts'
import type { ClockFix } from '../../drivers/driver.ts'

export interface Clock {
  readonly boot: number
  now(): Time
  /** Unix milliseconds, whatever they are worth; null where they are surely wrong. */
  unixMs(): number | null
  /** A receiver's time. True where it changes what the clock says of itself. */
  set(fix: ClockFix): boolean
  /** Looks at the system's own clock again; true where its state changed. */
  look(): boolean
}

const clockSources = { none: 0, rtc: 1, ntp: 2, gnss: 3 } as const

/** A crystal may be wrong by so much while nobody sets it. */
const driftPerMs = 100e-6
/** What systemd-timesyncd tolerates before it refuses a server. */
const ntpBoundMs = 5000
const synchronized = '/run/systemd/timesync/synchronized'
/** Before this firmware was written: a clock that says so was never set. */
const earliestMs = Date.UTC(2026, 0)

export interface MachineBoot {
  /** 16 bytes that tell one boot of the machine from another. */
  readonly id: Uint8Array
  readonly uptimeMs: () => number
}

export function machineBoot(): MachineBoot {
  try {
    const id = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return { id: sm3(utf8(id)).subarray(0, 16), uptimeMs: readUptime }
  } catch {
    // No Linux: every start counts as a boot.
    return { id: Uint8Array.from(randomBytes(16)), uptimeMs: () => performance.now() }
  }
}

const readUptime = (): number => 1000 * Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0])

/** `leastMonoMs` is the last time on record of this boot: time never runs back. */
export function openClock(boot: number, { uptimeMs }: MachineBoot, leastMonoMs: number): Clock {
  let base = Math.max(uptimeMs(), leastMonoMs) - performance.now()
  let checkedMs = performance.now()
  let fix: (ClockFix & { readonly monoMs: number }) | undefined
  let isSynchronized = existsSync(synchronized)

  function monoMs(): number {
    const now = performance.now()
    if (now - checkedMs > 1000) {
      checkedMs = now
      // The process's own counter stands still in suspend; the machine's goes on.
      const behindMs = uptimeMs() - (base + now)
      if (behindMs > 500) base += behindMs
    }
    return Math.floor(base + now)
  }

  const grown = (mono: number): number =>
    fix ? fix.boundMs + Math.ceil((mono - fix.monoMs) * driftPerMs) : Number.POSITIVE_INFINITY

  function now(): Time {
    const mono = monoMs()
    if (fix) {
      const wallMs = Math.round(fix.unixMs + mono - fix.monoMs)
      return { boot, monoMs: mono, wallMs, clock: clockSources.gnss, boundMs: grown(mono) }
    }
    const wallMs = Date.now()
    if (wallMs < earliestMs) {
      return { boot, monoMs: mono, wallMs: null, clock: clockSources.none, boundMs: null }
    }
    return isSynchronized
      ? { boot, monoMs: mono, wallMs, clock: clockSources.ntp, boundMs: ntpBoundMs }
      : { boot, monoMs: mono, wallMs, clock: clockSources.none, boundMs: null }
  }

  return {
    boot,
    now,
    unixMs: () => now().wallMs,
    set(given) {
      const mono = monoMs()
      const boundMs = Math.ceil(given.boundMs)
      const ours = fix ? fix.unixMs + mono - fix.monoMs : Number.NaN
      const isContrary = fix && Math.abs(given.unixMs - ours) > boundMs + grown(mono)
      if (given.unixMs < earliestMs || (fix && !isContrary && boundMs >= grown(mono))) return false
      const isFirst = fix === undefined
      fix = { unixMs: given.unixMs, boundMs, monoMs: mono }
      return isFirst || isContrary === true
    },
    look() {
      const was = isSynchronized
      isSynchronized = existsSync(synchronized)
      return fix === undefined && was !== isSynchronized
    },
  }
}
