/** Room on the disk: readings stop before there is none, and what must be said then has a reserve. */
import { open, rm, stat, statfs } from 'node:fs/promises'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import type { DataFolder } from './data-folder.ts'
import type { Health } from './health.ts'
import type { Journal } from './journal/journal.ts'

export interface Room {
  /** Null while there is room. */
  readonly full: string | null
  /** Throws `STORE_FULL`. */
  check(): void
  look(): Promise<void>
  readonly bytes: number
  /** At the rate so far, or null where it cannot be said. */
  readonly hours: number | null
}

interface RoomLimits {
  readonly maxBytes: number
  readonly minFree: number
  readonly reserve: number
}

export function openRoom(
  { folder, reserve }: DataFolder,
  journal: Journal,
  limits: RoomLimits,
  health: Health,
): Room {
  let full: string | null = null
  let bytes = 0
  let left = Number.POSITIVE_INFINITY
  const begun = { ms: performance.now(), bytes: 0 }

  async function look(): Promise<void> {
    const { bavail, bsize } = await statfs(folder)
    bytes = await journal.bytes()
    begun.bytes ||= bytes
    const free = bavail * bsize
    left = Math.min(limits.maxBytes - bytes, free - limits.minFree)
    full =
      bytes >= limits.maxBytes
        ? `the journal has its ${limits.maxBytes} bytes (journal.maxBytes)`
        : free < limits.minFree
          ? `fewer than ${limits.minFree} bytes are free on the disk (journal.minFree)`
          : null
    if (full) {
      health.degraded('room', `no reading is taken: ${full}`)
      await rm(reserve, { force: true })
    } else {
      health.well('room')
      if (free > limits.minFree + 2 * limits.reserve) await fillReserve(reserve, limits.reserve)
    }
  }

  return {
    look,
    check() {
      if (full) throw new KedgeError('STORE_FULL', `there is no room: ${full}`)
    },
    get full() {
      return full
    },
    get bytes() {
      return bytes
    },
    get hours() {
      const perMs = (bytes - begun.bytes) / (performance.now() - begun.ms)
      return perMs > 0 && Number.isFinite(left) ? Math.max(0, left) / perMs / 3_600_000 : null
    },
  }
}

/** Written once: the blocks are then ours until the file is removed. */
async function fillReserve(path: string, size: number): Promise<void> {
  const there = await stat(path).catch(() => undefined)
  if (there?.size === size) return
  const file = await open(path, 'w', 0o600)
  try {
    const block = new Uint8Array(1024 * 1024).fill(0xff)
    for (let at = 0; at < size; at += block.length) {
      await file.write(block, 0, Math.min(block.length, size - at), at)
    }
    await file.sync()
  } finally {
    await file.close()
  }
}
