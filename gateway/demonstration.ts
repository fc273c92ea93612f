/** What the verbs on simulated devices share: the configuration that reaches them, and evidence to look at. */
import { readFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import { disclosedBy } from '../anchor-client/evidence/fields.ts'
import { parseTrust } from '../anchor-client/evidence/trust.ts'
import { verifyEvidence } from '../anchor-client/evidence/verify.ts'
import { type Loaded, loadConfig } from '../config/load.ts'
import { registry } from '../config/registry.ts'
import type { DataFolder } from './data-folder.ts'
import type { Live } from './live.ts'
import { makeEvidence } from './proving/evidence.ts'
import type { Wanted } from './proving/find.ts'
import { openedLeaf } from './proving/opened-leaf.ts'
import { trustFileOf } from './queries/trust.ts'

/** Where simulated devices show themselves; made if it is not there. */
export async function devicesIn(data: DataFolder): Promise<string> {
  const folder = devicesFolder(data)
  await mkdir(folder, { recursive: true })
  return folder
}

const devicesFolder = (data: DataFolder): string => join(data.folder, 'demo')

/** A site that lies with the program. */
export const siteFile = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../config/${name}`, import.meta.url)), 'utf8')

export function loadedOr(bytes: Uint8Array, file: string, data: DataFolder): Loaded {
  const loaded = loadConfig(Uint8Array.from(bytes), file, data.folder, registry)
  if (loaded.faults === undefined) return loaded
  const [fault] = loaded.faults
  throw new KedgeError('CONFIG_INVALID', `${fault?.at}: ${fault?.error.message}`)
}

type SerialPorts = Readonly<Record<'uhf' | 'gnss', string>>

/** Where there are no virtual serial ports the simulated devices are reached over TCP. */
export function withPorts(loaded: Loaded, data: DataFolder, ports: SerialPorts): Loaded {
  const folder = devicesFolder(data)
  const devices = Object.entries(loaded.config.devices).map(([name, device]) => {
    const port = Object.entries(ports).find(([of]) => device.port === join(folder, 'dev', of))?.[1]
    return [name, port ? { ...device, port } : device]
  })
  return { ...loaded, config: { ...loaded.config, devices: Object.fromEntries(devices) } }
}

/** Writes the file and what to trust, and verifies them from there. */
export async function shownEvidence(
  { store, sealing }: Live,
  wanted: readonly Wanted[],
  name: string,
) {
  const { data, reader, epochs } = store
  const bytes = await makeEvidence({ ...store, newest: () => sealing.newest() }, wanted, {
    isUnanchored: false,
    seals: 'last',
    fields: null,
  })
  const trustText = await trustFileOf(store)
  await mkdir(data.evidence, { recursive: true })
  const evidence = join(data.evidence, `${name}.kedge`)
  const trust = join(data.evidence, `${name}.trust.json`)
  await writeFile(evidence, bytes)
  await writeFile(trust, trustText)
  const kinds = new Set<string>()
  for (const { stream, spans } of wanted) {
    for (const { from, to } of spans) {
      for await (const { leaf } of reader.leaves(stream.number, from, to)) {
        const kind = leaf && disclosedBy(openedLeaf(leaf, stream.number, epochs)).kind
        if (kind) kinds.add(kind)
      }
    }
  }
  // From the file, as anybody else would.
  const { verdict } = verifyEvidence(
    Uint8Array.from(await readFile(evidence)),
    parseTrust(trustText),
    { expect: [], maxLagMs: null },
  )
  return { evidence, trust, bytes: bytes.length, verdict, kinds: Array.from(kinds).sort() }
}
