import { join } from 'node:path'
import type { DemoEvent } from '../../demo.ts'
import type { Command } from '../command.ts'
import { dataOf } from '../data-of.ts'
import { jsonLine, printable, type Terminal } from '../terminal.ts'
import { verdicts } from '../words.ts'
import { noOperands } from './asking.ts'
import { inWords, stopSignal } from './running.ts'

export const demo: Command = {
  summary: 'Run a gateway on simulated devices: readings, batches, anchors, verified evidence',
  usage: '[--once]',
  options: { once: { means: 'end after the first verified anchor' } },
  notes: [
    'The devices are simulated, and speak the bytes of real ones; everything else is the gateway as it\n' +
      'runs on a truck. The key it makes lies beside its secret: good for a demonstration only.',
  ],

  async run(args, terminal) {
    noOperands(args, 'demo')
    const data = dataOf(args)
    const stop = stopSignal()
    const { runDemo } = await import('../../demo.ts')
    return runDemo(
      {
        data,
        isOnce: args.flag('once'),
        onEvent(event) {
          void terminal.print(...(terminal.json ? [jsonLine(event)] : told(event, terminal)))
        },
      },
      stop,
    )
  },
}

function told(event: DemoEvent, terminal: Terminal): readonly string[] {
  switch (event.event) {
    case 'devices':
      return [printable(`simulated devices: ${event.message}`)]
    case 'evidence':
      return [printable(`evidence: ${event.bytes} bytes over ${event.kinds.join(', ')}`)]
    case 'verified': {
      const { evidence, trust, verdict, seconds } = event
      const words = verdicts[terminal.language][verdict as keyof typeof verdicts.en] ?? verdict
      return [
        terminal.good(`verified after ${seconds} s: ${words}`),
        'check it by hand:',
        printable(`  npm run -s kedge -- verify ${evidence} --trust ${trust}`),
        printable(`  npm run -s kedge -- show ${evidence}`),
        printable(
          `  npm run -s kedge -- verify ${evidence} --trust ${trust} --extract ${join(evidence, '..', 'extracted')}   (and then the openssl line)`,
        ),
      ]
    }
    default:
      return [inWords(event, terminal)]
  }
}
