import type { Engine, Suites } from './engine.ts'
import { evm } from './evm.ts'
import { mqtt } from './mqtt.ts'
import { runSuites } from './suites.ts'

/** npm run test:engines -- [ENGINE…]: tests against other people's programs, where they are there. */
const engines: Readonly<Record<string, Engine | Suites>> = { mqtt, evm }

/** Agreed on, and without a test so far. */
const toCome = ['fabric', 'fisco', 'browser', 'image']

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

/** Gives how many failed. */
async function runOne(name: string): Promise<number> {
  const engine = engines[name]
  if (engine === undefined) {
    console.log(`skipped ${name}: nothing is tested against it so far`)
    return 0
  }
  if ('checks' in engine) {
    return unlessMissing(name, await engine.missing(), () => runChecks(name, engine))
  }
  let failed = 0
  for (const { name: program, missing, files } of engine.on) {
    failed += await unlessMissing(`${name} on ${program}`, await missing(), () =>
      runSuites(name, files),
    )
  }
  return failed
}

async function unlessMissing(
  name: string,
  why: string | null,
  runAll: () => Promise<number>,
): Promise<number> {
  if (why === null) return runAll()
  // Where everything was to be there, what is not tested is not told as if it were well.
  const isDemanded = Boolean(process.env.KEDGE_REQUIRE_TOOLS)
  console.log(`${isDemanded ? 'not ok' : 'skipped'} ${name}: ${why}`)
  return isDemanded ? 1 : 0
}

/** Prints a line a check. */
async function runChecks(name: string, { checks }: Engine): Promise<number> {
  let failed = 0
  for (const { title, run } of checks) {
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
