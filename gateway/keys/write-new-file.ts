import { randomUUID } from 'node:crypto'
import { link, mkdir, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isThere, syncFolder, writeSynced } from '../whole-files.ts'

/**
 * Writes a file that is there whole or not at all, for its owner's eyes only. False, and nothing touched,
 * where that name is taken.
 */
export async function writeNewFile(path: string, content: Uint8Array): Promise<boolean> {
  const unfinished = `${path}.${randomUUID()}.new`
  try {
    await writeSynced(unfinished, content, 'wx')
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
