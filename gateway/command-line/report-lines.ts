import type { Report, Result } from '../../anchor-client/evidence/model.ts'
import type { Extracted } from './extract-into.ts'
import { columnsOf, jsonLine, padded, printable, type Terminal } from './terminal.ts'
import { properties, results, verdicts } from './words.ts'

/** A report as it is printed: the verdict in one sentence, then a line a property. */
export function reportLines(
  file: string,
  { verdict, claim, lines }: Report,
  extracted: readonly Extracted[] | undefined,
  terminal: Terminal,
): readonly string[] {
  const { json, language } = terminal
  if (json) return [jsonLine({ file, verdict, claim, lines, extracted })]

  const explained = properties[language]
  const names = results[language]
  const widthOf = (texts: readonly string[]) => Math.max(...texts.map(columnsOf))
  const resultWidth = widthOf(Object.values(names))
  const nameWidth = widthOf(Object.keys(explained))
  const meaningWidth = widthOf(Object.values(explained))
  return [
    `${printable(file)}: ${verdicts[language][verdict]}: ${printable(claim)}`,
    ...lines.map(({ property, result, reason }) =>
      [
        ' ',
        colourOf(result, terminal)(padded(names[result], resultWidth)),
        padded(property, nameWidth),
        padded(explained[property], meaningWidth),
        printable(reason),
      ].join('  '),
    ),
    ...(extracted ?? []).map(({ openssl }) => printable(openssl)),
  ]
}

function colourOf(result: Result, terminal: Terminal): (text: string) => string {
  switch (result) {
    case 'PASS':
      return terminal.good
    case 'FAIL':
      return terminal.bad
    case 'NOT CHECKED':
      return terminal.doubtful
  }
}
