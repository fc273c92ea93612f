import test from 'ava'
import { utf8 } from '../anchor-client/evidence/bytes.ts'
import { account, deployAnchor } from './helpers/evm.ts'
import { naiveHistory } from './helpers/evm-history.ts'

const stranger = account(9)

/** A gateway's history on the chain whose own hash it is made with. */
const chains = [
  {
    name: 'SHA-256',
    hashId: 2,
    hashing: 'keccak',
    most: 130,
    mostOther: 64,
    mostAltered: 12,
    few: 8,
  },
  {
    name: 'SM3 on a guomi chain',
    hashId: 1,
    hashing: 'sm3',
    most: 20,
    mostOther: 20,
    mostAltered: 6,
    few: 5,
  },
] as const

function* pairs(most: number): Iterable<[m: number, n: number]> {
  for (let n = 2; n <= most; n++) for (let m = 1; m < n; m++) yield [m, n]
}

for (const { name, hashId, hashing, most, mostOther, mostAltered, few } of chains) {
  const history = naiveHistory(hashId)
  const { rootAt } = history
  const zeros = new Uint8Array(32)
  const opened = deployAnchor(hashing)

  const isTaken = async (claim: Claim): Promise<boolean> => {
    const { m, n, old, now, proof } = claim
    const chain = await opened
    const inputs = [hashId, m, old, n, now, proof]
    const { values, refused } = await chain.call(stranger, 'isExtension', inputs)
    if (refused) throw new Error(refused.name)
    return values[0] === true
  }
  const truth = (m: number, n: number): Claim => ({
    m,
    n,
    old: rootAt(m),
    now: rootAt(n),
    proof: history.proof(m, n),
  })

  test.serial(
    `${name}: the chain takes the proof of RFC 9162 for all sizes up to ${most}`,
    async (t) => {
      for (const [m, n] of pairs(most)) {
        if (!(await isTaken(truth(m, n)))) return t.fail(`${m} of ${n} is refused`)
      }
      t.pass()
    },
  )

  test.serial(
    `${name}: the chain refuses proofs that are cut, lengthened, altered, out of order or of other roots`,
    async (t) => {
      let judged = 0
      for (const [m, n] of pairs(mostAltered)) {
        for (const [how, wrong] of wrongs(truth(m, n))) {
          if (await isTaken(wrong)) return t.fail(`${m} of ${n}: ${how}`)
          judged++
        }
      }
      t.true(judged > 10 * mostAltered)
    },
  )

  test.serial(
    `${name}: one kind of wrong proof after the other is refused, for all sizes up to ${mostOther}`,
    async (t) => {
      let turn = 0
      const kinds = new Set<string>()
      for (const [m, n] of pairs(mostOther)) {
        const all = [...wrongs(truth(m, n))]
        const [how, wrong] = all[(7 * turn++) % all.length] as [string, Claim]
        kinds.add(how)
        if (await isTaken(wrong)) return t.fail(`${m} of ${n}: ${how}`)
      }
      t.true(kinds.size >= 20)
    },
  )

  test.serial(
    `${name}: of wrong sizes only those whose tree splits alike pass, as heads and not roots bind sizes`,
    async (t) => {
      for (const [m, n] of pairs(few)) {
        for (let oldSize = 0; oldSize <= few; oldSize++) {
          for (let newSize = 0; newSize <= few; newSize++) {
            const alike = shape(oldSize, newSize) === shape(m, n)
            const claim = { ...truth(m, n), m: oldSize, n: newSize }
            if ((await isTaken(claim)) !== alike) {
              return t.fail(`${m} of ${n} as ${oldSize} of ${newSize}`)
            }
          }
        }
      }
      t.pass()
    },
  )

  test.serial(`${name}: everything extends nothing, and itself, by an empty proof`, async (t) => {
    const empty = history.hash()
    for (const n of [1, 2, 3, 64, 130]) {
      const now = rootAt(n)
      t.true(await isTaken({ m: 0, n, old: empty, now, proof: [] }))
      t.true(await isTaken({ m: n, n, old: now, now, proof: [] }))
      t.false(await isTaken({ m: 0, n, old: now, now, proof: [] }))
      t.false(await isTaken({ m: 0, n, old: zeros, now, proof: [] }))
      t.false(await isTaken({ m: 0, n, old: empty, now, proof: [now] }))
      t.false(await isTaken({ m: n, n, old: now, now, proof: [now] }))
      t.false(await isTaken({ m: n, n, old: now, now: empty, proof: [] }))
      t.false(await isTaken({ m: n, n: 0, old: now, now: empty, proof: [] }))
    }
    t.true(await isTaken({ m: 0, n: 0, old: empty, now: empty, proof: [] }))
  })

  test.serial(
    `${name}: histories of up to 2^53 − 1 headers are compared without losing a bit`,
    async (t) => {
      // All leaves are alike, so that a subtree's root depends on its width alone.
      const roots = new Map([[1, history.hash(utf8('leaf'))]])
      const rootOf = (width: number): Uint8Array => {
        const k = splitOf(width)
        const root =
          roots.get(width) ?? history.hash(Uint8Array.of(1), rootOf(k), rootOf(width - k))
        roots.set(width, root)
        return root
      }
      const proofOf = (m: number, n: number, isWhole: boolean): Uint8Array[] => {
        if (m === n) return isWhole ? [] : [rootOf(n)]
        const k = splitOf(n)
        return m <= k
          ? [...proofOf(m, k, isWhole), rootOf(n - k)]
          : [...proofOf(m - k, n - k, false), rootOf(k)]
      }
      const n = Number.MAX_SAFE_INTEGER
      for (const m of [1, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 52, 2 ** 52 + 1, n - 1]) {
        const claim = { m, n, old: rootOf(m), now: rootOf(n), proof: proofOf(m, n, true) }
        t.true(await isTaken(claim), `${m}`)
        t.false(await isTaken({ ...claim, proof: claim.proof.slice(1) }), `${m}`)
        t.false(await isTaken({ ...claim, n: 2 ** 52 }), `${m}`)
      }
    },
  )
}

interface Claim {
  readonly m: number
  readonly n: number
  readonly old: Uint8Array
  readonly now: Uint8Array
  readonly proof: readonly Uint8Array[]
}

/** What must not pass of a right claim, by the classes of the tests that go with RFC 9162. */
function* wrongs(right: Claim): Iterable<[how: string, wrong: Claim]> {
  const { m, n, old, now, proof } = right
  const zeros = new Uint8Array(32)
  const other = naiveHistory(2, 'stranger').rootAt(1)
  const proofs: Record<string, Uint8Array[]> = {
    'first hash missing': proof.slice(1),
    'last hash missing': proof.slice(0, -1),
    'no hash at all': [],
    'old root appended': [...proof, old],
    'new root appended': [...proof, now],
    'last hash appended again': [...proof, ...proof.slice(-1)],
    'zeros appended': [...proof, zeros],
    'old root put before': [old, ...proof],
    'new root put before': [now, ...proof],
    'zeros put before': [zeros, ...proof],
    'all zeros': proof.map(() => zeros),
    'as many old roots': proof.map(() => old),
    'too long by far': [...proof, ...Array.from({ length: 64 }, () => zeros)],
  }
  for (const [i, hash] of proof.entries()) {
    const altered = Uint8Array.from(hash)
    altered[(m + n + i) % 32] = (altered[(m + n + i) % 32] ?? 0) ^ (1 << ((m + i) % 8))
    proofs[`hash ${i} altered`] = proof.with(i, altered)
    proofs[`hash ${i} zero`] = proof.with(i, zeros)
    proofs[`hash ${i} doubled`] = [...proof.slice(0, i), hash, ...proof.slice(i)]
    const next = proof[i + 1]
    if (next) proofs[`hash ${i} swapped`] = proof.with(i, next).with(i + 1, hash)
  }
  // Some changes of some proofs give the same proof again.
  const same = (one: readonly Uint8Array[]) => String(one) === String(proof)
  for (const [how, one] of Object.entries(proofs)) {
    if (!same(one)) yield [how, { ...right, proof: one }]
  }
  yield ['roots swapped', { ...right, old: now, now: old }]
  yield ['old root twice', { ...right, now: old }]
  yield ['new root twice', { ...right, old: now }]
  yield ['another old root', { ...right, old: other }]
  yield ['another new root', { ...right, now: other }]
  yield ['roots all zero', { ...right, old: zeros, now: zeros }]
  yield ['everything zero', { ...right, old: zeros, now: zeros, proof: proof.map(() => zeros) }]
  yield ['sizes swapped', { ...right, m: n, n: m }]
  yield ['old size 0', { ...right, m: 0 }]
  yield ['one size', { ...right, m: n }]
  yield ['new size 2^53 − 1', { ...right, n: Number.MAX_SAFE_INTEGER }]
}

/** Where old leaves end, hash by hash. */
function shape(m: number, n: number): string {
  if (m === 0 || m >= n) return 'none'
  const walk = (oldSize: number, size: number, isWhole: boolean): string => {
    if (oldSize === size) return isWhole ? '' : '.'
    const k = splitOf(size)
    return oldSize <= k ? `${walk(oldSize, k, isWhole)}r` : `${walk(oldSize - k, size - k, false)}l`
  }
  return walk(m, n, true)
}

function splitOf(size: number): number {
  let k = 1
  while (2 * k < size) k *= 2
  return k
}
