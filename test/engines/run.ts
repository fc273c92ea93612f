import type { Engine } from './engine.ts'
import { mqtt } from './mqtt.ts'

/** npm run test:engines -- [ENGINE…]: tests against other people's programs, where they are there. */
const engines: Readonly<Record<string, Engine>> = { mqtt }

/** Agreed on, and without a test so far. */
const toCome = ['evm', 'fabric', 'fisco', 'browser', 'image']

process.exitCode = await main(process.argv.slice(2))

async function main(asked: readonly string[]): Promise<number> {
  const known = [...Object.keys(engines), ...toCome]
  const unknown = asked.find((name) => !known.includes(name))
  if (unknown !== undefined) {
    console.error(`there is no engine ${unknown}: ${known.join(', ')}`)
    return 2
  }
  let failed = 0
  for (const name of asked.length > 0 ? asked : known) failed += await runOne(name)
  return failed === 0 ? 0 : 1
}

/** Prints a line a check, and gives how many failed. */
async function runOne(name: string): Promise<number> {
  const engine = engines[name]
  if (engine === undefined) {
    console.log(`skipped ${name}: nothing is tested against it so far`)
    return 0
  }
  const absent = await engine.missing()
  if (absent !== null) {
    console.log(`skipped ${name}: ${absent}`)
    return 0
  }
  let failed = 0
  for (const { title, run } of engine.checks) {
    try {
      await run()
      console.log(`ok ${name}: ${title}`)
    } catch (error) {
      failed += 1
      console.log(`not ok ${name}: ${title}`)
      console.error(error)
    }
  }
  return failed
}
