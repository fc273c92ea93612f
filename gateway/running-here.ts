/** Tells `install.mjs` that a gateway runs from this clone: packages must not be exchanged under it. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './paths.ts'

export function runningHere(): AsyncDisposable {
  const path = join(root, `.running-${process.pid}`)
  try {
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
