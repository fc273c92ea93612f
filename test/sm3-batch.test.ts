import test from 'ava'
import { bytesToHex, concat, hexToBytes } from '../anchor-client/evidence/bytes.ts'
import {
  openFour,
  openManyInJavaScript,
  openManyScalar,
} from '../anchor-client/evidence/sm3/many.ts'
import { sm3 } from '../anchor-client/evidence/sm3.ts'
import { batchOn, sm3Batch } from '../anchor-client/evidence/sm3-batch.ts'
import { cutEvery, noise, rootLeafByLeaf, there, vectors } from './helpers/sm3.ts'

/** All three are tried here, though only one is the fastest. */
const batches = {
  'four lanes': batchOn(there(openFour())),
  'one lane': batchOn(there(openManyScalar())),
  JavaScript: batchOn(openManyInJavaScript()),
}

for (const [engine, batch] of Object.entries(batches)) {
  test(`every published digest is found in a batch (${engine})`, (t) => {
    const messages = vectors.tests.map(({ msg }) => hexToBytes(msg))
    const digests = batch.ofSlices(concat(...messages), endsOf(messages))
    t.is(bytesToHex(digests), vectors.tests.map(({ digest }) => digest).join(''))
    for (const { name, msg, digest } of vectors.tests) {
      if (msg === '') continue
      const four = new Uint8Array(2 * msg.length).map(
        (_, i) => hexToBytes(msg)[i % (msg.length / 2)] as number,
      )
      t.is(bytesToHex(batch.ofEach(four, msg.length / 2)), digest.repeat(4), name)
    }
  })

  test(`a batch of any size hashes as one by one (${engine})`, (t) => {
    for (const count of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1000]) {
      for (const length of [1, 32, 55, 56, 63, 64, 65, 80, 119, 120, 128, 200, 1024]) {
        const messages = noise(count * length)
        const expected = cutEvery(length, messages).map((message) => sm3(message))
        t.deepEqual(batch.ofEach(messages, length), concat(...expected), `${count} of ${length}`)
      }
    }
  })

  test(`every length from 1 to 300 is hashed among its neighbours (${engine})`, (t) => {
    for (let length = 1; length <= 300; length++) {
      const messages = noise(5 * length)
      const expected = cutEvery(length, messages).map((message) => sm3(message))
      t.deepEqual(batch.ofEach(messages, length), concat(...expected), `${length}`)
    }
  })

  test(`a prefix goes before each message (${engine})`, (t) => {
    for (const prefix of [0, 1, 2, 255]) {
      for (const [length, count] of [
        [32, 4097],
        [64, 4099],
        [64, 7],
        [1, 3],
        [55, 5],
        [63, 6],
      ] as const) {
        const messages = noise(count * length)
        const expected = cutEvery(length, messages).map((each) => sm3(Uint8Array.of(prefix), each))
        t.deepEqual(batch.ofEach(messages, length, { prefix }), concat(...expected))
      }
    }
  })

  test(`messages of many lengths are told apart (${engine})`, (t) => {
    const lengths = Array.from({ length: 5000 }, (_, i) => (i % 7 === 0 ? 0 : (i * 7919) % 300))
    const longer = [
      40_000, 3, 32_768, 32_769, 131_072, 131_073, 0, 100_000, 20_000, 30_000, 1_000, 31_999,
    ]
    for (const some of [lengths, longer, [], [0], [0, 0, 0, 0, 0], [5]]) {
      const messages = some.map(noise)
      const expected = messages.map((message) => sm3(message))
      t.deepEqual(batch.ofSlices(concat(...messages), endsOf(messages)), concat(...expected))
    }
  })

  test(`a message too long for a batch is hashed all the same (${engine})`, (t) => {
    for (const length of [32_768, 32_769, 200_000]) {
      const messages = noise(3 * length)
      const expected = cutEvery(length, messages).map((message) => sm3(message))
      t.deepEqual(batch.ofEach(messages, length), concat(...expected))
    }
  })

  test(`levels and roots are those of the tree that is built leaf by leaf (${engine})`, (t) => {
    for (const count of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 1000, 4095, 4096, 4097, 8195, 12_289]) {
      const leaves = noise(32 * count)
      const expected = rootLeafByLeaf(leaves)
      t.deepEqual(batch.root(leaves), expected, `${count}`)
      let level = leaves
      while (level.length > 32) level = batch.parents(level)
      if (count > 0) t.deepEqual(level, expected, `${count}`)
    }
  })

  test(`digests go where they are wanted (${engine})`, (t) => {
    const place = new Uint8Array(32 * 5)
    const messages = noise(3 * 80)
    const into = place.subarray(32, 32 * 4)
    t.is(batch.ofEach(messages, 80, { into }), into)
    t.deepEqual(place, concat(new Uint8Array(32), batch.ofEach(messages, 80), new Uint8Array(32)))
  })
}

test('a batch that does not add up is refused', (t) => {
  const { ofEach, ofSlices, parents, root } = sm3Batch()
  for (const misuse of [
    () => ofEach(new Uint8Array(65), 64),
    () => ofEach(new Uint8Array(65), 65, { prefix: 1 }),
    () => ofEach(new Uint8Array(64), 64, { into: new Uint8Array(64) }),
    () => ofEach(new Uint8Array(0), 0),
    () => ofEach(new Uint8Array(64), -64),
    () => ofEach(new Uint8Array(64), 0.5),
    () => ofSlices(new Uint8Array(9), Uint32Array.of(5, 4)),
    () => ofSlices(new Uint8Array(9), Uint32Array.of(5, 10)),
    () => parents(new Uint8Array(33)),
    () => root(new Uint8Array(33)),
  ]) {
    t.throws(misuse, { instanceOf: TypeError }, `${misuse}`)
  }
})

function endsOf(messages: readonly Uint8Array[]): Uint32Array {
  let end = 0
  return Uint32Array.from(messages, ({ length }) => {
    end += length
    return end
  })
}
