import { mkdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { decodeAnchor, decodePin } from '../anchoring/anchor-records.ts'
import { openAnchorStore } from '../anchoring/anchor-store.ts'
import { type DataFolder, lockData, makeDataFolder, readMarker } from '../data-folder.ts'
import { decodeFrameHead } from '../journal/frame.ts'
import { openRowStore } from '../journal/row-store.ts'
import { notABackup, type Part, partsIn } from './parts.ts'

/** Checks the whole file before the first byte is written. */
export async function restore(
  data: DataFolder,
  path: string,
): Promise<{ readings: number; bytes: number }> {
  if (await readMarker(data)) {
    throw new KedgeError('STORE_EXISTS', `there is a gateway in ${data.folder} already`, {
      hint: 'Name another folder with --data: nothing is ever written over.',
    })
  }
  let readings = 0
  for await (const part of partsIn(path)) {
    const runs = part.type === 'row' && part.kind === 'frame' && decodeFrameHead(part.body)?.runs
    for (const { count } of runs || []) readings += count
  }
  await makeDataFolder(data)
  await using _ = await lockData(data)
  await write(data, path)
  return { readings, bytes: (await stat(path)).size }
}

async function write(data: DataFolder, path: string): Promise<void> {
  let marker: (Part & { type: 'file' }) | undefined
  let folders: ReturnType<DataFolder['store']> | undefined
  let journal: Awaited<ReturnType<typeof openRowStore>> | undefined
  let anchors: Awaited<ReturnType<typeof openAnchorStore>> | undefined
  try {
    for await (const part of partsIn(path)) {
      if (part.type === 'file') {
        if (part.path === 'kedge.store') marker = part
        else await writeAt(data, part)
      }
      if (part.type !== 'row' && part.type !== 'pin' && part.type !== 'anchor') continue
      if (folders === undefined || !journal || !anchors) {
        const { incarnation, gateway } = markerIn(marker)
        folders = data.store(incarnation)
        await mkdir(folders.folder, { recursive: true, mode: 0o700 })
        journal = await openRowStore(folders.journal, true)
        anchors = await openAnchorStore(folders.anchors, { gateway, incarnation }, true)
      }
      if (part.type === 'row') await journal.put(part, false)
      else if (part.type === 'pin') await anchors.pin(part.name, identityIn(part))
      else await anchors.keep(part.ledgerId, [decodeAnchor(part.bytes)], false)
    }
  } finally {
    await journal?.[Symbol.asyncDispose]()
    await anchors?.[Symbol.asyncDispose]()
  }
  if (marker) await writeAt(data, marker)
}

const identityIn = ({ name, bytes }: Part & { type: 'pin' }) => {
  const { ledgerId, pin } = decodePin(name, bytes)
  return {
    state: 'described',
    ledgerId,
    pin: JSON.parse(pin),
    hashIds: [1, 2],
    finality: '',
  } as const
}

function markerIn(marker: (Part & { type: 'file' }) | undefined) {
  const text = new TextDecoder().decode(marker?.bytes)
  const { gateway, incarnation } = JSON.parse(text.slice(text.indexOf('\n')))
  return { gateway: Uint8Array.from(Buffer.from(gateway, 'hex')), incarnation: Number(incarnation) }
}

async function writeAt({ folder }: DataFolder, part: Part & { type: 'file' }): Promise<void> {
  const path = join(folder, part.path)
  // Only what a backup of ours can hold: nothing leads out of the folder.
  if (
    !/^(kedge\.(yaml|store)|keys\/[\w.-]+|ledger\/[\w.-]+|chain\/key|store\/\d+\/epochs\/\d+\.json)$/.test(
      part.path,
    )
  ) {
    throw notABackup(part.path)
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeFile(path, part.bytes, { mode: 0o600 })
}
