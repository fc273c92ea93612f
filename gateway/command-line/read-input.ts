import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { typedPath } from './paths.ts'

/** A file's bytes, or only its size if it is larger than allowed. Anything but a file is refused. */
export async function readInput(
  path: string,
  maxBytes: number,
): Promise<{ bytes: Uint8Array } | { tooLarge: number }> {
  try {
    // Without O_NONBLOCK the open waits until somebody writes into a named pipe.
    const file = await open(typedPath(path), constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const stat = await file.stat()
      if (!stat.isFile()) throw new KedgeError('FILE_UNREADABLE', whyNot(stat))
      if (stat.size > maxBytes) return { tooLarge: stat.size }
      const { buffer, byteOffset, length } = await file.readFile()
      return { bytes: new Uint8Array(buffer, byteOffset, length) }
    } finally {
      await file.close()
    }
  } catch (cause) {
    if (cause instanceof KedgeError) throw cause
    const { code = '', message } = cause as NodeJS.ErrnoException
    throw new KedgeError('FILE_UNREADABLE', reasons[code] ?? message, { cause })
  }
}

const reasons: Record<string, string> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EACCES: 'no permission to read this file',
  EISDIR: 'this is a folder, not a file',
  ELOOP: 'a circle of symbolic links',
  // What Linux says when a socket is opened like a file.
  ENXIO: 'this is neither a file nor a folder',
}

const whyNot = (stat: { isDirectory(): boolean }): string =>
  stat.isDirectory() ? 'this is a folder, not a file' : 'this is neither a file nor a folder'
