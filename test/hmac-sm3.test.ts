import { createHash, createHmac } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { bytesToHex, hexToBytes } from '../anchor-client/evidence/bytes.ts'
import { hmacSm3 } from '../anchor-client/evidence/hmac-sm3.ts'
import { blocksInJavaScript, openBlocksScalar } from '../anchor-client/evidence/sm3/blocks.ts'
import { sm3Stream } from '../anchor-client/evidence/sm3-stream.ts'
import { nativeCiphers } from '../gateway/keys/ciphers.ts'
import { smCrypto } from '../gateway/keys/sm-crypto.ts'
import { pureRooms } from './helpers/pure-rooms.ts'
import { scratchFolder } from './helpers/scratch.ts'
import { noise, vectors as sm3Vectors, there } from './helpers/sm3.ts'
import { run } from './helpers/spawn.ts'
import { testWith } from './helpers/tools.ts'
import { vectors } from './helpers/vectors.ts'

interface Wycheproof {
  readonly numberOfTests: number
  readonly testGroups: readonly {
    readonly tagSize: number
    readonly tests: readonly {
      readonly tcId: number
      readonly comment: string
      readonly key: string
      readonly msg: string
      readonly tag: string
      readonly result: 'valid' | 'invalid'
    }[]
  }[]
}

const { numberOfTests, testGroups } = vectors('sm/wycheproof_hmac_sm3_test.json') as Wycheproof
const cases = testGroups.flatMap(({ tagSize, tests }) =>
  tests.map((one) => ({ ...one, digits: tagSize / 4 })),
)

test('no case of the published collection is left out', (t) => {
  t.is(cases.length, numberOfTests)
  t.true(cases.some(({ result }) => result === 'invalid'))
})

for (const [where, open] of pureRooms) {
  test(`every published tag is judged as published (${where})`, async (t) => {
    const { hmac, sameTag } = await open()
    for (const { tcId, comment, key, msg, tag, result, digits } of cases) {
      const isEqual = sameTag(hmac(key, msg).slice(0, digits), tag)
      t.is(isEqual, result === 'valid', `${tcId} ${comment}`)
    }
  })

  test(`a tag is of the whole message, however it is cut (${where})`, async (t) => {
    const { hmac } = await open()
    const bytes = noise(200)
    for (const length of [1, 31, 32, 63, 64, 65, 129]) {
      const key = bytesToHex(noise(length))
      const expected = createHmac('sm3', noise(length)).update(bytes).digest('hex')
      const [head, tail] = [bytes.subarray(0, length), bytes.subarray(length)].map(bytesToHex)
      t.is(hmac(key, bytesToHex(bytes)), expected)
      t.is(hmac(key, head as string, tail as string), expected)
    }
  })

  test(`every published digest is found when the message comes in pieces (${where})`, async (t) => {
    const { stream } = await open()
    for (const { name, msg, digest } of sm3Vectors.tests) {
      const cut = 2 * Math.floor(msg.length / 6)
      t.is(stream(msg), digest, name)
      t.is(stream(msg.slice(0, cut), '', msg.slice(cut)), digest, name)
      t.is(stream(...(msg.match(/../g) ?? [])), digest, name)
    }
    const thousand = '61'.repeat(1000)
    t.is(stream(...Array.from({ length: 1000 }, () => thousand)), sm3Vectors.million_a)
  })
}

test('the native room finds the same tags and digests', (t) => {
  const { hmacSm3: native, sm3Stream: open } = nativeCiphers()
  for (const { key, msg } of cases) {
    const [k, m] = [hexToBytes(key), hexToBytes(msg)]
    t.deepEqual(native(k, m), hmacSm3(k, m))
  }
  for (const { msg, digest } of sm3Vectors.tests) {
    const stream = open()
    stream.update(hexToBytes(msg))
    t.is(bytesToHex(stream.digest()), digest)
  }
})

test('another implementation finds the same tags', (t) => {
  for (let length = 1; length <= 150; length += 7) {
    const [key, message] = [noise(length), noise(2 * length)]
    const theirs = smCrypto.sm3(Array.from(message), { key: bytesToHex(key) })
    t.is(bytesToHex(hmacSm3(key, message)), theirs)
  }
})

const engines = { WebAssembly: there(openBlocksScalar()), JavaScript: blocksInJavaScript }
for (const [engine, blocks] of Object.entries(engines)) {
  test(`pieces of any length are one message, and two messages at once are two (${engine})`, (t) => {
    const bytes = noise(300_000)
    const [one, two] = [sm3Stream(blocks), sm3Stream(blocks)]
    const [first, second] = [createHash('sm3'), createHash('sm3')]
    for (let at = 0, length = 1; at < bytes.length; at += length, length = (length * 7) % 9_973) {
      const piece = bytes.subarray(at, at + length)
      one.update(piece)
      first.update(piece)
      two.update(piece.subarray(1))
      second.update(piece.subarray(1))
      // Asked in between, it goes on as if it had not been.
      t.is(bytesToHex(one.digest()), first.copy().digest('hex'))
    }
    t.is(bytesToHex(one.digest()), first.digest('hex'))
    t.is(bytesToHex(two.digest()), second.digest('hex'))
    one.update(bytes)
    t.is(
      bytesToHex(one.digest()),
      createHash('sm3').update(bytes).update(bytes).digest('hex'),
      'a piece larger than the working memory',
    )
  })
}

testWith('openssl')('the openssl command finds the same tags', async (t) => {
  await using folder = await scratchFolder()
  for (const length of [1, 16, 32, 64, 100]) {
    const [key, message] = [noise(length), noise(5 * length)]
    const path = join(folder.path, 'm')
    await writeFile(path, message)
    const options = ['-mac', 'HMAC', '-macopt', `hexkey:${bytesToHex(key)}`]
    const { stdout } = await run('openssl', ['dgst', '-sm3', ...options, path])
    t.is(stdout.trim().split('= ')[1], bytesToHex(hmacSm3(key, message)))
  }
})
