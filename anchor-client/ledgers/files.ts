import { readFile } from 'node:fs/promises'
import { KedgeError } from '../evidence/errors.ts'

/** Files that a ledger's options name. @param key what names it there */
export const fileNamed = (key: string, path: string): Promise<string> =>
  readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new KedgeError('FILE_UNREADABLE', `cannot read ${key}: ${cause.message}`, { cause })
  })

export async function certificatesIn(path: string): Promise<string> {
  const text = await fileNamed('ca', path)
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text
  throw new KedgeError('FILE_UNREADABLE', `there is no certificate (PEM) in ${path}`)
}
