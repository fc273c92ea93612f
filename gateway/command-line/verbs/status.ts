import type { Command } from '../command.ts'
import { printable } from '../terminal.ts'
import { askAndPrint, noOperands } from './asking.ts'

export const status: Command = {
  summary: 'How the gateway is: streams, journal, anchors, clock, and what is degraded',
  usage: '',
  options: {},
  notes: ['Exit: 0 well, 3 degraded; what that can be is listed in gateway/README.md.'],

  async run(args, terminal) {
    noOperands(args, 'status')
    return askAndPrint(args, terminal, 'status', {}, inWords)
  },
}

function inWords(line: Readonly<Record<string, unknown>>): string {
  const { gateway, incarnation, running, seq, streams, journal, anchors, clock, degraded } =
    line as unknown as {
      gateway: string
      incarnation: number
      running: boolean
      seq: number
      streams: { stream: string; leaves: number; open: boolean }[]
      journal: { readings: number; bytes: number; roomHours: number | null; unsealed: number }
      anchors: { ledger: string; head: number; lag: number; state: string }[]
      clock: { source: string; boundMs: number | null; time: string | null }
      degraded?: string[]
    }
  const room = journal.roomHours === null ? '' : `, room for ${Math.floor(journal.roomHours)} h`
  const bound = clock.boundMs === null ? 'error unknown' : `± ${clock.boundMs} ms`
  return [
    `gateway   ${gateway} (incarnation ${incarnation}), ${running ? 'running' : 'not running'}`,
    `journal   ${journal.readings} leaves, ${journal.unsealed} not sealed, ${journal.bytes} bytes${room}`,
    `batches   ${seq + 1}`,
    ...anchors.map(
      (of) => `anchor    ${of.ledger}: ${of.head} batches, ${of.lag} behind, ${of.state}`,
    ),
    `clock     ${clock.source}, ${bound}${clock.time ? `, ${clock.time}` : ''}`,
    ...streams.map(
      (of) => `stream    ${of.stream}: ${of.leaves} leaves${of.open ? '' : ', closed'}`,
    ),
    ...(degraded ?? []).map((why) => `DEGRADED  ${why}`),
  ]
    .map(printable)
    .join('\n')
}
