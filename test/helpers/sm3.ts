import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { append, type Frontier, frontierRoot } from '../../anchor-client/evidence/merkle.ts'
import { sm3 } from '../../anchor-client/evidence/sm3.ts'

interface Vectors {
  readonly million_a: string
  readonly tests: readonly {
    readonly name: string
    readonly msg: string
    readonly digest: string
  }[]
}

export const vectors: Vectors = JSON.parse(
  readFileSync(new URL('../vectors/sm/sm3.json', import.meta.url), 'utf8'),
)

export const byOpenssl = (message: Uint8Array) => createHash('sm3').update(message).digest('hex')

/** Bytes without a pattern that a mistake could hide in, the same in every run. */
export function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = length + 1
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    bytes[i] = state >>> 24
  }
  return bytes
}

export function cutEvery(length: number, bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: bytes.length / length }, (_, i) =>
    bytes.subarray(length * i, length * (i + 1)),
  )
}

export function rootLeafByLeaf(leaves: Uint8Array): Uint8Array {
  const frontier: Frontier = { subtrees: [], size: 0 }
  for (const leaf of cutEvery(32, leaves)) append(sm3, frontier, 1, leaf)
  return frontierRoot(sm3, frontier)
}

/** What Node has, though other engines may not. */
export function there<T>(engine: T | undefined): T {
  if (engine === undefined) throw new Error('an engine that Node has')
  return engine
}
