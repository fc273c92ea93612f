import test from 'ava'
import { concat, equalBytes, utf8 } from '../anchor-client/evidence/bytes.ts'
import { consistencyProof, isExtension } from '../anchor-client/evidence/consistency.ts'
import { historyHash } from '../anchor-client/evidence/merkle.ts'
import { sm3 } from '../anchor-client/evidence/sm3.ts'
import { treeRoot } from './golden/tree.ts'
import { subproof } from './helpers/subproof.ts'

const largest = 130

/** A tree whose subtrees are computed as RFC 9162 defines them, and remembered. */
function naiveTree(hashId: 1 | 2) {
  const hash = historyHash(hashId)
  const leaves = Array.from({ length: largest }, (_, i) => hash(utf8(`leaf ${i}`)))
  const known = new Map<string, Uint8Array>()
  const subtree = (low: number, high: number): Uint8Array => {
    const name = `${low} ${high}`
    const root = known.get(name) ?? treeRoot(leaves.slice(low, high), hash)
    known.set(name, root)
    return root
  }
  return { hash, subtree, rootAt: (size: number) => subtree(0, size) }
}

const trees = [naiveTree(1), naiveTree(2)] as const

/** Every pair 0 < m < n. */
function* pairs(most: number): Iterable<[m: number, n: number]> {
  for (let n = 2; n <= most; n++) for (let m = 1; m < n; m++) yield [m, n]
}

for (const [i, { hash, subtree, rootAt }] of trees.entries()) {
  const name = `hash id ${i + 1}`
  const accepts = (m: number, n: number, proof: Uint8Array, oldSize = m, newSize = n) =>
    isExtension(hash, oldSize, rootAt(m), newSize, rootAt(n), proof)

  test(`${name}: a proof is just the hashes that RFC 9162 names, for all sizes up to ${largest}`, (t) => {
    for (const [m, n] of pairs(largest)) {
      const proof = consistencyProof(subtree, m, n)
      const named = subproof(m, 0, n, true).map(([low, high]) => subtree(low, high))
      if (!equalBytes(proof, concat(...named))) return t.fail(`${m} of ${n}`)
      if (!accepts(m, n, proof)) return t.fail(`${m} of ${n} is refused`)
    }
    t.pass()
  })

  test(`${name}: a proof with a hash missing or too many is refused, for all sizes up to ${largest}`, (t) => {
    for (const [m, n] of pairs(largest)) {
      const proof = consistencyProof(subtree, m, n)
      const wrong = [
        proof.subarray(32),
        proof.subarray(0, -32),
        new Uint8Array(),
        concat(proof, rootAt(m)),
        concat(proof, proof.subarray(-32)),
        concat(rootAt(m), proof),
        concat(rootAt(n), proof),
        proof.subarray(0, -1),
        concat(proof, Uint8Array.of(0)),
      ]
      if (wrong.some((one) => accepts(m, n, one))) return t.fail(`${m} of ${n}`)
    }
    t.pass()
  })

  test(`${name}: a proof with any hash altered, doubled or out of place is refused`, (t) => {
    for (const [m, n] of pairs(33)) {
      const proof = consistencyProof(subtree, m, n)
      for (let at = 0; at < proof.length; at += 32) {
        const altered = Uint8Array.from(proof)
        altered[at + ((m + n) % 32)] = (altered[at + ((m + n) % 32)] ?? 0) ^ 1
        const here = proof.subarray(at, at + 32)
        const next = proof.subarray(at + 32, at + 64)
        const rest = proof.subarray(at + 64)
        const swapped = concat(proof.subarray(0, at), next, here, rest)
        const doubled = concat(proof.subarray(0, at), here, here, rest)
        const wrong = next.length === 0 ? [altered] : [altered, swapped, doubled]
        if (wrong.some((one) => accepts(m, n, one))) return t.fail(`${m} of ${n}, byte ${at}`)
      }
    }
    t.pass()
  })

  test(`${name}: a proof is refused with other roots, and between trees that do not extend`, (t) => {
    const stranger = hash(utf8('stranger'))
    for (const [m, n] of pairs(largest)) {
      const proof = consistencyProof(subtree, m, n)
      const [old, now] = [rootAt(m), rootAt(n)]
      const fooled =
        isExtension(hash, m, stranger, n, now, proof) ||
        isExtension(hash, m, old, n, stranger, proof) ||
        isExtension(hash, m, now, n, old, proof) ||
        isExtension(hash, m, now, n, now, proof) ||
        isExtension(hash, m, old, n, old, proof) ||
        isExtension(hash, m, old, n, hash(), proof) ||
        isExtension(hash, m, old.subarray(1), n, now, proof) ||
        isExtension(hash, m, old, n, concat(now, now), proof) ||
        isExtension(trees[1 - i]?.hash ?? hash, m, old, n, now, proof)
      if (fooled) return t.fail(`${m} of ${n}`)
    }
    t.pass()
  })

  test(`${name}: of wrong sizes only those whose tree splits alike pass, as roots do not bind sizes`, (t) => {
    const most = 18
    /** Where old leaves end, hash by hash. */
    const shape = (m: number, n: number) => {
      if (m === 0 || m >= n) return 'none'
      const walk = (oldSize: number, size: number, isWhole: boolean): string => {
        if (oldSize === size) return isWhole ? '' : '.'
        let k = 1
        while (2 * k < size) k *= 2
        return oldSize <= k
          ? `${walk(oldSize, k, isWhole)}r`
          : `${walk(oldSize - k, size - k, false)}l`
      }
      return walk(m, n, true)
    }
    for (const [m, n] of pairs(most)) {
      const proof = consistencyProof(subtree, m, n)
      for (let oldSize = 0; oldSize <= most; oldSize++) {
        for (let newSize = 0; newSize <= most; newSize++) {
          const alike = shape(oldSize, newSize) === shape(m, n)
          if (accepts(m, n, proof, oldSize, newSize) !== alike) {
            return t.fail(`${m} of ${n} as ${oldSize} of ${newSize}`)
          }
        }
      }
    }
    t.pass()
  })

  test(`${name}: everything extends nothing, and itself, by an empty proof`, (t) => {
    const none = new Uint8Array()
    for (let n = 1; n <= largest; n++) {
      t.deepEqual(consistencyProof(subtree, 0, n), none)
      t.deepEqual(consistencyProof(subtree, n, n), none)
      t.true(isExtension(hash, 0, hash(), n, rootAt(n), none))
      t.true(isExtension(hash, n, rootAt(n), n, rootAt(n), none))
      t.false(isExtension(hash, 0, rootAt(n), n, rootAt(n), none))
      t.false(isExtension(hash, 0, hash(), n, rootAt(n), rootAt(n)))
      t.false(isExtension(hash, n, rootAt(n), n, rootAt(n), rootAt(n)))
      t.false(isExtension(hash, n, rootAt(n), n, hash(), none))
      t.false(isExtension(hash, n, rootAt(n), 0, hash(), none))
    }
    t.true(isExtension(hash, 0, hash(), 0, hash(), none))
    t.false(isExtension(hash, 0, rootAt(1), 0, rootAt(1), none))
  })
}

test('sizes that are no sizes are refused', (t) => {
  const root = sm3()
  for (const size of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    t.false(isExtension(sm3, size, root, 5, root, root))
    t.false(isExtension(sm3, 0, root, size, root, new Uint8Array()))
    t.throws(() => consistencyProof(() => root, 1, size), { instanceOf: TypeError })
  }
  t.throws(() => consistencyProof(() => root, 3, 2), { instanceOf: TypeError })
})

test('trees of up to 2^53 − 1 leaves are compared without losing a bit', (t) => {
  // All leaves are alike, so that a subtree's root depends on its width alone.
  const roots = new Map([[1, sm3(utf8('leaf'))]])
  const rootOf = (width: number): Uint8Array => {
    let k = 1
    while (2 * k < width) k *= 2
    const root = roots.get(width) ?? sm3(Uint8Array.of(1), rootOf(k), rootOf(width - k))
    roots.set(width, root)
    return root
  }
  const subtree = (low: number, high: number) => rootOf(high - low)
  const n = Number.MAX_SAFE_INTEGER
  for (const m of [1, 2, 3, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 52, 2 ** 52 + 1, n - 1]) {
    const proof = consistencyProof(subtree, m, n)
    t.true(isExtension(sm3, m, rootOf(m), n, rootOf(n), proof), `${m}`)
    t.false(isExtension(sm3, m, rootOf(m), n, rootOf(n), proof.subarray(32)), `${m}`)
    t.false(isExtension(sm3, m, rootOf(m), 2 ** 52, rootOf(n), proof), `${m}`)
    t.true(proof.length <= 32 * 54)
  }
})
