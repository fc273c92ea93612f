/** Files that a power cut leaves whole: as they were before, or as they should be. */
import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs'
import { access, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/** On the disk when it resolves; until then the file of that name is what it was. For its owner's eyes only. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  await writeSynced(newOf(path), content)
  await rename(newOf(path), path)
  await syncFolder(dirname(path))
}

/** The same for whoever must not let anything else happen in between. */
export function writeWholeSync(path: string, content: string): void {
  const file = openSync(newOf(path), 'w', 0o600)
  try {
    writeFileSync(file, content)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(newOf(path), path)
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

/** To be renamed only afterwards: on the disk a name may come before the bytes, and they would be none. */
export async function writeSynced(
  path: string,
  content: string | Uint8Array,
  flags: 'w' | 'wx' = 'w',
): Promise<void> {
  const file = await open(path, flags, 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Names are on the disk only when their folder is: a file that was fsynced may still have none. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

/** Where a file is written that does not have its name yet. */
const newOf = (path: string): string => `${path}.new`
