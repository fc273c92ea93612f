import { randomUUID } from 'node:crypto'
import { link, mkdir, open, rename, stat, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Writes a file that is there whole or not at all, for its owner's eyes only. False, and nothing touched,
 * where that name is taken.
 */
export async function writeNewFile(path: string, content: Uint8Array): Promise<boolean> {
  const unfinished = `${path}.${randomUUID()}.new`
  const file = await open(unfinished, 'wx', 0o600)
  try {
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    const isNew = await linkNew(unfinished, path)
    if (isNew) await syncFolder(dirname(path))
    return isNew
  } finally {
    await unlink(unfinished).catch(() => {})
  }
}

/** A link, unlike a rename, never takes another file's place. */
async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    // A FAT card has no links. There a second process in the same moment could still lose its file.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP') throw error
    if (await isThere(to)) return false
    await rename(from, to)
    return true
  }
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The folder of keys, and the data folder above it where that is new: no more, since a typing error is no wish. */
export async function makeKeysFolder(folder: string): Promise<void> {
  for (const path of [dirname(folder), folder]) {
    try {
      await mkdir(path, { mode: 0o700 })
      await syncFolder(dirname(path))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}
