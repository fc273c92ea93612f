import { parseArgs } from 'node:util'
import { chains } from './chains.ts'
import { drivers } from './drivers.ts'
import { evidence } from './evidence.ts'
import { journal } from './journal.ts'
import { keys } from './keys.ts'
import { mqtt } from './mqtt.ts'
import { randomFrom } from './random.ts'
import type { Target } from './target.ts'
import { trust } from './trust.ts'

/** npm run fuzz -- [TARGET] [--seconds N] [--seed N] [--json]: hostile input, and what cost the most. */
const targets: Readonly<Record<string, Target>> = {
  chains,
  drivers,
  evidence,
  journal,
  keys,
  mqtt,
  trust,
}

const usage = `npm run fuzz -- [TARGET] [--seconds N] [--seed N] [--json]

${Object.entries(targets)
  .map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`)
  .join('\n')}`

process.exitCode = await main()

async function main(): Promise<number> {
  const asked = understand()
  if (asked === undefined) {
    console.error(usage)
    return 2
  }
  const { names, seconds, seed, json } = asked
  let code = 0
  for (const name of names) {
    const endMs = Date.now() + (1000 * seconds) / names.length
    try {
      const outcome = await (targets[name] as Target).run(
        randomFrom(seed),
        () => Date.now() > endMs,
      )
      print(name, seed, outcome, json)
    } catch (error) {
      console.error(`${name}: with --seed ${seed}:`, error)
      code = 1
    }
  }
  return code
}

function understand() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        seconds: { type: 'string', default: '20' },
        seed: { type: 'string', default: String(Date.now() % 1_000_000) },
        json: { type: 'boolean', default: false },
      },
    })
    const names = positionals.length > 0 ? positionals : Object.keys(targets)
    const [seconds, seed] = [Number(values.seconds), Number(values.seed)]
    const isKnown = names.every((name) => Object.hasOwn(targets, name))
    if (!isKnown || !(seconds > 0) || !Number.isSafeInteger(seed)) return undefined
    return { names, seconds, seed, json: values.json }
  } catch {
    return undefined
  }
}

function print(
  name: string,
  seed: number,
  { tried, worst }: Awaited<ReturnType<Target['run']>>,
  json: boolean,
): void {
  if (json) {
    console.log(JSON.stringify({ target: name, seed, tried, worst }))
    return
  }
  console.log(`${name}: ${tried.toLocaleString('en')} inputs tried with --seed ${seed}; the worst:`)
  console.table(worst)
}
