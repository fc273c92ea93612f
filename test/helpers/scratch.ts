import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder that is gone when the test is. Use with `await using`. */
export async function scratchFolder() {
  const path = await mkdtemp(join(tmpdir(), 'kedge-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
