import { Hardfork } from '@ethereumjs/common'
import { verifyMerkleProof } from '@ethereumjs/mpt'
import { keccak_256 } from '@noble/hashes/sha3.js'
import test from 'ava'
import { compileAnchor, readArtefact } from '../anchor-client/contracts/compile.ts'
import { bytesToHex, concat, equalBytes, utf8 } from '../anchor-client/evidence/bytes.ts'
import { checkpointHead } from '../anchor-client/evidence/seal.ts'
import { sm3 } from '../anchor-client/evidence/sm3.ts'
import { type AnchorOnEvm, abiItem, account, deployAnchor } from './helpers/evm.ts'
import { type AbiInput, encodeCall, signatureOf, word } from './helpers/evm-abi.ts'
import { naiveHistory } from './helpers/evm-history.ts'
import { historySlot, readPacked, reportOf } from './helpers/evm-layout.ts'

const gateway = new Uint8Array(32).fill(0xa1)
const [keyId, nextKeyId] = [new Uint8Array(32).fill(0xb1), new Uint8Array(32).fill(0xb2)]
const [device, nextDevice, stranger] = [account(1), account(2), account(3)]
const signature = [new Uint8Array(32).fill(0xc1), new Uint8Array(32).fill(0xc2)]
const history = naiveHistory(2)
const rewritten = naiveHistory(2, 'rewritten', 3)

/** The name of the error, or null where it was taken. */
const ask = async (chain: AnchorOnEvm, from: Uint8Array, name: string, ...inputs: AbiInput[]) =>
  (await chain.call(from, name, [gateway, ...inputs])).refused?.name ?? null

const admit = (chain: AnchorOnEvm, incarnation = 0, of = device, key = keyId, hashId = 2) =>
  ask(chain, chain.registrar, 'admit', incarnation, hashId, of, key, 3600)

const anchor = (chain: AnchorOnEvm, from: number, to: number, by = device, with_ = history) => {
  const proof = with_.proof(from, to)
  return ask(
    chain,
    by,
    'anchor',
    0,
    from,
    with_.rootAt(from),
    to,
    with_.rootAt(to),
    proof,
    signature,
  )
}

async function registered() {
  const chain = await deployAnchor()
  await admit(chain)
  return chain
}

const slots = async (chain: AnchorOnEvm, incarnation = 0) =>
  bytesToHex(
    concat(
      ...(await Promise.all(
        [0, 1, 2, 3, 4, 5].map((slot) => chain.storage(historySlot(gateway, incarnation, slot))),
      )),
    ),
  )

test('the bytecode in the repository is what its source compiles to', async (t) => {
  t.deepEqual(await compileAnchor(), readArtefact())
  const chain = await deployAnchor()
  const code = await chain.runtime()
  t.is(bytesToHex(code), readArtefact().runtime)
  t.is(bytesToHex(keccak_256(code)), readArtefact().codeHash.keccak256)
})

test('only the registrar registers a gateway, and the same registration again changes nothing', async (t) => {
  const chain = await deployAnchor()
  t.is(await ask(chain, stranger, 'admit', 0, 2, device, keyId, 3600), 'NotTheRegistrar')
  t.is(await anchor(chain, 0, 3), 'Unregistered')
  t.is(await admit(chain), null)
  const before = await slots(chain)
  chain.block++
  const again = await chain.call(chain.registrar, 'admit', [gateway, 0, 2, device, keyId, 60])
  t.deepEqual(again, { refused: null, values: [], events: [] })
  t.is(await slots(chain), before)
  t.is(await admit(chain, 0, nextDevice), 'AdmittedOtherwise')
  t.is(await admit(chain, 0, device, nextKeyId), 'AdmittedOtherwise')
  t.is(await admit(chain, 1, new Uint8Array(20)), 'NotAnAccount')
  t.is(await admit(chain, 1, device, new Uint8Array(32)), 'NotAKey')
})

test('the first anchor, the next one and the catch-up after a thousand headers are one kind of call', async (t) => {
  const chain = await registered()
  chain.block = 70
  t.is(await anchor(chain, 0, 3), null)
  t.is(await anchor(chain, 3, 4), null)
  chain.block = 71
  const proof = history.proof(4, 1004)
  const inputs = [gateway, 0, 4, history.rootAt(4), 1004, history.rootAt(1004), proof, signature]
  const { events } = await chain.call(device, 'anchor', inputs)
  const [head, root] = [history.headAt(1004), history.rootAt(1004)]
  const values = { gateway, incarnation: 0n, size: 1004n, head, root, oldSize: 4n, signature }
  t.deepEqual(bare(events), bare([{ name: 'Anchored', values }]))
  const { values: answered } = await chain.call(stranger, 'historyOf', [gateway, 0])
  t.deepEqual(bare((answered[0] as readonly Uint8Array[])[0]), bare(head))
})

test('what is anchored stays: the same again is a no-op, anything else of that size or smaller is refused', async (t) => {
  const chain = await registered()
  await anchor(chain, 0, 3)
  await anchor(chain, 3, 9)
  const before = await slots(chain)
  chain.block++
  for (const by of [device, stranger]) {
    t.is(await anchor(chain, 3, 9, by), null)
    t.is(await anchor(chain, 3, 9, by, rewritten), 'Conflict')
    t.is(await anchor(chain, 0, 3, by), 'Covered')
    t.is(await anchor(chain, 3, 8, by), 'Covered')
  }
  const { refused } = await chain.call(device, 'anchor', [
    ...[gateway, 0, 3, rewritten.rootAt(3), 9, rewritten.rootAt(9)],
    ...[rewritten.proof(3, 9), signature],
  ])
  t.deepEqual(
    bare(refused),
    bare({ name: 'Conflict', values: { size: 9n, head: history.headAt(9) } }),
  )
  t.is(await slots(chain), before)
})

test('an anchor that does not follow the last one is refused, and says what is there', async (t) => {
  const chain = await registered()
  await anchor(chain, 0, 5)
  t.is(await anchor(chain, 0, 9), 'Lapsed')
  t.is(await anchor(chain, 4, 9), 'Lapsed')
  t.is(await anchor(chain, 6, 9), 'Lapsed')
  t.is(await anchor(chain, 5, 9, device, rewritten), 'Conflict')
  t.is(await anchor(chain, 5, 9, stranger), 'NotTheAccount')
  const [old, now] = [history.rootAt(5), rewritten.rootAt(9)]
  const proof = rewritten.proof(5, 9)
  t.is(await ask(chain, device, 'anchor', 0, 5, old, 9, now, proof, signature), 'NoExtension')
  t.is(await anchor(chain, 5, 9), null)
})

test('the first anchor has to extend the empty history, and a size has to be one', async (t) => {
  const chain = await registered()
  const [none, root] = [history.rootAt(0), history.rootAt(5)]
  const first = (oldRoot: Uint8Array, size: number | bigint, proof: readonly Uint8Array[]) =>
    ask(chain, device, 'anchor', 0, 0, oldRoot, size, root, proof, signature)
  t.is(await first(root, 5, []), 'NoExtension')
  t.is(await first(new Uint8Array(32), 5, []), 'NoExtension')
  t.is(await first(none, 5, [root]), 'NoExtension')
  t.is(await first(none, 0, []), 'NotASize')
  t.is(await first(none, 2 ** 53, []), 'NotASize')
  t.is(await first(none, 5, []), null)
})

test('a new incarnation closes the one before at its last size, for ever', async (t) => {
  const chain = await registered()
  await anchor(chain, 0, 7)
  const inputs = [gateway, 3, 2, nextDevice, nextKeyId, 0]
  const { events } = await chain.call(chain.registrar, 'admit', inputs)
  const [closed] = events
  t.deepEqual(
    bare(closed),
    bare({
      name: 'Closed',
      values: { gateway, incarnation: 0n, size: 7n, head: history.headAt(7), next: 3n },
    }),
  )
  t.is(await anchor(chain, 7, 9), 'IncarnationClosed')
  t.is(await anchor(chain, 0, 7), null)
  t.is(
    await ask(chain, device, 'rotate', 0, 1, nextKeyId, device, signature, signature),
    'IncarnationClosed',
  )
  t.is(await admit(chain, 2), 'IncarnationPassed')
  t.is(await admit(chain), null, 'the same admission again opens nothing')
  t.is(await anchor(chain, 7, 9), 'IncarnationClosed')
  t.is(
    await ask(
      chain,
      device,
      'anchor',
      1,
      0,
      history.rootAt(0),
      1,
      history.rootAt(1),
      [],
      signature,
    ),
    'IncarnationUnknown',
  )
  const { values } = await chain.call(stranger, 'newestOf', [gateway])
  t.deepEqual(values, [true, 3n])
})

test('a key is rotated by the account in use and by the one that follows', async (t) => {
  const chain = await registered()
  await anchor(chain, 0, 7)
  const offer = (by: Uint8Array, seq: number, key = nextKeyId, to = nextDevice) =>
    ask(chain, by, 'rotate', 0, seq, key, to, signature, signature)
  t.is(await offer(stranger, 7), 'NotTheAccount')
  t.is(await offer(device, 7, keyId), 'KeyInUse')
  t.is(await offer(device, 7), null)
  t.is(await anchor(chain, 7, 8), null, 'until it is accepted the old account goes on')
  t.is(await ask(chain, stranger, 'acceptRotation', 0, 7, nextKeyId), 'RotationNotOffered')
  t.is(await ask(chain, nextDevice, 'acceptRotation', 0, 8, nextKeyId), 'RotationNotOffered')
  t.is(await ask(chain, nextDevice, 'acceptRotation', 0, 7, nextKeyId), null)
  t.is(await ask(chain, nextDevice, 'acceptRotation', 0, 7, nextKeyId), null, 'again')
  t.is(await anchor(chain, 8, 9), 'NotTheAccount')
  t.is(await anchor(chain, 8, 9, nextDevice), null)
  t.is(await offer(nextDevice, 7, keyId), 'RotationLapsed')
  t.is(await offer(nextDevice, 9, keyId, nextDevice), null, 'one account for both keys')
  t.is(await anchor(chain, 9, 10, nextDevice), null)
  t.is(await admit(chain), null, 'the registration that was is still known')
})

test('a reported fork stops nothing until the registrar confirms it', async (t) => {
  const chain = await registered()
  const roots = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
  const reported = reportOf(5, roots, signature, signature)
  const report = (...of: Uint8Array[]) =>
    ask(chain, stranger, 'reportFork', 0, 5, of, signature, signature)
  t.is(await ask(chain, chain.registrar, 'confirmFork', 0, reported), 'NotReported')
  t.is(await report(...roots.toReversed()), 'NotAFork')
  t.is(await report(roots[0] as Uint8Array, roots[0] as Uint8Array), 'NotAFork')
  chain.block = 80
  t.is(await report(...roots), null)
  const { values } = await chain.call(stranger, 'reportedIn', [gateway, 0, reported])
  t.deepEqual(values, [80n])
  t.is(await anchor(chain, 0, 5), null)
  t.is(await ask(chain, device, 'confirmFork', 0, reported), 'NotTheRegistrar')
  t.is(await ask(chain, chain.registrar, 'confirmFork', 0, reported), null)
  t.is(await anchor(chain, 5, 6), 'IncarnationFrozen')
  t.is(await anchor(chain, 0, 5), null)
  t.is(await admit(chain, 1, nextDevice, nextKeyId), null)
})

test('a report about one gateway freezes no other', async (t) => {
  const chain = await registered()
  const other = new Uint8Array(32).fill(0xa2)
  await chain.call(chain.registrar, 'admit', [other, 0, 2, device, keyId, 0])
  const roots = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
  await chain.call(stranger, 'reportFork', [other, 0, 5, roots, signature, signature])
  const report = reportOf(5, roots, signature, signature)
  t.is(await ask(chain, chain.registrar, 'confirmFork', 0, report), 'NotReported')
})

test('the registrar revokes an incarnation, and only a new one goes on', async (t) => {
  const chain = await registered()
  await anchor(chain, 0, 5)
  t.is(await ask(chain, device, 'revoke', 0), 'NotTheRegistrar')
  t.is(await ask(chain, chain.registrar, 'revoke', 0), null)
  t.is(await ask(chain, chain.registrar, 'revoke', 0), null)
  t.is(await anchor(chain, 5, 6), 'IncarnationRevoked')
  t.is(await admit(chain, 1, nextDevice, nextKeyId), null)
  t.is(await anchor(chain, 5, 6), 'IncarnationRevoked')
})

test('two slots of storage say what is anchored, when, and when the next one is due', async (t) => {
  const chain = await registered()
  t.deepEqual(await chain.storage(historySlot(gateway, 0, 0)), new Uint8Array(32))
  chain.block = 1234
  await anchor(chain, 0, 77)
  await ask(chain, chain.registrar, 'setCadence', 0, 900)
  const checkpoint = {
    gateway,
    incarnation: 0,
    size: 77,
    hashId: 2,
    root: history.rootAt(77),
  } as const
  t.true(equalBytes(await chain.storage(historySlot(gateway, 0, 0)), checkpointHead(checkpoint)))
  const packed = readPacked(await chain.storage(historySlot(gateway, 0, 1)))
  t.deepEqual(packed, { size: 77, lastBlock: 1234, cadence: 900, hashId: 2, standing: 1 })
})

test('everything else stands where the contract’s page says', async (t) => {
  const chain = await registered()
  const at = async (slot: Uint8Array) => bytesToHex(await chain.storage(slot))
  const own = (slot: number) => at(historySlot(gateway, 0, slot))
  const wide = (address: Uint8Array) => concat(new Uint8Array(12), address)
  const admission = keccak_256(concat(word(2n), wide(device), keyId))
  t.is(await own(2), bytesToHex(wide(device)))
  t.is(await own(3), bytesToHex(keyId))
  t.is(await own(4), bytesToHex(admission))
  await ask(chain, device, 'rotate', 0, 7, nextKeyId, nextDevice, signature, signature)
  const offer = keccak_256(concat(word(7n), nextKeyId, wide(nextDevice)))
  t.is(await own(5), bytesToHex(offer))
  await ask(chain, nextDevice, 'acceptRotation', 0, 7, nextKeyId)
  t.is(await own(5), bytesToHex(word(0n)))
  t.is(await own(2), bytesToHex(word(8n)).slice(40) + bytesToHex(nextDevice))
  t.is(await own(3), bytesToHex(nextKeyId))
  t.is(await at(keccak_256(concat(gateway, word(1n)))), bytesToHex(word(1n)))

  const roots = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
  chain.block = 90
  await ask(chain, stranger, 'reportFork', 0, 5, roots, signature, signature)
  const ofGateway = keccak_256(concat(gateway, word(2n)))
  const reports = keccak_256(concat(word(0n), ofGateway))
  const report = reportOf(5, roots, signature, signature)
  t.is(await at(keccak_256(concat(report, reports))), bytesToHex(word(90n)))
  t.is(await at(word(3n)), bytesToHex(wide(chain.registrar)))
})

test('one storage proof binds size and root to the state root of a block', async (t) => {
  const chain = await deployAnchor('keccak', { isProving: true })
  await admit(chain)
  await anchor(chain, 0, 77)
  const slot = historySlot(gateway, 0, 0)
  const { stateRoot, address, storageRoot, codeHash, ...proofs } = await chain.proof(slot)
  const leaf = await verifyMerkleProof(keccak_256(address), [...proofs.accountProof], {
    root: stateRoot,
  })
  const [hexLeaf, hexRoot] = [bytesToHex(leaf as Uint8Array), bytesToHex(storageRoot)]
  t.true(hexLeaf.endsWith(`a0${hexRoot}a0${readArtefact().codeHash.keccak256}`))
  t.is(bytesToHex(codeHash), readArtefact().codeHash.keccak256)
  const value = await verifyMerkleProof(keccak_256(slot), [...proofs.storageProof], {
    root: storageRoot,
  })
  t.is(bytesToHex(value as Uint8Array), `a0${bytesToHex(history.headAt(77))}`)
})

test('on a guomi chain a history is hashed with SM3, elsewhere that is refused', async (t) => {
  t.is(await admit(await deployAnchor(), 0, device, keyId, 1), 'HashNotComputed')
  t.is(await admit(await deployAnchor(), 0, device, keyId, 3), 'HashNotComputed')
  const guomi = await deployAnchor('sm3')
  const inSm3 = naiveHistory(1)
  t.is(await admit(guomi, 0, device, keyId, 1), null)
  t.is(await anchor(guomi, 0, 7, device, history), 'NoExtension')
  t.is(await anchor(guomi, 0, 7, device, inSm3), null)
  t.is(await anchor(guomi, 7, 30, device, inSm3), null)
  const slot = historySlot(gateway, 0, 0, (bytes) => sm3(bytes))
  t.true(equalBytes(await guomi.storage(slot), inSm3.headAt(30)))
  t.is(await admit(guomi, 1), null, 'SHA-256 is there, too')
})

test('every function answers to the selectors of both kinds of chain', async (t) => {
  const functions = readArtefact().abi.filter(({ type }) => type === 'function')
  t.true(functions.length > 10)
  for (const hashing of ['keccak', 'sm3'] as const) {
    const chain = await deployAnchor(hashing)
    for (const item of functions) {
      const selectors = [keccak_256, sm3].map((hash) =>
        hash(utf8(signatureOf(item))).subarray(0, 4),
      )
      const body = new Uint8Array(32 * 20)
      const answers = await Promise.all(
        selectors.map(async (selector) => {
          const { failed, returned } = await chain.raw(stranger, concat(selector, body))
          return `${failed} ${bytesToHex(returned)}`
        }),
      )
      t.is(answers[1], answers[0], item.name)
    }
  }
  const chain = await registered()
  const inputs = [gateway, 0, 0, history.rootAt(0), 5, history.rootAt(5), [], signature]
  const { refused, events } = await chain.call(device, 'anchor', inputs, true)
  t.is(refused, null)
  t.is(events[0]?.name, 'Anchored')
})

test('bytes that are no call are refused and change nothing', async (t) => {
  const chain = await registered()
  await anchor(chain, 0, 5)
  const before = await slots(chain)
  const call = encodeCall(abiItem('anchor'), [
    ...[gateway, 0, 5, history.rootAt(5), 9, history.rootAt(9)],
    ...[history.proof(5, 9), signature],
  ])
  const listAt = 4 + 32 * 9
  const endless = Uint8Array.from(call)
  endless.fill(0xff, listAt, listAt + 32)
  const wrong = [
    new Uint8Array(),
    call.subarray(0, 3),
    call.subarray(0, 4),
    call.subarray(0, -1),
    endless,
  ]
  for (const bytes of wrong) t.not((await chain.raw(device, bytes)).failed, null, `${bytes.length}`)
  t.not((await chain.raw(device, utf8('anything else'))).failed, null)
  t.is(await slots(chain), before)
  t.is((await chain.raw(device, call)).failed, null)
})

for (const hardfork of [Hardfork.London, Hardfork.Paris, Hardfork.Shanghai, Hardfork.Cancun]) {
  test(`the same bytecode runs under the rules of ${hardfork}`, async (t) => {
    const chain = await deployAnchor('keccak', { hardfork })
    t.is(await admit(chain), null)
    t.is(await anchor(chain, 0, 7), null)
    t.is(await anchor(chain, 7, 30), null)
    t.true(equalBytes(await chain.storage(historySlot(gateway, 0, 0)), history.headAt(30)))
  })
}

/** Buffers and arrays of bytes alike as hex, to be compared. */
const bare = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, part) => {
      if (typeof part === 'bigint') return `${part}`
      if (part?.type === 'Buffer') return bytesToHex(Uint8Array.from(part.data))
      return part instanceof Uint8Array ? bytesToHex(part) : part
    }),
  )
