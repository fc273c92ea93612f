import { open, stat } from 'node:fs/promises'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { typedPath } from '../command-line/paths.ts'

/** Writes a PEM file. It takes the place of nothing but an empty file or of another public part. */
export async function writePublic(file: string, pem: string): Promise<void> {
  const path = typedPath(file)
  try {
    if (!(await mayBeReplaced(path))) {
      throw new KedgeError('FILE_UNREADABLE', `${file} is there already, and is something else`, {
        hint: 'Name another file.',
      })
    }
    const target = await open(path, 'w', 0o644)
    try {
      await target.writeFile(pem)
    } finally {
      await target.close()
    }
  } catch (cause) {
    if (cause instanceof KedgeError) throw cause
    const { message } = cause as NodeJS.ErrnoException
    throw new KedgeError('FILE_UNREADABLE', `cannot write: ${message}`, { cause })
  }
}

async function mayBeReplaced(path: string): Promise<boolean> {
  const there = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (there === undefined) return true
  // A device or a pipe is not opened: that alone may wait for ever.
  if (!there.isFile()) return false
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(64), 0, 64, 0)
    const start = buffer.toString('latin1', 0, bytesRead)
    return bytesRead === 0 || labels.some((label) => start.startsWith(`-----BEGIN ${label}-----`))
  } finally {
    await file.close()
  }
}

const labels = ['CERTIFICATE REQUEST', 'CERTIFICATE', 'PUBLIC KEY']
