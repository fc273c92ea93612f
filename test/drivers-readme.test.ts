/** What drivers/README.md tells a newcomer to write, written and run. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import test from 'ava'
import { loadConfig } from '../config/load.ts'
import { registry } from '../config/registry.ts'
import { started } from './driver-suite.ts'
import { bytesOf, names } from './helpers/config.ts'
import { scratchFolder } from './helpers/scratch.ts'

/** The driver of the README, as if it lay in drivers/. */
async function exampleIn(folder: string) {
  const readme = await readFile('drivers/README.md', 'utf8')
  const [, source = ''] = /```ts\n([\s\S]*?)```/.exec(readme) ?? []
  const [, line = ''] = /Add its line to \[`index\.ts`\]\(index\.ts\): `(.*?)`/.exec(readme) ?? []
  const [, name = '', exported = ''] = /^'(.+)': (\w+),$/.exec(line) ?? []
  const placed = source.replaceAll(/from '([^']+)'/g, (_, target: string) => {
    const url = target.startsWith('.')
      ? pathToFileURL(join(process.cwd(), 'drivers', target)).href
      : import.meta.resolve(target)
    return `from '${url}'`
  })
  const file = join(folder, `${name}.ts`)
  await writeFile(file, placed)
  const module = await import(pathToFileURL(file).href)
  return { name, driver: module[exported] }
}

test('the driver that the README shows reads its device, refuses what is no reading, and ends by name', async (t) => {
  await using scratch = await scratchFolder()
  const { driver } = await exampleIn(scratch.path)
  const file = join(scratch.path, 'contact')
  await writeFile(file, '1\n')
  const options = driver.options.parse({ file, everyMs: 100 })
  t.is(driver.sources(options)[0].source, 'door')
  {
    await using reading = started(driver, options)
    t.like((await reading.samples.next()).value, { source: 'door', kind: 'contact', value: true })
    await writeFile(file, 'ajar')
    const next = reading.samples.next()
    while (reading.refused.length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
    t.is(reading.refused[0]?.reason, 'neither 0 nor 1')
    await writeFile(file, '0')
    t.like((await next).value, { value: false })
  }
  const absent = started(driver, { ...options, file: join(scratch.path, 'nowhere') })
  await t.throwsAsync(absent.samples.next(), { code: 'SENSOR_ABSENT' })
})

test('with the one line that the README names, the configuration has the new driver', async (t) => {
  await using scratch = await scratchFolder()
  const { name, driver } = await exampleIn(scratch.path)
  const text = `${names}devices: { gate: { driver: ${name}, file: /run/gate } }`
  const added = { ...registry, drivers: { ...registry.drivers, [name]: driver } }
  t.is(loadConfig(bytesOf(text), 'kedge.yaml', '/data', added).faults, undefined)
  const { [name]: _, ...others } = registry.drivers
  const without = { ...registry, drivers: others }
  const [fault] = loadConfig(bytesOf(text), 'kedge.yaml', '/data', without).faults ?? []
  t.regex(fault?.error.message ?? '', /expected one of/)
})
