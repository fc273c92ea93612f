/** YAML 1.2 as values with their places in the file. Hostile text is refused before it is built. */
import { Composer, type CST, Parser } from 'yaml'
import { type Complaint, complaint } from './complaint.ts'
import { build, maxDepth, type Parsed, type Spot } from './spots.ts'

export const maxConfigBytes = 256 * 1024

export function parseYaml(text: string): Parsed {
  const refused = (...complaints: Complaint[]) => ({ root: undefined, complaints })
  const tokens = Array.from(new Parser().parse(text))
  // The composer is recursive: too deep a text would end the whole process.
  const { tooDeep, unclosed } = survey(tokens)
  if (tooDeep !== undefined) {
    return refused(complaint(tooDeep, `nested more than ${maxDepth} levels deep`))
  }
  if (unclosed) return refused(complaint(unclosed.at, `this ${unclosed.sign} is never closed`))

  const documents = Array.from(
    new Composer({
      version: '1.2',
      schema: 'core',
      resolveKnownTags: false,
      // Found below with their places, and without comparing each key with all others.
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'silent',
    }).compose(tokens),
  )
  const [document, second] = documents
  if (second) {
    return refused(complaint(second.range[0], 'a second document begins here', 'remove the ---'))
  }
  if (document === undefined) return { root: nothing, complaints: [] }
  if (document.errors.length > 0) {
    return refused(
      ...document.errors.map(({ pos, code, message }) =>
        complaint(pos[0], ...inWords(code, message)),
      ),
    )
  }
  if (document.directives?.yaml.explicit) {
    return refused(complaint(0, 'a %YAML line is not wanted here', 'remove it: this is YAML 1.2'))
  }
  return build(document)
}

const nothing: Spot = { value: {}, typed: undefined, at: 0, keyAt: 0, children: new Map() }

/** Walks the tokens without recursion. */
function survey(tokens: readonly CST.Token[]) {
  let tooDeep: number | undefined
  let unclosed: { readonly at: number; readonly sign: string } | undefined
  const found = (at: number, sign: string) => {
    if (unclosed === undefined || at < unclosed.at) unclosed = { at, sign }
  }
  const open: { token: CST.Token | null | undefined; depth: number }[] = tokens.map((token) => ({
    token,
    depth: 0,
  }))
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next
    if (!token) continue
    if (token.type === 'document' && token.value) open.push({ token: token.value, depth })
    if (token.type === 'double-quoted-scalar' || token.type === 'single-quoted-scalar') {
      const sign = token.source.charAt(0)
      if (token.source.length < 2 || !token.source.endsWith(sign)) found(token.offset, sign)
    }
    if (!('items' in token)) continue
    if (token.type === 'flow-collection') {
      const { start, end } = token
      const closes = start.source === '{' ? 'flow-map-end' : 'flow-seq-end'
      if (!end.some(({ type }) => type === closes)) found(start.offset, start.source)
    }
    if (depth === maxDepth) tooDeep = Math.min(tooDeep ?? token.offset, token.offset)
    if (depth >= maxDepth) continue
    for (const { key, value } of token.items) {
      open.push({ token: key, depth: depth + 1 }, { token: value, depth: depth + 1 })
    }
  }
  return { tooDeep, unclosed }
}

/** The parser's words may quote the text, where a secret could stand; these never do. */
function inWords(code: string, message: string): readonly [string, string?] {
  switch (code) {
    case 'TAB_AS_INDENT':
      return ['a tab stands where the line is indented', 'YAML takes only spaces']
    case 'BAD_INDENT':
      return ['this line is not indented like those it belongs to']
    case 'BAD_SCALAR_START':
      return ['a value cannot begin with this character', 'put the value in quotes']
    case 'BLOCK_AS_IMPLICIT_KEY':
      return ['a second colon in one line', 'put a value that holds a colon in quotes']
    case 'MULTILINE_IMPLICIT_KEY':
    case 'MISSING_CHAR':
      return [/quote/.test(message) ? 'a quote is missing' : 'KEY: VALUE is expected here']
    case 'BAD_DQ_ESCAPE':
      return ['no such \\ sequence in double quotes', "use single quotes: '…'"]
    case 'UNEXPECTED_TOKEN':
      return ['this does not belong here']
    default:
      return [`not YAML (${code.toLowerCase().replaceAll('_', ' ')})`]
  }
}
