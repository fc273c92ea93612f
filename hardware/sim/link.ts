import { mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { dirname } from 'node:path'

/** Lets a name lead to `target`; a stale link of an earlier run is replaced in one step. */
export function putLink(link: string, target: string): void {
  mkdirSync(dirname(link), { recursive: true })
  const next = `${link}.${process.pid}`
  rmSync(next, { force: true })
  symlinkSync(target, next)
  renameSync(next, link)
}

/** The names of both serial devices. */
export const linksIn = (folder: string) => [`${folder}/dev/uhf`, `${folder}/dev/gnss`] as const

/** Takes the name away, unless it has come to lead elsewhere than to `target`. */
export function takeLink(link: string, target?: string): void {
  try {
    const leadsTo = readlinkSync(link)
    if (target === undefined || leadsTo === target) rmSync(link)
  } catch {
    // It was gone already.
  }
}
