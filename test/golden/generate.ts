// Writes files/ and section 14 of FORMAT.md, or with --check says what is not as this would write it.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { compare, hex, utf8 } from './bytes.ts'
import { bytesOf, manifestOf } from './case.ts'
import { cases } from './cases/index.ts'
import { trusts } from './cases/trusts.ts'
import { section } from './examples.ts'

const folder = new URL('files/', import.meta.url)
const format = new URL('../../anchor-client/evidence/FORMAT.md', import.meta.url)

/** Everything in files/, by name. Cases with the same bytes share the file of the first. */
const outputs = (): ReadonlyMap<string, Uint8Array | string> => {
  const files = new Map<string, Uint8Array | string>()
  const byBytes = new Map<string, string>()
  const names = new Set<string>()
  const put = (name: string, content: Uint8Array | string): string => {
    if (typeof content === 'string' && (files.get(name) ?? content) !== content)
      throw new TypeError(`two files are called ${name}`)
    files.set(name, content)
    return name
  }
  const manifest = cases.map((one) => {
    const bytes = bytesOf(one)
    const { name, title, trust, ...rest } = manifestOf(one)
    if (names.has(name)) throw new TypeError(`two cases are called ${name}`)
    names.add(name)
    const file = put(byBytes.get(hex(bytes)) ?? `${name}.kedge`, bytes)
    byBytes.set(hex(bytes), file)
    const trustFile = trust && put(`${trust.name}.trust.json`, trust.text)
    return JSON.stringify({ name, title, file, trust: trustFile, ...rest })
  })
  put('manifest.json', `[\n${manifest.join(',\n')}\n]\n`)
  put('trusts.json', `[\n${trusts.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`)
  return files
}

/** FORMAT.md with its worked examples computed. */
const withExamples = (page: string): string => {
  const from = page.indexOf('\n## 14 ') + 1
  const to = page.indexOf('\n## 15 ') + 1
  if (from === 0 || to < from) throw new TypeError('FORMAT.md has no section 14 before its 15')
  return page.slice(0, from) + section() + page.slice(to)
}

const write = (): void => {
  const wanted = outputs()
  mkdirSync(folder, { recursive: true })
  for (const name of readdirSync(folder)) if (!wanted.has(name)) rmSync(new URL(name, folder))
  for (const [name, content] of wanted) writeFileSync(new URL(name, folder), content)
  const page = readFileSync(format, 'utf8')
  if (withExamples(page) !== page) writeFileSync(format, withExamples(page))
}

const differences = (): readonly string[] => {
  const wanted = outputs()
  const there = existsSync(folder) ? readdirSync(folder) : []
  const page = readFileSync(format, 'utf8')
  return [
    ...[...wanted].filter(([name, content]) => !isWritten(name, content)).map(([name]) => name),
    ...there.filter((name) => !wanted.has(name)),
    ...(withExamples(page) === page ? [] : ['FORMAT.md, section 14']),
  ]
}

const isWritten = (name: string, content: Uint8Array | string): boolean => {
  const path = new URL(name, folder)
  if (!existsSync(path)) return false
  const bytes = typeof content === 'string' ? utf8(content) : content
  return compare(readFileSync(path), bytes) === 0
}

if (process.argv.includes('--check')) {
  const different = differences()
  for (const name of different) console.error(`not as generated: ${name}`)
  process.exitCode = different.length > 0 ? 1 : 0
} else write()
