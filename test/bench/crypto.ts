import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { bytesToHex } from '../../anchor-client/evidence/bytes.ts'
import { sm3Batch } from '../../anchor-client/evidence/sm3-batch.ts'
import { sm4Ctr } from '../../anchor-client/evidence/sm4.ts'
import { openCiphers } from '../../gateway/keys/ciphers.ts'
import { smCrypto } from '../../gateway/keys/sm-crypto.ts'
import { openSm2 } from '../../gateway/keys/sm2.ts'
import { noise } from '../helpers/sm3.ts'
import { atMost, type Measured, measured, type Row } from './row.ts'

const topic = 'crypto'
const runs = 3

export function* benchCrypto(): Iterable<Row> {
  yield* signatures()
  for (const bytes of [64, 256, 1024]) yield* hashes(bytes)
  yield manyLeaves()
  yield* inProcessesOfTheirOwn()
  yield* ciphers()
}

function* signatures(): Iterable<Row> {
  const sm2 = openSm2()
  if (sm2.why !== null) throw new Error(`there is nothing native to measure: ${sm2.why}`)
  const d = sm2.generate()
  const [publicKey, message] = [sm2.publicKeyOf(d), noise(32)]
  const sign = sm2.signer(d)
  const signature = sign(message)
  const [hexD, hexKey, hexSignature] = [d, publicKey, signature].map(bytesToHex) as Three
  const [list, options] = [Array.from(message), { hash: true, publicKey: hexKey } as const]
  const byPackage = {
    sign: () => void smCrypto.sm2.doSignature(list, hexD, options),
    verify: () => void smCrypto.sm2.doVerifySignature(list, hexSignature, hexKey, { hash: true }),
  }
  const ours = {
    sign: () => void sign(message),
    verify: () => void sm2.verify(publicKey, message, signature),
  }
  const rates = { sign: [] as number[][], verify: [] as number[][] }
  for (let run = 0; run < runs; run++) {
    const openssl = opensslSm2()
    for (const what of ['sign', 'verify'] as const) {
      const peers = [perSecond(byPackage[what], 0.5), ...(openssl ? [openssl[what]] : [])]
      rates[what].push([perSecond(ours[what], 1), ...peers])
    }
  }
  for (const what of ['sign', 'verify'] as const) {
    const [mine, ...peers] = columns(rates[what])
    for (const [i, peerName] of ['sm-crypto', 'openssl'].entries()) {
      if (peers[i] && mine) yield row(`SM2 ${what}`, '1/s', mine, peers[i], peerName)
    }
  }
}

/** Batched, flat, as leaves and nodes are hashed. */
function* hashes(bytes: number): Iterable<Row> {
  const count = 4096
  const messages = noise(count * bytes)
  const into = new Uint8Array(32 * count)
  const { ofEach } = sm3Batch()
  const parts = Array.from({ length: count }, (_, i) =>
    messages.subarray(i * bytes, (i + 1) * bytes),
  )
  const byNode = () => {
    for (const part of parts) createHash('sm3').update(part).digest()
  }
  const rates: number[][] = []
  for (let run = 0; run < runs; run++) {
    const ours = count * perSecond(() => void ofEach(messages, bytes, { into }), 0.5)
    const openssl = opensslSm3(bytes)
    rates.push([ours, count * perSecond(byNode, 0.5), ...(openssl ? [openssl] : [])])
  }
  const [mine, ...peers] = columns(rates)
  for (const [i, peerName] of ['createHash', 'openssl'].entries()) {
    if (peers[i] && mine) yield row(`SM3 of ${bytes} bytes`, '1/s', mine, peers[i], peerName)
  }
}

function manyLeaves(): Row {
  const [count, bytes] = [1_000_000, 80]
  const readings = noise(count * bytes)
  const { ofEach, root } = sm3Batch()
  const ours = () => bytesToHex(root(ofEach(readings, bytes)))
  const byNode = () => rootByNode(readings, count, bytes)
  if (ours() !== byNode()) throw new Error('the two trees have different roots')
  const times = Array.from({ length: runs }, () => [ownMs(ours), ownMs(byNode)])
  const [mine, peer] = columns(times) as [Measured, Measured]
  const what = '1 M readings of 80 bytes to a root'
  return { ...row(what, 'ms', mine, peer, 'createHash'), better: 'lower' }
}

/** Flat, too: a million buffers would measure the collector. */
function rootByNode(readings: Uint8Array, count: number, bytes: number): string {
  const nodes = new Uint8Array(32 * count)
  const put = (i: number, part: Uint8Array) =>
    nodes.set(createHash('sm3').update(part).digest(), 32 * i)
  for (let i = 0; i < count; i++) put(i, readings.subarray(i * bytes, (i + 1) * bytes))
  const node = new Uint8Array(65)
  node[0] = 1
  for (let size = count; size > 1; size = Math.ceil(size / 2)) {
    for (let i = 0; 2 * i + 1 < size; i++) {
      node.set(nodes.subarray(64 * i, 64 * i + 64), 1)
      put(i, node)
    }
    if (size % 2 === 1) nodes.copyWithin(16 * (size - 1), 32 * (size - 1), 32 * size)
  }
  return bytesToHex(nodes.subarray(0, 32))
}

/** Where memory counts, or what the very first call takes. */
function* inProcessesOfTheirOwn(): Iterable<Row> {
  const child = fileURLToPath(new URL('crypto-child.ts', import.meta.url))
  const asked = (what: string) =>
    JSON.parse(
      execFileSync(process.execPath, ['--import', 'tsx', child, what], { encoding: 'utf8' }),
    )
  const trees = Array.from({ length: runs }, () => asked('tree'))
  const limited = (what: string, name: string, unit: string, limit: number, from = trees) => {
    const { median, spread } = measured(from.map((one) => one[name]))
    return { ...atMost(topic, what, median, unit, limit), runs, spread }
  }
  yield limited('SM3 tree over 1 M leaves, time', 'seconds', 's', 1)
  yield limited('SM3 tree over 1 M leaves, memory', 'mebibytes', 'MiB', 200)
  yield limited('1,000 proofs from it', 'proveMs', 'ms', 20)
  yield limited('1,000 proofs verified', 'verifyMs', 'ms', 40)
  const firsts = Array.from({ length: runs }, () => asked('first'))
  yield limited('first signature after the key is unwrapped', 'firstMs', 'ms', 50, firsts)
}

function* ciphers(): Iterable<Row> {
  const [key, counter, message] = [noise(16), noise(17).subarray(1), noise(1 << 16)]
  const list = Array.from(message)
  const theirs = () => void smCrypto.sm4.encrypt(list, bytesToHex(key), { padding: 'none' })
  const megabytes = (work: () => void) => (message.length * perSecond(work, 0.5)) / 1e6
  const rates: number[][] = []
  for (let run = 0; run < runs; run++) {
    const native = megabytes(() => void openCiphers().sm4Ctr(key, counter, message))
    const pure = megabytes(() => void sm4Ctr(key, counter, message))
    rates.push([native, pure, megabytes(theirs)])
  }
  const [native, pure, peer] = columns(rates) as [Measured, Measured, Measured]
  yield row('SM4-CTR', 'MB/s', native, peer, 'sm-crypto')
  yield row('SM4-CTR in the pure room', 'MB/s', pure, peer, 'sm-crypto')
}

function row(what: string, unit: string, ours: Measured, peer: Measured, peerName: string): Row {
  const { median, spread } = ours
  const beside = { peer: peer.median, peerName, better: 'higher' } as const
  return { topic, what, ours: median, unit, ...beside, runs: ours.runs, spread }
}

const columns = (rows: readonly (readonly number[])[]): Measured[] =>
  (rows[0] ?? []).map((_, i) => measured(rows.map((values) => values[i] as number)))

/** By this process's own time, as `openssl speed` counts it, too: others use this computer. */
function perSecond(work: () => void, seconds: number): number {
  for (let i = 0; i < 3; i++) work()
  let calls = 0
  const ms = ownMs(() => {
    const end = performance.now() + 1000 * seconds
    for (; performance.now() < end; calls++) work()
  })
  return (1000 * calls) / ms
}

function ownMs(work: () => void): number {
  const before = process.cpuUsage()
  work()
  return process.cpuUsage(before).user / 1000
}

const opensslSm2 = () => {
  const [, sign, verify] = openssl(['sm2'], /^\+F7:.*:([\d.]+):([\d.]+)$/m) ?? []
  return sign && verify ? { sign: Number(sign), verify: Number(verify) } : undefined
}

const opensslSm3 = (bytes: number): number | undefined => {
  const answer = openssl(['-evp', 'sm3', '-bytes', `${bytes}`], /^\+F:.*:sm3:([\d.]+)$/m)
  return answer && Number(answer[1]) / bytes
}

/** `openssl speed`, whose machine-readable lines go to both outputs. */
function openssl(args: readonly string[], pattern: RegExp): RegExpExecArray | undefined {
  const asked = ['speed', '-mr', '-seconds', '1', ...args]
  const { stdout, stderr, status } = spawnSync('openssl', asked, { encoding: 'utf8' })
  const found = status === 0 ? pattern.exec(`${stdout}\n${stderr}`) : null
  if (!found) console.error(`skipped: openssl ${asked.join(' ')} gives no figures`)
  return found ?? undefined
}

type Three = [string, string, string]
