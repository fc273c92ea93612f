import test from 'ava'
import { bytesToHex, equalBytes, hexToBytes } from '../anchor-client/evidence/bytes.ts'
import { type Random, randomFrom } from './fuzz/random.ts'
import { type AnchorOnEvm, account, deployAnchor } from './helpers/evm.ts'
import type { AbiInput, Named } from './helpers/evm-abi.ts'
import { naiveHistory } from './helpers/evm-history.ts'
import { historySlot, readPacked, reportOf } from './helpers/evm-layout.ts'
import {
  accept,
  admit,
  anchor,
  byRegistrar,
  type Expected,
  type Incarnation,
  incarnationOf,
  type Model,
  newModel,
  report,
  rotate,
} from './helpers/evm-model.ts'

const shortSequences = 10_000
const sequencesATest = 1_000
const longSequences = 40

// The second and the third say what the first says for a while, and then something else.
const histories = [
  naiveHistory(2),
  naiveHistory(2, 'rewritten', 3),
  naiveHistory(2, 'other', 0),
] as const
const accounts = [account(1), account(2), account(3)]
const keyIds = [1, 2, 3].map((number) => new Uint8Array(32).fill(number))

for (let first = 1; first < shortSequences; first += sequencesATest) {
  const last = first + sequencesATest - 1
  test.serial(
    `in the random sequences of calls ${first} to ${last} the chain does what the rules say`,
    async (t) => {
      const { fault } = await playSequences(first, last, (random) => 2 + random.below(3))
      t.is(fault, null)
    },
  )
}

test.serial(
  'in long random sequences of calls every rule is met, and nothing anchored ever changes',
  async (t) => {
    const first = shortSequences + 1
    const length = (random: Random) => 30 + random.below(30)
    const { fault, seen } = await playSequences(first, shortSequences + longSequences, length)
    t.is(fault, null)
    // Else the sequences mean little.
    t.deepEqual(
      ends.filter((end) => !seen.has(end)),
      [],
    )
  },
)

/** The first fault, and every end of a call that was seen. */
async function playSequences(first: number, last: number, length: (random: Random) => number) {
  let chain = await deployAnchor()
  const seen = new Set<string>()
  for (let seed = first; seed <= last; seed++) {
    // The EVM copies its whole state with each call: a crowded chain is slow.
    if (seed % 20 === 0) chain = await deployAnchor()
    const fault = await playSequence(chain, seed, length, seen)
    if (fault) return { fault: `sequence ${seed}: ${fault}`, seen }
  }
  return { fault: null, seen }
}

const ends = [
  ...['Admitted', 'Closed', 'Anchored', 'RotationOffered', 'Rotated', 'ForkReported', 'Frozen'],
  ...['Revoked', 'CadenceSet', 'nothing', 'Conflict', 'Covered', 'Lapsed', 'NoExtension'],
  ...['NotASize', 'Unregistered', 'IncarnationUnknown', 'IncarnationClosed', 'IncarnationFrozen'],
  ...['IncarnationRevoked', 'IncarnationPassed', 'AdmittedOtherwise', 'NotTheRegistrar'],
  ...['NotTheAccount', 'KeyInUse', 'RotationLapsed', 'RotationNotOffered', 'NotReported'],
]

/** The first difference between the chain and the model, in words. */
async function playSequence(
  chain: AnchorOnEvm,
  seed: number,
  lengthOf: (random: Random) => number,
  seen: Set<string>,
): Promise<string | null> {
  const random = randomFrom(seed)
  const gateway = random.bytes(32)
  const model = newModel()
  const watch = watchOf()
  const length = lengthOf(random)
  for (let i = 0; i < length; i++) {
    if (i % 3 === 0) chain.block++
    const { name, inputs, from, expected } = nextCall(random, chain, gateway, model, i === 0)
    const { refused, events } = await chain.call(from, name, inputs)
    const is = refused ? refused.name : events.map((event) => event.name).join(' then ')
    const should = 'refused' in expected ? expected.refused : expected.events.join(' then ')
    if (is !== should)
      return `call ${i}, ${name}: ${is || 'nothing'} instead of ${should || 'nothing'}`
    for (const end of is === '' ? ['nothing'] : is.split(' then ')) seen.add(end)
    const broken = watch(events)
    if (broken) return `call ${i}, ${name}: ${broken}`
  }
  for (const of of model.incarnations) {
    const fault = await stateFault(chain, gateway, of, model)
    if (fault) return `incarnation ${of.number}: ${fault}`
  }
  return null
}

/** The promises themselves, by what the contract publishes and without the model. */
function watchOf(): (events: readonly Named[]) => string | null {
  const last = new Map<bigint, bigint>()
  const closed = new Map<bigint, bigint>()
  return (events) => {
    for (const { name, values } of events) {
      const of = values.incarnation as bigint
      if (name === 'Anchored') {
        if (closed.has(of)) return 'a closed incarnation grew'
        if ((values.size as bigint) <= (last.get(of) ?? 0n)) return 'a size did not grow'
        if (values.oldSize !== (last.get(of) ?? 0n)) return 'it does not follow the last anchor'
        last.set(of, values.size as bigint)
      }
      if (name === 'Closed') {
        if (values.size !== (last.get(of) ?? 0n)) return 'it was closed at another size'
        closed.set(of, values.size as bigint)
      }
    }
    return null
  }
}

async function stateFault(chain: AnchorOnEvm, gateway: Uint8Array, of: Incarnation, model: Model) {
  const slot = (number: number) => chain.storage(historySlot(gateway, of.number, number))
  const last = of.anchors.at(-1)
  const head = last ? last.head : '00'.repeat(32)
  if (bytesToHex(await slot(0)) !== head) return 'another head'
  const packed = readPacked(await slot(1))
  const isClosed = model.incarnations.at(-1) !== of
  const standing = 1 + (isClosed ? 2 : 0) + (of.isFrozen ? 4 : 0) + (of.isRevoked ? 8 : 0)
  const size = last?.size ?? 0
  const should = { size, lastBlock: of.lastBlock, cadence: of.cadence, hashId: 2, standing }
  if (JSON.stringify(packed) !== JSON.stringify(should)) return JSON.stringify([packed, should])
  if (bytesToHex((await slot(2)).subarray(12)) !== of.account) return 'another account'
  if (bytesToHex(await slot(3)) !== of.keyId) return 'another key'
  return null
}

interface Call {
  readonly name: string
  readonly from: Uint8Array
  readonly inputs: readonly AbiInput[]
  readonly expected: Expected
}

function nextCall(
  random: Random,
  chain: AnchorOnEvm,
  gateway: Uint8Array,
  model: Model,
  isFirst: boolean,
): Call {
  const registrar = bytesToHex(chain.registrar)
  const newest = model.incarnations.at(-1)
  // Mostly what makes sense, or nearly nothing would ever be taken.
  const mostly = <T>(sensible: T, other: () => T): T => (random.below(8) > 0 ? sensible : other())
  const incarnation = mostly(newest?.number ?? 0, () => random.below(4))
  const of = incarnationOf(model, incarnation)
  const anyone = () => random.oneOf([...accounts, chain.registrar])
  const theirs = mostly(of ? hexToBytes(of.account) : random.oneOf(accounts), anyone)
  const signature = [random.bytes(32), keyIds[0] as Uint8Array]
  const call = (
    name: string,
    from: Uint8Array,
    inputs: readonly AbiInput[],
    judge: (asked: { from: string; incarnation: number; block: number }) => Expected,
    at = incarnation,
  ): Call => {
    const expected = judge({ from: bytesToHex(from), incarnation: at, block: chain.block })
    return { name, from, inputs: [gateway, at, ...inputs], expected }
  }
  const orders = mostly(chain.registrar, anyone)

  const kind = isFirst && random.below(10) > 0 ? 0 : random.below(16)
  if (kind <= 1) {
    const at = isFirst || random.below(2) ? incarnation : incarnation + 1
    const account = random.below(2) && of ? hexToBytes(of.account) : random.oneOf(accounts)
    const keyId = random.oneOf(keyIds)
    const cadence = random.below(5000)
    const names = { registrar, account: bytesToHex(account), keyId: bytesToHex(keyId), cadence }
    const judge = (asked: Parameters<typeof admit>[1]) => admit(model, asked, names)
    return call('admit', orders, [2, account, keyId, cadence], judge, at)
  }
  if (kind <= 9) {
    const lastSize = of?.anchors.at(-1)?.size ?? 0
    const builtOn = random.below(4) ? histories[0] : random.oneOf(histories)
    const history = mostly(histories[0], () => random.oneOf(histories))
    const oldSize = mostly(lastSize, () => random.below(6))
    const size = mostly(oldSize + 1 + random.below(4), () => random.below(8))
    const right = oldSize < size ? history.proof(oldSize, size) : []
    const proof = mostly(right, () => [...right, random.bytes(32)])
    const [oldRoot, root] = [builtOn.rootAt(oldSize), history.rootAt(size)]
    const isProven = proof === right && equalBytes(oldRoot, history.rootAt(oldSize))
    const head = bytesToHex(history.headAt(size))
    const claim = { size, head, oldSize, oldHead: bytesToHex(builtOn.headAt(oldSize)), isProven }
    const inputs = [oldSize, oldRoot, size, root, proof, signature]
    return call('anchor', theirs, inputs, (asked) => anchor(model, asked, claim))
  }
  if (kind <= 11) {
    const seq = mostly((of?.rotatedIn ?? -1) + 1, () => random.below(4))
    const [keyId, to] = [random.oneOf(keyIds), mostly(theirs, () => random.oneOf(accounts))]
    const rotation = { seq, keyId: bytesToHex(keyId), account: bytesToHex(to) }
    const inputs = [seq, keyId, to, signature, signature.toReversed()]
    return call('rotate', theirs, inputs, (asked) => rotate(model, asked, rotation))
  }
  if (kind === 12) {
    const offer = random.below(4) && of?.offer ? of.offer : null
    const seq = offer?.seq ?? random.below(4)
    const keyId = offer ? hexToBytes(offer.keyId) : random.oneOf(keyIds)
    const from = offer ? hexToBytes(offer.account) : theirs
    const rotation = { seq, keyId: bytesToHex(keyId) }
    return call('acceptRotation', from, [seq, keyId], (asked) => accept(model, asked, rotation))
  }
  const { roots, name } = random.oneOf(forks)
  if (kind === 13) {
    const inputs = [4, roots, roots, roots]
    return call('reportFork', anyone(), inputs, (asked) => report(model, asked, name))
  }
  if (kind === 14) {
    const known = of && of.reports.size > 0 ? [...of.reports] : [name]
    const freeze = mostly(random.oneOf(known), () => name)
    const judge = (asked: Parameters<typeof byRegistrar>[1]) =>
      byRegistrar(model, asked, registrar, { freeze })
    return call('confirmFork', orders, [hexToBytes(freeze)], judge)
  }
  if (random.below(3) === 0) {
    return call('revoke', orders, [], (asked) => byRegistrar(model, asked, registrar, 'revoke'))
  }
  const cadence = random.below(5000)
  const judge = (asked: Parameters<typeof byRegistrar>[1]) =>
    byRegistrar(model, asked, registrar, { cadence })
  return call('setCadence', orders, [cadence], judge)
}

/** Reports by name: the hash of what they say. */
const forks = [1, 2].map((number) => {
  const roots = [new Uint8Array(32).fill(number), new Uint8Array(32).fill(number + 1)]
  return { roots, name: bytesToHex(reportOf(4, roots, roots, roots)) }
})
