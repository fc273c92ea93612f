import { createCipheriv } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { bytesToHex, concat, hexToBytes } from '../anchor-client/evidence/bytes.ts'
import { substitute } from '../anchor-client/evidence/sm4/substitute.ts'
import { sm4Ctr } from '../anchor-client/evidence/sm4.ts'
import { nativeCiphers } from '../gateway/keys/ciphers.ts'
import { smCrypto } from '../gateway/keys/sm-crypto.ts'
import type { PureRoom } from './helpers/pure-room.ts'
import { pureRooms } from './helpers/pure-rooms.ts'
import { scratchFolder } from './helpers/scratch.ts'
import { noise } from './helpers/sm3.ts'
import { run } from './helpers/spawn.ts'
import { testWith } from './helpers/tools.ts'
import { vectors } from './helpers/vectors.ts'

interface Sample {
  readonly mode: string
  readonly padding?: string
  readonly key: string
  readonly iv: string
  readonly pt: string
  readonly ct: string
}

const { block, modes } = vectors('sm/sm4.json') as {
  readonly block: readonly { name: string; key: string; pt: string; ct: string }[]
  readonly modes: readonly Sample[]
}

for (const [where, open] of pureRooms) {
  for (const { name, key, pt, ct } of block) {
    test(`the standard's example is found (${name}, ${where})`, async (t) => {
      const { blocks } = await open()
      t.is(blocks(key, pt, name.includes('million') ? 1_000_000 : 1), ct)
    })
  }

  test(`every sample of every mode is found (${where})`, async (t) => {
    const room = await open()
    const seen = new Set<string>()
    for (const sample of modes) {
      seen.add(sample.mode)
      t.is(encrypted(room, sample), sample.ct, `${sample.mode} of ${sample.pt.length / 2} bytes`)
    }
    t.deepEqual([...seen].sort(), ['cbc', 'cfb', 'ctr', 'ofb'])
  })

  test(`counters carry over from byte to byte and start again after the last (${where})`, async (t) => {
    const { ctr } = await open()
    const key = bytesToHex(noise(16))
    for (const counter of ['ff'.repeat(16), `${'00'.repeat(14)}ffff`, `${'00'.repeat(15)}fb`]) {
      const message = noise(400)
      t.is(ctr(key, counter, bytesToHex(message)), byNode(key, counter, message))
    }
  })
}

/** What only the block is offered for is put together here. */
function encrypted({ ctr, blocks }: PureRoom, { mode, key, iv, pt, ct }: Sample): string {
  if (mode === 'ctr') return ctr(key, iv, pt)
  const size = 16
  const input = hexToBytes(pt)
  const padding = ct.length > pt.length ? size - (input.length % size) : 0
  const padded = concat(input, new Uint8Array(padding).fill(padding))
  const encrypt = (bytes: Uint8Array) => hexToBytes(blocks(key, bytesToHex(bytes), 1))
  const xor = (a: Uint8Array, b: Uint8Array) => a.map((byte, i) => byte ^ (b[i] as number))
  let before = hexToBytes(iv)
  let out = ''
  for (let at = 0; at < padded.length; at += size) {
    const part = padded.subarray(at, at + size)
    const mask = mode === 'cbc' ? encrypt(xor(part, before)) : encrypt(before)
    const result = mode === 'cbc' ? mask : xor(part, mask)
    before = mode === 'ofb' ? mask : result
    out += bytesToHex(result)
  }
  return out
}

test('the S-box without a table is the one that the standard defines', (t) => {
  for (let start = 0; start < 256; start += 32) {
    const planes = new Int32Array(8)
    for (let lane = 0; lane < 32; lane++) {
      for (let bit = 0; bit < 8; bit++) {
        planes[bit] = (planes[bit] as number) | ((((start + lane) >> bit) & 1) << lane)
      }
    }
    substitute(planes)
    for (let lane = 0; lane < 32; lane++) {
      const value = planes.reduce((sum, plane, bit) => sum | (((plane >>> lane) & 1) << bit), 0)
      t.is(value, defined(start + lane), `${start + lane}`)
    }
  }
})

/** A · (A · x ⊕ c)⁻¹ ⊕ c, by the definition. */
function defined(x: number): number {
  return affine(inverse(affine(x)))
}

function affine(x: number): number {
  let result = 0xd3
  for (let i = 0; i < 8; i++) {
    const row = ((0xa7 << i) | (0xa7 >> (8 - i))) & 0xff
    const bits = (row & x).toString(2).replaceAll('0', '').length
    result ^= (bits & 1) << i
  }
  return result
}

const inverse = (a: number): number =>
  Array.from({ length: 256 }, (_, b) => b).find((b) => product(a, b) === 1) ?? 0

function product(a: number, b: number): number {
  let sum = 0
  for (let i = 7; i >= 0; i--) {
    sum <<= 1
    if (sum & 0x100) sum ^= 0x1f5
    if ((b >> i) & 1) sum ^= a
  }
  return sum
}

test('both rooms encrypt alike, and the same call decrypts', (t) => {
  const native = nativeCiphers()
  for (let length = 0; length <= 300; length++) {
    const [key, counter, message] = [noise(16 + length).slice(-16), noise(16), noise(length)]
    const ciphertext = sm4Ctr(key, counter, message)
    t.deepEqual(native.sm4Ctr(key, counter, message), ciphertext)
    t.deepEqual(native.sm4Ctr(key, counter, ciphertext), message)
    t.deepEqual(sm4Ctr(key, counter, ciphertext), message)
  }
})

test('another implementation encrypts blocks alike', (t) => {
  for (let i = 1; i <= 50; i++) {
    const [key, block] = [noise(15 + i).slice(-16), noise(40 + i).slice(-16)]
    const theirs = smCrypto.sm4.encrypt(Array.from(block), bytesToHex(key), { padding: 'none' })
    t.is(bytesToHex(sm4Ctr(key, block, new Uint8Array(16))), theirs)
  }
})

testWith('openssl')('the openssl command decrypts what is encrypted here, and back', async (t) => {
  await using folder = await scratchFolder()
  const [key, counter] = [noise(16), noise(17).slice(1)]
  for (const length of [1, 16, 1000]) {
    const [message, path] = [noise(length), join(folder.path, 'm')]
    await writeFile(path, sm4Ctr(key, counter, message))
    const options = ['-K', bytesToHex(key), '-iv', bytesToHex(counter), '-in', path]
    const out = ['-out', join(folder.path, 'out')]
    t.is((await run('openssl', ['enc', '-d', '-sm4-ctr', ...options, ...out])).code, 0)
    const { stdout } = await run('openssl', ['dgst', '-sm3', ...out.slice(1)])
    const expected = await digestOf(message, folder.path)
    t.is(stdout.trim().split('= ')[1], expected)
  }
})

async function digestOf(message: Uint8Array, folder: string) {
  const path = join(folder, 'expected')
  await writeFile(path, message)
  const { stdout } = await run('openssl', ['dgst', '-sm3', path])
  return stdout.trim().split('= ')[1]
}

test('a key or a counter of another length is refused', (t) => {
  for (const length of [0, 15, 17, 32]) {
    t.throws(() => sm4Ctr(noise(length), noise(16), noise(1)), { instanceOf: TypeError })
    t.throws(() => sm4Ctr(noise(16), noise(length), noise(1)), { instanceOf: TypeError })
  }
})

function byNode(key: string, counter: string, message: Uint8Array): string {
  const cipher = createCipheriv('sm4-ctr', hexToBytes(key), hexToBytes(counter))
  return cipher.update(message, undefined, 'hex') + cipher.final('hex')
}
