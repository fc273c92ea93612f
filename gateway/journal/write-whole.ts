import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/** The file is there whole, or as it was before; either way it is on the disk. */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600)
  await file.writeFile(bytes)
  await file.sync()
  await file.close()
  await rename(`${path}.new`, path)
  const folder = await open(dirname(path), 'r')
  await folder.sync()
  await folder.close()
}
