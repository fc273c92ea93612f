import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { extractCheckpoints } from '../../anchor-client/evidence/extract.ts'
import { limits } from '../../anchor-client/evidence/file.ts'
import { leadsTo, statementLeaf } from '../../anchor-client/evidence/merkle.ts'
import { sm3 } from '../../anchor-client/evidence/sm3.ts'
import { parseTrust } from '../../anchor-client/evidence/trust.ts'
import { verifyEvidence } from '../../anchor-client/evidence/verify.ts'
import { type LargeFile, largeFile, largeTrust } from '../helpers/large.ts'
import { isSignedBySmCrypto, signerOf } from '../helpers/signer.ts'
import { treeOf } from '../helpers/tree.ts'
import { atMost, inTurn, type Row } from './row.ts'

const topic = 'verify'
const trust = parseTrust(largeTrust)
const one: LargeFile = {
  streams: 1,
  leaves: 100_000,
  headers: 10_000,
  from: 54_321,
  to: 54_322,
  seals: 1,
}
const month: LargeFile = { ...one, from: 50_000, to: 58_640 }

export function* benchVerify(): Iterable<Row> {
  yield* sizes()
  yield signatures()
  yield proofs()
  yield readings()
  yield* largest()
}

function* sizes(): Iterable<Row> {
  const bytes = (asked: LargeFile) => checked(largeFile(asked)).length
  const kb = 1000
  const single = bytes(one)
  const million = { ...one, leaves: 1_000_000, headers: 1_000_000 }
  const range = bytes(month)
  const opened = (range - bytes({ ...month, to: month.to - 1000 })) / 1000
  const beside = range - opened * (month.to - month.from)
  const stream = bytes({ ...one, streams: 2 }) - single
  const seal = (bytes({ ...month, seals: 31 }) - range) / 30
  yield size('one reading among 10^5 under 10^4 headers', single, 1.8 * kb)
  yield size('one reading among 10^6 under 10^6 headers', bytes(million), 2.1 * kb)
  yield size('beside the readings of 30 days (8,640)', beside, 3 * kb)
  yield size('an opened reading', opened, 80)
  yield size('a further stream', stream, 1.2 * kb)
  yield size('a further seal', seal, 1.1 * kb)
}

const size = (what: string, ours: number, limit: number): Row =>
  atMost(topic, what, Math.round(ours), 'bytes', limit)

/** Only a file that verifies counts. */
function checked(file: Uint8Array): Uint8Array {
  const { verdict } = verifyEvidence(file, trust, { expect: [], maxLagMs: null })
  if (verdict !== 'complete') throw new Error(`the file to measure is ${verdict}`)
  return file
}

function signatures(): Row {
  const file = largeFile(one)
  const [{ message } = { message: sm3() }] = extractCheckpoints(file)
  const signer = signerOf('3d'.repeat(32))
  const signature = signer.sign(message)
  const { ours, peer } = inTurn(
    9,
    () => checked(file),
    // The file has two signatures: the gateway's and the witness's.
    () => {
      isSignedBySmCrypto(signer.publicKey, message, signature)
      isSignedBySmCrypto(signer.publicKey, message, signature)
    },
  )
  const { median, spread, runs } = ours
  const peerName = 'sm-crypto, its two signatures alone'
  return {
    topic,
    what: 'a file of one reading, whole',
    ours: median,
    unit: 'ms',
    peer: peer.median,
    peerName,
    better: 'lower',
    runs,
    spread,
  }
}

function proofs(): Row {
  const count = 1000
  const leaves = new Uint8Array(32 * 1_000_000)
  const view = new DataView(leaves.buffer)
  const indices = Array.from({ length: count }, (_, i) => i * 997)
  for (let i = 0; i < 1_000_000; i++) view.setUint32(32 * i, i)
  const leafOf = (i: number) => leaves.subarray(32 * i, 32 * i + 32)
  const { root, path } = treeOf(sm3, leaves)
  const paths = indices.map((i) => ({ i, path: path(i) }))
  const { ours } = inTurn(
    9,
    () => {
      for (const proof of paths) {
        if (!leadsTo(sm3, leafOf(proof.i), proof.i, 1_000_000, proof.path, root)) {
          throw new Error('a sound proof does not verify')
        }
      }
    },
    () => statementLeaf(sm3, root),
  )
  const row = atMost(topic, '1,000 proofs in a tree of 1 M leaves', ours.median, 'ms', 40)
  return { ...row, runs: ours.runs, spread: ours.spread }
}

/** The peer does no more than hash what any verifier must hash: commit, leaf and node of each reading. */
function readings(): Row {
  const file = largeFile(month)
  const count = month.to - month.from
  const node = new Uint8Array(65)
  const { ours, peer } = inTurn(
    5,
    () => checked(file),
    () => {
      for (let i = 0; i < count; i++) {
        createHash('sm3').update(node).update(node.subarray(0, 20)).digest()
        createHash('sm3').update(node.subarray(0, 33)).digest()
        createHash('sm3').update(node).digest()
      }
    },
  )
  return {
    topic,
    what: 'readings of a range, judged whole',
    ours: (1000 * count) / ours.median,
    unit: '1/s',
    peer: (1000 * count) / peer.median,
    peerName: 'createHash, its hashes alone',
    better: 'higher',
    runs: ours.runs,
    spread: ours.spread,
  }
}

/** A valid file of the full size, judged by the command in a process of its own. */
function* largest(): Iterable<Row> {
  const bytesOfOne = 71
  const count = Math.floor((limits.bytes - 4096) / bytesOfOne)
  const folder = mkdtempSync(join(tmpdir(), 'kedge-bench-'))
  try {
    const file = largeFile({ ...one, leaves: count, from: 0, to: count })
    writeFileSync(join(folder, 'large.kedge'), file)
    writeFileSync(join(folder, 'trust.json'), largeTrust)
    const child = fileURLToPath(new URL('verify-largest.ts', import.meta.url))
    const answer = execFileSync(process.execPath, ['--import', 'tsx', child, folder])
    const { seconds, bytes } = JSON.parse(answer.toString())
    const mb = Math.round(file.length / 1e6)
    yield atMost(topic, `a valid file of ${mb} MB, time`, seconds, 's', 30)
    yield atMost(topic, `a valid file of ${mb} MB, memory`, bytes / file.length, '× its size', 6)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
