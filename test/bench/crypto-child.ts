import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bytesToHex, concat, utf8 } from '../../anchor-client/evidence/bytes.ts'
import { leadsTo } from '../../anchor-client/evidence/merkle.ts'
import { sm3 } from '../../anchor-client/evidence/sm3.ts'
import { sm3Batch } from '../../anchor-client/evidence/sm3-batch.ts'
import { createKeyFile, openKeyFile } from '../../gateway/keys/key-file.ts'
import { scratchFolder } from '../helpers/scratch.ts'
import { measured, milliseconds } from './row.ts'

/** Prints what a tree, or a first signature, costs a process that does nothing else. */
console.log(JSON.stringify(process.argv[2] === 'tree' ? tree() : await first()))

function tree() {
  const count = 1_000_000
  const leaves = new Uint8Array(32 * count)
  const view = new DataView(leaves.buffer)
  for (let i = 0; i < count; i++) view.setUint32(32 * i, i)

  const { parents } = sm3Batch()
  const levels: Uint8Array[] = [leaves]
  const start = performance.now()
  for (let below: Uint8Array = leaves; below.length > 32; below = levels.at(-1) as Uint8Array) {
    levels.push(parents(below))
  }
  const seconds = (performance.now() - start) / 1000
  const root = levels.at(-1) as Uint8Array

  const indices = Array.from({ length: 1000 }, (_, i) => i * 997)
  let paths: Uint8Array[] = []
  const proveMs = usually(() => {
    paths = indices.map((index) => pathOf(levels, index))
  })
  const verifyMs = usually(() => {
    for (const [i, index] of indices.entries()) {
      const leaf = leaves.subarray(32 * index, 32 * index + 32)
      if (!leadsTo(sm3, leaf, index, count, paths[i] as Uint8Array, root)) {
        throw new Error(`a proof does not lead to ${bytesToHex(root)}`)
      }
    }
  })
  return { seconds, mebibytes: peakMebibytes(), proveMs, verifyMs }
}

function usually(work: () => void): number {
  return measured(Array.from({ length: 9 }, () => milliseconds(work))).median
}

/** Of this process alone: what getrusage says goes on from the one that started it. */
function peakMebibytes(): number {
  try {
    const [, kibibytes] =
      /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
    if (kibibytes) return Number(kibibytes) / 1024
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS / 1024
}

/** The sibling on each level, where there is one: an odd last node goes up as it is. */
function pathOf(levels: readonly Uint8Array[], index: number): Uint8Array {
  const siblings: Uint8Array[] = []
  for (const [height, level] of levels.entries()) {
    const at = 32 * (Math.floor(index / 2 ** height) ^ 1)
    if (at < level.length) siblings.push(level.subarray(at, at + 32))
  }
  return concat(...siblings)
}

async function first() {
  await using folder = await scratchFolder()
  const path = join(folder.path, 'key')
  const secret = utf8('of a bench')
  await createKeyFile(path, secret)
  using key = await openKeyFile(path, secret)
  return { firstMs: milliseconds(() => void key.sign(sm3(secret))) }
}
