import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { fourModule } from '../../anchor-client/evidence/sm3/source/four.ts'
import { scalarModule } from '../../anchor-client/evidence/sm3/source/scalar.ts'

/** `node --import tsx test/helpers/compile-sm3.ts` rebuilds this file from the sources beside it. */
export const compiledFile = fileURLToPath(
  new URL('../../anchor-client/evidence/sm3/compiled.ts', import.meta.url),
)

/** What the file ought to hold. */
export async function compiledSm3(): Promise<string> {
  const { default: openWabt } = await import('wabt')
  const wabt = await openWabt()
  const base64 = (name: string, text: string) => {
    const module = wabt.parseWat(`${name}.wat`, text)
    try {
      module.validate()
      return Buffer.from(module.toBinary({}).buffer).toString('base64')
    } finally {
      module.destroy()
    }
  }
  return `// Compiled from source/ by test/helpers/compile-sm3.ts: not to be edited.
export const scalarBase64 =
  '${base64('scalar', scalarModule())}'

export const fourBase64 =
  '${base64('four', fourModule())}'
`
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await writeFile(compiledFile, await compiledSm3())
