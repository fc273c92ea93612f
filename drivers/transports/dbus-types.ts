/** Types of D-Bus, as a signature of one letter each names them; brackets and `a` hold others. */
import { KedgeError } from '../../anchor-client/evidence/errors.ts'

export interface Type {
  readonly code: string
  readonly inner: Type[]
}

/** Of the first byte of each type; a byte of its own for what is not named. */
export const alignments: Readonly<Record<string, number>> = {
  ...{ n: 2, q: 2, i: 4, u: 4, h: 4, b: 4, s: 4, o: 4, a: 4, x: 8, t: 8, d: 8, '(': 8, '{': 8 },
}

const basic = 'ybnqiuxtdsogh'

export function typesIn(signature: string): readonly Type[] {
  if (signature.length > 255) throw garbled('a signature of more than 255 types')
  let at = 0
  const isOver = () => at >= signature.length

  function type(depth: number, isElement = false): Type {
    if (depth > maxDepth) throw garbled(`types in more than ${maxDepth} others`)
    const code = signature[at++] ?? ''
    if (code !== '' && `${basic}v`.includes(code)) return { code, inner: [] }
    if (code === 'a') return { code, inner: [type(depth + 1, true)] }
    const end = code === '(' ? ')' : code === '{' && isElement ? '}' : null
    if (end === null) throw garbled('a signature that is none')
    const inner: Type[] = []
    while (!isOver() && signature[at] !== end) inner.push(type(depth + 1))
    if (signature[at++] !== end || inner.length === 0) throw garbled('a signature that is none')
    const isPair = inner.length === 2 && basic.includes(inner[0]?.code ?? ' ')
    if (code === '{' && !isPair) throw garbled('a map without a key of its own')
    return { code, inner }
  }

  const types: Type[] = []
  while (!isOver()) types.push(type(0))
  return types
}

/** BlueZ needs ten. */
export const maxDepth = 32

export const garbled = (what: string) =>
  new KedgeError('SENSOR_GARBLED', `the D-Bus sent ${what}`, {
    hint: 'Check what listens at the address of the bus.',
  })
