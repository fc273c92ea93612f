/** Tells `install.mjs` that a gateway runs from this clone: packages must not be exchanged under it. */
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './command-line/paths.ts'

export function runningHere(): AsyncDisposable {
  const path = join(root, `.running-${process.pid}`)
  try {
    for (const name of readdirSync(root)) if (isOfTheDead(name)) rmSync(join(root, name))
    writeFileSync(path, '')
  } catch {
    // Who may not write here does not install here either.
  }
  return {
    async [Symbol.asyncDispose]() {
      rmSync(path, { force: true })
    },
  }
}

/** Left behind by one that was killed. */
function isOfTheDead(name: string): boolean {
  const pid = Number(/^\.running-(\d+)$/.exec(name)?.[1] ?? Number.NaN)
  if (Number.isNaN(pid)) return false
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}
