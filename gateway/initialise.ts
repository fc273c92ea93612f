/** Makes a gateway: its key, its configuration, an empty store. Nothing that is there is touched. */
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { bytesToHex } from '../anchor-client/evidence/bytes.ts'
import { keyId } from '../anchor-client/evidence/sm2.ts'
import { type DataFolder, makeDataFolder, readMarker } from './data-folder.ts'
import { deviceKeyNumbers, deviceKeyPath } from './keys/device-keys.ts'
import { createKeyFile, readPublicKey } from './keys/key-file.ts'
import { readSecret, type SecretReference } from './keys/secret.ts'
import { createStore, storeExists } from './store.ts'
import { isThere } from './whole-files.ts'

interface Initialised {
  readonly gateway: string
  readonly data: string
  readonly config: string
  /** Sensors that were found; written into the configuration where that is new. */
  readonly sensors: readonly string[]
  /** False where there was one, which was left as it is. */
  readonly isNewConfig: boolean
}

/** `config` is written where there is none. */
export async function initialise(
  data: DataFolder,
  secretReference: SecretReference | undefined,
  config: (sensors: readonly string[]) => string | Uint8Array,
): Promise<Initialised> {
  if (await readMarker(data)) throw storeExists(data)
  await makeDataFolder(data)
  await mkdir(data.keys, { recursive: true, mode: 0o700 })
  const sensors = await sensorsOnBus()
  const isNewConfig = !(await isThere(data.config))
  if (isNewConfig) await writeFile(data.config, config(sensors), { flag: 'wx' })
  // A key that is there already was made for this gateway by `kedge keys new`.
  if ((await deviceKeyNumbers(data.keys)).length === 0) {
    const secret = await readSecret(secretReference, data.keys)
    await createKeyFile(deviceKeyPath(data.keys, 1), secret)
    secret.fill(0)
  }
  const gateway = keyId(await readPublicKey(deviceKeyPath(data.keys, 1)))
  await createStore(data, { gateway, incarnation: 0, hashId: 1, previous: null })
  return {
    gateway: bytesToHex(gateway),
    data: data.folder,
    config: data.config,
    sensors,
    isNewConfig,
  }
}

/** The DS18B20s that the kernel shows. */
async function sensorsOnBus(): Promise<string[]> {
  const names = await readdir('/sys/bus/w1/devices').catch(() => [])
  return names.filter((name) => /^28-[0-9a-f]{12}$/.test(name))
}

/** A commented configuration for what was found. */
export function firstConfig(sensors: readonly string[]): string {
  const devices = sensors.map(
    (address, i) => `  probe-${i + 1}:
    driver: cold-ds18b20
    address: ${address}
    # A reading each ten seconds; one that is later is on record as a gap.
    everyMs: 10000
`,
  )
  const none = `# No sensor was found on the 1-Wire bus. This is how one looks:
# devices:
#   fridge:
#     driver: cold-ds18b20
#     address: 28-0316a2794fff
`
  return `# The configuration of this gateway. \`kedge config explain\` lists every key, \`kedge config check\` names
# every fault with its line and column.
site: ${nameFrom(hostname(), 'site')}
gateway: gateway-${randomBytes(2).toString('hex')}

${devices.length > 0 ? `devices:\n${devices.join('')}` : none}
ingest:
  mqtt:
    # Publishers on this machine send to ingest/NAME.
    listen: 127.0.0.1:1883

anchor:
  # Order and proof against tampering, but nobody else vouches for it. Keep its folder on another medium:
  # then a restored or copied data folder is noticed.
  - ledger: embedded
    path: ./ledger
`
}

function nameFrom(text: string, otherwise: string): string {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .slice(0, 32)
    .replace(/^-+|-+$/g, '')
  return name || otherwise
}
