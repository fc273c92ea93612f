import { KedgeError } from '../../../anchor-client/evidence/errors.ts'
import type { Command } from '../command.ts'
import { printable } from '../terminal.ts'
import { askAndPrint } from './asking.ts'

const usage = 'ls | get SIZE | retry'

export const anchor: Command = {
  summary: 'What the ledgers have taken of this gateway, and what is on its way',
  usage,
  options: { ledger: { value: 'NAME', means: 'only this one, as kedge anchor ls calls it' } },
  notes: [
    'ls lists every anchor, of each ledger the newest first; get shows where a history of SIZE batches is anchored;\n' +
      'retry asks at once, whatever pause the running gateway waits out.',
    'A history of SIZE batches ends with batch SIZE − 1.',
  ],

  async run({ operands, ...args }, terminal) {
    const [what = '', size, ...more] = operands
    const isRight =
      (what === 'get' && size !== undefined && /^[1-9]\d{0,15}$/.test(size)) ||
      ((what === 'ls' || what === 'retry') && size === undefined)
    if (!isRight || more.length > 0) {
      throw new KedgeError('USAGE', 'anchor needs one of its parts', {
        hint: `kedge anchor ${usage}`,
      })
    }
    const asked = { what, size, ledger: args.text('ledger') }
    return askAndPrint({ operands, ...args }, terminal, 'anchors', asked, inWords)
  },
}

function inWords(line: Readonly<Record<string, unknown>>): string {
  const { ledger, size, root, state, block, at, cost, id, confirmations } = line
  const place = block === null ? `${id ?? 'not prepared yet'}` : `entry or block ${block}`
  const over = confirmations === null ? null : `${confirmations} blocks over it`
  const about = [place, over, at, cost && `cost ${cost}`].filter(Boolean).join(', ')
  return printable(
    `${ledger}: ${size} batches, ${state}, ${about}, root ${String(root).slice(0, 16)}…`,
  )
}
