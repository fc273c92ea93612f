/** `node --import tsx config/reference.ts` prints reference.md anew from the schema. */
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type Explained, explainAll } from './explain.ts'
import type { JsonSchema } from './json-schema.ts'
import { gatewaySchema } from './registry.ts'

export const referenceFile = fileURLToPath(new URL('reference.md', import.meta.url))

const opening = `# Configuration

One YAML file (YAML 1.2, at most 256 KiB) says everything that can be set. Printed from the schema by
\`node --import tsx config/reference.ts\`: not to be edited. \`kedge config explain KEY\` says the same on the command line.

- \`kedge config check FILE\` names every fault at once, with its line and column.
- Two keys are wanted, \`site\` and \`gateway\`. All others have the default that stands here, and a key that does not stand here is an error.
- A size or a duration carries its unit (\`64MiB\`, \`90s\`), unless the key ends with it (\`holdMs\`).
- A secret never stands in the file: only where it lies.
- A path is \`/from/the/root\`, or \`./from/the/data/folder\`.
- NAME is a name that you choose.
- The file is never written to. Its bytes, as they are, become part of the history that is signed.

**In an editor** that knows YAML: \`kedge config schema > kedge.schema.json\` beside the file, and this as its first line completes
keys and explains them:

\`\`\`yaml
# yaml-language-server: $schema=kedge.schema.json
\`\`\`

Whole examples: [demo](demo.yaml), [warehouse](warehouse.yaml), [reefer truck](reefer-truck.yaml), [ward](ward.yaml).
`

/** One table a section at the top; the keys of each driver and ledger in tables of their own. */
export function reference(schema: JsonSchema): string {
  const tables = new Map<string, Explained[]>()
  for (const one of explainAll(schema)) {
    const [top = ''] = one.key.split('.')
    const section = schema.properties?.[top]?.type === 'string' ? 'The two names' : top
    const title = one.of === null ? section : `${section}, ${one.of}`
    tables.set(title, [...(tables.get(title) ?? []), one])
  }
  const sections = Array.from(tables, ([title, rows]) =>
    [
      `## ${title}`,
      '',
      '| key | means | expected | default |',
      '|---|---|---|---|',
      ...rows.map(row),
      '',
    ].join('\n'),
  )
  return [opening, ...sections].join('\n')
}

const row = ({ key, means, form, default: given, required }: Explained): string => {
  const otherwise = required ? '**required**' : given === null ? '' : code(asText(given))
  return `| ${code(key)} | ${cell(means)} | ${cell(form)} | ${otherwise} |`
}

export const asText = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value)

const code = (text: string) => `\`${cell(text)}\``
const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(referenceFile, reference(gatewaySchema))
}
