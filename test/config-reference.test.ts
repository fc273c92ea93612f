import { readFile } from 'node:fs/promises'
import test from 'ava'
import { explain, explainAll } from '../config/explain.ts'
import { loadConfig } from '../config/load.ts'
import { reference, referenceFile } from '../config/reference.ts'
import { gatewaySchema, registry } from '../config/registry.ts'
import { settingsIn } from '../config/setting.ts'
import { bytesOf, names } from './helpers/config.ts'

const examples = ['demo', 'simulate', 'warehouse', 'reefer-truck', 'ward']
const exampleFile = (site: string) => new URL(`../config/${site}.yaml`, import.meta.url)

for (const site of examples) {
  test(`the example ${site} is a good configuration`, async (t) => {
    const bytes = await readFile(exampleFile(site))
    const { faults } = loadConfig(bytes, site, '/data', registry)
    t.deepEqual(
      faults?.map(({ at, error }) => `${at} ${error.message}`),
      undefined,
    )
  })
}

test('the printed reference is that of the schema (node --import tsx config/reference.ts)', async (t) => {
  t.is(await readFile(referenceFile, 'utf8'), reference(gatewaySchema))
})

test('every key is explained', (t) => {
  const silent = explainAll(gatewaySchema).filter(({ means }) => means === '')
  t.deepEqual(silent, [])
})

test('a key is explained by the name that a person gave, with what the file says', (t) => {
  const text = `${names}devices: {dock: {driver: gnss-nmea, port: /dev/gnss}}\nkeys: {secret: {env: K}}`
  const settings = settingsIn(bytesOf(text), 'kedge.yaml', gatewaySchema)
  const [one, ...more] = explain('devices.dock.port', gatewaySchema, settings.root)
  t.deepEqual(more, [])
  t.like(one, { key: 'devices.NAME.port', of: 'driver: gnss-nmea', asked: 'devices.dock.port' })
  t.deepEqual(settings.find('devices.dock.port'), { at: 'kedge.yaml:3:37', value: '/dev/gnss' })
  t.deepEqual(settings.find('keys.secret.env'), { at: 'kedge.yaml:4:17' })
  t.is(settings.find('batch.maxAge'), null)
  t.deepEqual(explain('batch.maxAgee', gatewaySchema, settings.root), [])
})

test('an editor gets a schema in which every section is closed', (t) => {
  const open: string[] = []
  const look = (schema: unknown, at: string): void => {
    if (typeof schema !== 'object' || schema === null) return
    const { type, additionalProperties } = schema as Record<string, unknown>
    if (type === 'object' && additionalProperties === undefined) open.push(at)
    for (const [key, part] of Object.entries(schema)) look(part, `${at}/${key}`)
  }
  look(gatewaySchema, '')
  t.deepEqual(open, [])
})

test('a slip in any key of the examples is found in its place', async (t) => {
  for (const site of examples) {
    const lines = (await readFile(exampleFile(site), 'utf8')).split('\n')
    for (const [i, line] of lines.entries()) {
      const [, indent, key = ''] = /^( *)(?:- )?([a-zA-Z]{4,}):/.exec(line) ?? []
      // A letter twice; names that a person chose have no wrong letters.
      const slip = lines.with(i, line.replace(key, `${key}${key.at(-1)}`)).join('\n')
      if (indent === undefined || !known.has(key)) continue
      const { faults = [] } = loadConfig(bytesOf(slip), 'file', '/data', registry)
      const found = faults.some(({ at, error }) => {
        return at.startsWith(`file:${i + 1}:`) && error.hint === `did you mean ${key}?`
      })
      t.true(found, `${site}, line ${i + 1}: ${line}`)
    }
  }
})

/** The last word of every key. */
const known = new Set(explainAll(gatewaySchema).map(({ key }) => key.split('.').at(-1)))
