import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { KedgeError } from '../../../anchor-client/evidence/errors.ts'
import { loadScenario, type ScenarioFile } from '../../../config/scenario.ts'
import { dataFolder } from '../../data-folder.ts'
import type { SimulateEvent } from '../../simulate.ts'
import type { Arguments } from '../arguments.ts'
import type { Command } from '../command.ts'
import { dataOf } from '../data-of.ts'
import { root } from '../paths.ts'
import { readInput } from '../read-input.ts'
import { jsonLine, printable, type Terminal } from '../terminal.ts'
import { verdicts } from '../words.ts'
import { inWords, stopSignal } from './running.ts'

const ours = join(root, 'hardware/sim/scenarios')
const maxBytes = 64 * 1024

export const simulate: Command = {
  summary:
    'Let things happen to simulated devices: a door, a dead compressor, a pulled plug, a wrong clock',
  usage: '[SCENARIO]',
  options: {},
  notes: [
    'SCENARIO is one of ours or a file; without it ours are listed. The gateway is a real one on a folder of\n' +
      'its own (--data DIR), each reading says that it is simulated, and at the end evidence of all of it is\n' +
      'verified. Exit: 0 it says what the scenario says, 1 it does not, 2 a fault in the file.',
  ],

  async run(args, terminal) {
    const [name, ...more] = args.operands
    if (more.length > 0) {
      throw new KedgeError('USAGE', 'simulate takes one scenario', {
        hint: 'kedge simulate SCENARIO',
      })
    }
    if (name === undefined) return list(terminal)
    const scenario = await scenarioOr(name, terminal)
    if (typeof scenario === 'number') return scenario
    const stop = stopSignal()
    const { runScenario } = await import('../../simulate.ts')
    return runScenario(
      {
        data: folderOf(args),
        name: basename(name).replace(/\.yaml$/, ''),
        scenario,
        onEvent(event) {
          void terminal.print(terminal.json ? jsonLine(event) : told(event, terminal))
        },
      },
      stop,
    )
  },
}

/** Never the folder of the gateway that stands in for nothing. */
const folderOf = (args: Arguments) =>
  args.text('data') === undefined
    ? dataFolder(join(dataOf(args).folder, 'simulated'))
    : dataOf(args)

async function list(terminal: Terminal): Promise<number> {
  for (const file of (await readdir(ours)).toSorted()) {
    const loaded = loadScenario(Uint8Array.from(await readFile(join(ours, file))), file)
    if (loaded.faults) continue
    const { says, lasts: lastsMs } = loaded.value
    const scenario = file.replace(/\.yaml$/, '')
    const line = { scenario, says, seconds: lastsMs / 1000 }
    await terminal.print(
      terminal.json ? jsonLine(line) : `${scenario.padEnd(12)} ${says} (${line.seconds} s)`,
    )
  }
  return 0
}

/** The exit code where the file is broken: each fault was told. */
async function scenarioOr(name: string, terminal: Terminal): Promise<ScenarioFile | number> {
  const isOurs = /^[a-z][a-z-]*$/.test(name) && (await readdir(ours)).includes(`${name}.yaml`)
  const input = await readInput(isOurs ? join(ours, `${name}.yaml`) : name, maxBytes)
  if ('tooLarge' in input) throw new KedgeError('CONFIG_INVALID', `larger than ${maxBytes} bytes`)
  const loaded = loadScenario(input.bytes, name)
  if (loaded.faults === undefined) return loaded.value
  return Math.max(...loaded.faults.map(({ at, error }) => terminal.explain(error, at)))
}

function told(event: SimulateEvent, terminal: Terminal): string {
  switch (event.event) {
    case 'devices':
      return printable(`simulated: ${event.message}`)
    case 'verified': {
      const { evidence, trust, verdict, expected } = event
      const words = verdicts[terminal.language][verdict as keyof typeof verdicts.en] ?? verdict
      const isRight = expected === null || expected === verdict
      return [
        (isRight ? terminal.good : terminal.bad)(`verified: ${words}`),
        ...(isRight ? [] : [`the scenario says that it must be ${expected}`]),
        printable(`  npm run -s kedge -- show ${evidence}`),
        printable(`  npm run -s kedge -- verify ${evidence} --trust ${trust}`),
      ].join('\n')
    }
    default:
      return inWords(event, terminal)
  }
}
