/**
 * A store as one file: every row as it is, whatever the program makes of it. The secret of the keys is not in it:
 * whoever finds the file cannot sign.
 */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeAnchor, encodePin } from '../anchoring/anchor-records.ts'
import type { DataFolder } from '../data-folder.ts'
import type { Store } from '../store.ts'
import { blockBytes, encodePart, magic, type Part } from './parts.ts'

/** The file's bytes, in pieces. */
export async function* backup(store: Store): AsyncGenerator<Uint8Array, void> {
  const hash = createHash('sm3')
  let pieces: Uint8Array[] = [magic]
  let length = magic.length
  hash.update(magic)
  for await (const part of partsOf(store)) {
    const bytes = encodePart(part)
    hash.update(bytes)
    pieces.push(bytes)
    length += bytes.length
    if (length < blockBytes) continue
    yield Uint8Array.from(Buffer.concat(pieces))
    pieces = []
    length = 0
  }
  pieces.push(encodePart({ type: 'end', sm3: Uint8Array.from(hash.digest()) }))
  yield Uint8Array.from(Buffer.concat(pieces))
}

async function* partsOf({ data, journal, anchors, identity }: Store): AsyncGenerator<Part, void> {
  for (const path of await filesIn(data, identity.incarnation)) {
    yield { type: 'file', path, bytes: Uint8Array.from(await readFile(join(data.folder, path))) }
  }
  for await (const row of journal.rows()) {
    if (row.kind !== 'damaged') yield { type: 'row', ...row, kind: row.kind }
  }
  for (const pinned of anchors.pins()) {
    yield { type: 'pin', name: pinned.name, bytes: encodePin(pinned) }
    for await (const anchor of anchors.list(pinned.ledgerId)) {
      yield { type: 'anchor', ledgerId: pinned.ledgerId, bytes: encodeAnchor(anchor) }
    }
  }
}

/** What is no database, the marker last: without it there is no store. */
async function filesIn(data: DataFolder, incarnation: number): Promise<string[]> {
  const under = async (folder: string, wanted: RegExp): Promise<string[]> => {
    const names = await readdir(join(data.folder, folder)).catch(() => [])
    return names.filter((name) => wanted.test(name)).map((name) => join(folder, name))
  }
  return [
    ...(await under('.', /^(kedge\.yaml|kedge\.store)$/)),
    ...(await under('keys', /\.key$/)),
    ...(await under(join('store', String(incarnation), 'epochs'), /\.json$/)),
    ...(await under('ledger', /^(witness\.log|key)$/)),
    // What the account last signed is left out: the chain knows.
    ...(await under('chain', /^key$/)),
  ]
}
