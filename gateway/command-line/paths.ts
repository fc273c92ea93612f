import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of this clone, or of the installed package. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

/** A path as a person typed it, from where they stand: npm moves to `root` before it runs a script. */
export function typedPath(path: string): string {
  const standing = process.env.INIT_CWD
  const cwd = process.cwd()
  return resolve(cwd === root && standing ? standing : cwd, path)
}

/** How the command is typed here: a clone puts no `kedge` on the path. */
export const command = existsSync(join(root, 'test')) ? 'npm run -s kedge --' : 'kedge'
