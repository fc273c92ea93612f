import { readFileSync } from 'node:fs'
import { keccak_256 } from '@noble/hashes/sha3.js'
import test from 'ava'
import { bytesToHex, hexToBytes } from '../anchor-client/evidence/bytes.ts'
import { decodeField, encodeField } from '../anchor-client/evidence/fields.ts'
import { commitField, commitLeaf, leafHash } from '../anchor-client/evidence/leaves.ts'
import {
  append,
  appendNodes,
  frontierOf,
  frontierRoot,
  historyHash,
  nodeHash,
  rootBeyond,
  rootByPath,
  statementLeaf,
} from '../anchor-client/evidence/merkle.ts'
import { readChain, sealerOf } from '../anchor-client/evidence/proofs/evm-headers.ts'
import { evmLedgerId } from '../anchor-client/evidence/proofs/evm-ledger-id.ts'
import { headSlot } from '../anchor-client/evidence/proofs/evm-slots.ts'
import {
  encodeAnchorEntry,
  encodeAnchorProof,
  entryMessage,
  witnessProofs,
} from '../anchor-client/evidence/proofs/witness.ts'
import { decodeRecord, encodeRecord } from '../anchor-client/evidence/records.ts'
import { encodeRlp } from '../anchor-client/evidence/rlp.ts'
import {
  checkpointHead,
  checkpointMessage,
  decodeHeader,
  encodeHeader,
  encodeSegment,
  eraseMessage,
  rotationMessage,
} from '../anchor-client/evidence/seal.ts'
import { keyId, verifySm2 } from '../anchor-client/evidence/sm2.ts'
import { sm3 } from '../anchor-client/evidence/sm3.ts'
import { decodeDescriptor, encodeDescriptor, streamTag } from '../anchor-client/evidence/stream.ts'

// The worked examples of FORMAT.md, recomputed with the library.

const page = readFileSync(new URL('../anchor-client/evidence/FORMAT.md', import.meta.url), 'utf8')
const examples = new Map(
  Array.from(page.matchAll(/^([A-Za-z][\w-]*) = ([0-9a-f]+)$/gm), ([, name = '', hex = '']) => [
    name,
    hexToBytes(hex),
  ]),
)

const unused = new Set(examples.keys())

function example(name: string): Uint8Array {
  unused.delete(name)
  const bytes = examples.get(name)
  if (bytes === undefined) throw new TypeError(`FORMAT.md has no example ${name}`)
  return bytes
}

const gateway = example('gateway')

for (const name of ['reading', 'gap']) {
  test(`the example of a ${name} is encoded, committed and hashed as the page says`, (t) => {
    const [salt, bytes] = [example(`${name}-salt`), example(`${name}-record`)]
    t.deepEqual(encodeRecord(decodeRecord(bytes)), bytes)
    t.deepEqual(commitLeaf(salt, bytes), example(`${name}-commit`))
    t.deepEqual(leafHash({ form: 'opened', salt, bytes }), example(`${name}-leaf`))
  })
}

test('the example of a private field is committed as the page says', (t) => {
  const field = example('field')
  t.deepEqual(encodeField(decodeField(field).field), field)
  t.deepEqual(commitField(example('field-salt'), field), example('field-commitment'))
})

test('the example of a stream has the tag, root and segment of the page', (t) => {
  const descriptor = example('descriptor')
  t.deepEqual(encodeDescriptor(decodeDescriptor(descriptor)), descriptor)
  t.deepEqual(streamTag(descriptor), example('tag'))
  const root = nodeHash(sm3, example('reading-leaf'), example('gap-leaf'))
  t.deepEqual(root, example('stream-root'))
  const segment = encodeSegment({ tag: example('tag'), size: 2, root })
  t.deepEqual(segment, example('segment'))
  t.deepEqual(statementLeaf(sm3, segment), example('segment-leaf'))
})

for (const [hashId, name] of [[1, 'sm3'] as const, [2, 'sha256'] as const]) {
  test(`the example history is hashed with ${name} as the page says`, (t) => {
    const hash = historyHash(hashId)
    const header = example('header')
    t.deepEqual(encodeHeader(decodeHeader(header)), header)
    const leaf = statementLeaf(hash, header)
    t.deepEqual(leaf, example(`header-leaf-${name}`))
    const root = nodeHash(hash, statementLeaf(hash, example('first-header')), leaf)
    t.deepEqual(root, example(`history-root-${name}`))
    const statement = { gateway, incarnation: 0, size: 2, hashId, root }
    t.deepEqual(checkpointHead(statement), example(`head-${name}`))
  })
}

const checkpoint = {
  gateway,
  incarnation: 0,
  size: 2,
  hashId: 1,
  root: example('history-root-sm3'),
} as const

test('the example checkpoint is signed as the page says', (t) => {
  const key = example('gateway-key')
  t.deepEqual(keyId(key), gateway)
  t.deepEqual(checkpointMessage(checkpoint), example('M'))
  t.deepEqual(sm3(example('Z'), example('M')), example('e'))
  t.true(verifySm2(key, example('M'), example('signature')))
})

test("the example of a witness's entry is signed and carried as the page says", (t) => {
  const key = example('witness-key')
  t.deepEqual(keyId(key), example('ledger-id'))
  const proof = example('anchor-proof')
  const judgement = witnessProofs.judgeAnchor(proof, checkpoint)
  if (!judgement.holds || judgement.timeMs === null) return t.fail()
  const signature = example('entry-signature')
  // The entry before it, which the proof carries: 65 bytes of key, rules and number in front of it.
  const previous = proof.subarray(72, 104)
  const entry = { rules: 1, number: 1, previous, wallMs: judgement.timeMs }
  t.deepEqual(encodeAnchorEntry(entry, checkpoint), example('entry'))
  t.deepEqual(entryMessage(example('entry')), example('entry-message'))
  t.true(verifySm2(key, example('entry-message'), signature))
  t.deepEqual(encodeAnchorProof({ ...entry, key, signature }), proof)
})

test('the example of a contract is found where the page says', (t) => {
  const contract = {
    chainId: new DataView(example('chain-id').buffer).getUint32(4),
    genesis: example('genesis'),
    contract: example('contract'),
  }
  t.deepEqual(evmLedgerId(contract), example('chain-ledger-id'))
  const base = headSlot(gateway, 0)
  t.deepEqual(base, example('base'))
  t.deepEqual(keccak_256(base), example('base-key'))
  t.deepEqual(encodeRlp(example('head-sha256')), example('base-value'))
})

test('the example of a block is hashed and sealed as the page says', (t) => {
  const raw = example('block-header')
  const [header] = readChain([raw])
  if (header === undefined) return t.fail()
  t.is(header.number, 17)
  t.deepEqual(header.hash, example('block-hash'))
  t.deepEqual(encodeRlp(header.items), raw)
  const extra = header.items[12] as Uint8Array
  t.deepEqual(extra.subarray(-65), example('seal'))
  const unsealed = encodeRlp(header.items.with(12, extra.subarray(0, -65)))
  t.deepEqual(keccak_256(unsealed), example('sealed-digest'))
  t.is(sealerOf(header), bytesToHex(example('sealer-address')))
})

test('the examples of a rotation and of an order to erase are signed as the page says', (t) => {
  const newKey = example('new-key')
  t.deepEqual(rotationMessage(checkpoint, 1, newKey), example('rotation-message'))
  t.true(verifySm2(newKey, example('rotation-message'), example('rotation-signature')))
  const message = eraseMessage(checkpoint, example('erased-tag'), example('order-hash'))
  t.deepEqual(message, example('erase-message'))
  t.true(verifySm2(example('controller-key'), message, example('erase-signature')))
})

test('the example range, path and aligned nodes give the root of the page', (t) => {
  const leaf = (i: number) => sm3(Uint8Array.of(0), new Uint8Array(32).with(31, i))
  const root = example('eleven-root')
  const frontier = frontierOf(3, example('range-left'))
  if (frontier === undefined) return t.fail()
  for (const i of [3, 4, 5]) append(sm3, frontier, 1, leaf(i))
  t.deepEqual(rootBeyond(sm3, frontier, 11, example('range-right')), root)
  t.deepEqual(rootByPath(sm3, leaf(4), 4, 11, example('leaf-4-path')), root)
  const damaged = frontierOf(3, example('range-left'))
  if (damaged === undefined) return t.fail()
  t.true(appendNodes(sm3, damaged, 8, example('aligned-nodes')))
  t.deepEqual(frontierRoot(sm3, damaged), root)
})

test.after('every example of the page was recomputed', (t) => {
  t.true(examples.size > 40)
  t.deepEqual([...unused], [])
})
