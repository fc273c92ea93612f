/** Files in the form that loggers write, with readings of our own. */

const crlf = (lines: readonly string[]): string => `${lines.join('\r\n')}\r\n`

const head = (device: string, serial: string) => [
  `Device: ${device}`,
  'Vers: 0.5',
  'Conf:',
  ` Serial: ${serial}`,
  ' Zone: 0.00',
  ' Temp unit: C',
  ' Alarm:',
  '  0:',
  '   T AL: -0.5, t AL: 60',
  '  1:',
  '   T AL: +8.0, t AL: 600',
]

const tail = ['Cert:', ' Vers: 1.0', `Sig Cert: ${'5a'.repeat(64)}`, `Sig: ${'a5'.repeat(64)}`]

const rowHead = '\tyyyy-MM-dd hh:mm\tT\tOut of limits'

export const qTagText = (
  rows: readonly string[],
  { device = 'Q-tag CLm doc LR', serial = 'TEST00001', end = tail } = {},
): string =>
  crlf([...head(device, serial), 'Data:', rowHead, ...rows.map((row) => `\t${row}`), ...end])

export interface Day {
  readonly date: string
  readonly min: string
  readonly max: string
  readonly mean: string
  readonly minutesAbove?: number
}

export const fridgeTagText = (days: readonly Day[], serial = '130400000001'): string =>
  crlf([
    ...head('Q-tag Fridge-tag 2', serial),
    'Hist:',
    ' TS Actv: 2026-03-24 02:22',
    ...days.flatMap(({ date, min, max, mean, minutesAbove = 0 }, i) => [
      ` ${i + 1}:`,
      `  Date: ${date}`,
      `  Min T: ${min}, TS Min T: 06:16`,
      `  Max T: ${max}, TS Max T: 14:33`,
      `  Avrg T: ${mean}`,
      '  Alarm:',
      '   0:',
      '    t Acc: 0',
      '   1:',
      `    t Acc: ${minutesAbove}, TS A: 14:20, C A: 0`,
      '  Int Sensor timeout:',
      '   t AccST: 0',
      '  Events: 0',
    ]),
    ...tail,
  ])
