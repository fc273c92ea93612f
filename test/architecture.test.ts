import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path/posix'
import test from 'ava'

/** Who may import whom: a layer sees itself and the layers named here. The table is the law. */
const layers: Record<string, readonly string[]> = {
  'anchor-client/evidence': [],
  'anchor-client/ledgers': ['anchor-client/contracts', 'anchor-client/evidence'],
  'anchor-client/contracts': ['anchor-client/evidence'],
  'anchor-client/verifier': ['anchor-client/evidence'],
  drivers: ['anchor-client/evidence'],
  config: ['anchor-client/evidence', 'anchor-client/ledgers', 'drivers'],
  gateway: ['anchor-client/evidence', 'anchor-client/ledgers', 'config', 'drivers'],
  hardware: ['anchor-client/evidence'],
}

/** The few files that may reach further. */
const exceptions: Record<string, readonly string[]> = {
  'gateway/demo.ts': ['hardware/sim'],
  'gateway/simulate.ts': ['hardware/sim'],
}

/** Modules that stand alone: of their own folder they see only the contract, the shared wires and what is pure. */
const contracts: Record<string, readonly string[]> = {
  'anchor-client/ledgers': [
    'anchor-client/ledgers/ledger.ts',
    'anchor-client/ledgers/files.ts',
    'anchor-client/ledgers/http-peer.ts',
    'anchor-client/ledgers/turns.ts',
    'anchor-client/ledgers/evm/',
    'anchor-client/ledgers/witness/',
  ],
  drivers: [
    'drivers/driver.ts',
    'drivers/transports/',
    'drivers/analog',
    'drivers/ble-frames.ts',
    'drivers/bme280',
    'drivers/bthome',
    'drivers/calibration.ts',
    'drivers/decimal.ts',
    'drivers/epc',
    'drivers/fridge-tag.ts',
    'drivers/json',
    'drivers/logger-',
    'drivers/m100',
    'drivers/modbus',
    'drivers/nmea',
    'drivers/pvvx.ts',
    'drivers/q-tag.ts',
    'drivers/ruuvi.ts',
    'drivers/sht.ts',
  ],
}

/** What the regulator's browser loads beside our own lines. */
const evidencePackages = ['sm-crypto', '@noble/hashes', '@noble/curves']

/** Layers that are agreed on but hold nothing yet are not judged; these two are never absent. */
const isThere = (folder: string) =>
  existsSync(folder) || ['anchor-client/evidence', 'gateway'].includes(folder)

for (const [layer, allowed] of Object.entries(layers).filter(([layer]) => isThere(layer))) {
  test(`${layer}/ imports only ${allowed.join(', ') || 'itself'}`, async (t) => {
    const imports = await importsOf(layer)
    const forbidden = imports.filter(({ file, target }) => {
      const seen = [layer, ...allowed, ...(exceptions[file] ?? [])]
      return target.startsWith('.') || (isPath(target) && !within(seen, target))
    })
    t.deepEqual(forbidden, [])
  })
}

for (const [folder, shared] of Object.entries(contracts).filter(([folder]) => isThere(folder))) {
  test(`modules in ${folder}/ do not know each other`, async (t) => {
    const imports = await importsOf(folder)
    const siblings = imports.filter(({ file, target }) => {
      const standsAlone = file !== `${folder}/index.ts` && !startsWith(shared, file)
      return standsAlone && within([folder], target) && !startsWith(shared, target)
    })
    t.deepEqual(siblings, [])
  })
}

test(`evidence/ brings in no package but ${evidencePackages.join(', ')}`, async (t) => {
  const packages = (await importsOf('anchor-client/evidence')).filter(
    ({ target }) => !isPath(target),
  )
  t.true(packages.length > 0)
  t.deepEqual(
    packages.filter(({ target }) => !within(evidencePackages, target.slice('npm:'.length))),
    [],
  )
})

test('evidence/ has no clock, no network and nothing of node', async (t) => {
  const impure =
    /['"]node:|\bBuffer\b|\bprocess\b\s*[.[?]|\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\b|\bMath\.random\b|\b(?:fetch|setTimeout|setInterval|require)\s*\(/
  const files = await sourcesOf('anchor-client/evidence')
  t.true(files.length > 0)
  const found = files.map(({ file, source }) => ({
    file,
    at: impure.exec(withoutComments(source)),
  }))
  t.deepEqual(
    found.filter(({ at }) => at !== null).map(({ file, at }) => `${file}: ${at?.[0]}`),
    [],
  )
})

test('the house has no other rooms than the agreed ones', async (t) => {
  t.deepEqual(await unknownFolders('.', [...topFolders(), 'test']), [])
  t.deepEqual(await unknownFolders('anchor-client', roomsOf('anchor-client')), [])
})

test('an import is noticed in every form it can take', (t) => {
  const source = `import a from './a.ts'
    import type { B } from "../b.ts"
    export * from './c.ts'
    import './d.ts'
    await import('./e.ts')
    import { f } from 'sm-crypto'`
  t.deepEqual(targetsIn('x/y/z.ts', source), [
    'x/y/a.ts',
    'x/b.ts',
    'x/y/c.ts',
    'x/y/d.ts',
    'x/y/e.ts',
    'npm:sm-crypto',
  ])
})

const isPath = (target: string) => !target.startsWith('npm:')
const startsWith = (paths: readonly string[], path: string) =>
  paths.some((start) => path.startsWith(start))
const within = (folders: readonly string[], path: string) =>
  folders.some((folder) => path === folder || path.startsWith(`${folder}/`))

const roomsOf = (house: string) =>
  Object.keys(layers)
    .filter((layer) => layer.startsWith(`${house}/`))
    .map((layer) => layer.slice(house.length + 1))
const topFolders = () => Object.keys(layers).map((layer) => layer.split('/')[0] ?? '')

async function unknownFolders(folder: string, known: readonly string[]) {
  const entries = await readdir(folder, { withFileTypes: true })
  return entries
    .filter((entry) => entry.isDirectory() && !/^\.|^node_modules$|^coverage$/.test(entry.name))
    .map(({ name }) => name)
    .filter((name) => !known.includes(name))
}

async function sourcesOf(folder: string) {
  const names = await readdir(folder, { recursive: true })
  const files = names.filter((name) => name.endsWith('.ts')).map((name) => join(folder, name))
  return Promise.all(files.map(async (file) => ({ file, source: await readFile(file, 'utf8') })))
}

/** Everything that a folder imports: paths from the root of the repository, packages as `npm:name`. */
const importsOf = async (folder: string) =>
  (await sourcesOf(folder)).flatMap(({ file, source }) =>
    targetsIn(file, source).map((target) => ({ file, target })),
  )

/** Static, type-only, for effect, re-exported, or `import()`. */
function targetsIn(file: string, source: string): readonly string[] {
  const matches = withoutComments(source).matchAll(
    /(?:\bfrom|\bimport|\brequire)[\s(]*['"`]([^'"`\n]+)['"`]/g,
  )
  return Array.from(matches, ([, target = '']) =>
    target.startsWith('.') ? join(dirname(file), target) : `npm:${target}`,
  )
}

const withoutComments = (source: string) =>
  source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '')
