import test from 'ava'
import { concat, equalBytes, utf8 } from '../anchor-client/evidence/bytes.ts'
import {
  alignedSizes,
  append,
  appendNodes,
  frontierOf,
  frontierRoot,
  rootBeyond,
  rootByPath,
} from '../anchor-client/evidence/merkle.ts'
import { sm3 } from '../anchor-client/evidence/sm3.ts'
import { alignedSpans, inclusionPath, nodes, rangeSpans, treeRoot } from './golden/tree.ts'

const leaves = Array.from({ length: 40 }, (_, i) => sm3(utf8(`leaf ${i}`)))
const sizes = leaves.map((_, i) => i + 1)

test('an inclusion path leads to the root, for every leaf of every tree up to 40 leaves', (t) => {
  for (const size of sizes) {
    const root = treeRoot(leaves.slice(0, size))
    for (let i = 0; i < size; i++) {
      const path = concat(...inclusionPath(leaves.slice(0, size), i))
      t.deepEqual(rootByPath(sm3, leaves[i] as Uint8Array, i, size, path), root)
    }
  }
})

test('a path that is longer, shorter, or of another place leads nowhere', (t) => {
  for (const size of sizes.slice(1)) {
    const root = treeRoot(leaves.slice(0, size))
    for (let i = 0; i < size; i++) {
      const leaf = leaves[i] as Uint8Array
      const path = concat(...inclusionPath(leaves.slice(0, size), i))
      const found = [
        rootByPath(sm3, leaf, i, size, path.subarray(32)),
        rootByPath(sm3, leaf, i, size, path.subarray(0, -32)),
        rootByPath(sm3, leaf, i, size, concat(path, sm3())),
        rootByPath(sm3, leaf, size, size, path),
        ...sizes
          .slice(0, size)
          .map((at) => (at - 1 === i ? undefined : rootByPath(sm3, leaf, at - 1, size, path))),
      ]
      t.false(
        found.some((other) => other !== undefined && equalBytes(other, root)),
        `${i} of ${size}`,
      )
    }
  }
})

test('a range and what stands beside it give the root, for every range up to 40 leaves', (t) => {
  for (const size of sizes) {
    const tree = leaves.slice(0, size)
    const root = treeRoot(tree)
    for (let a = 0; a < size; a++) {
      for (let b = a + 1; b <= size; b++) {
        const { left, right } = rangeSpans(size, a, b)
        const frontier = frontierOf(a, nodes(tree, left))
        if (frontier === undefined) return t.fail(`[${a}, ${b}) of ${size}`)
        for (const leaf of tree.slice(a, b)) append(sm3, frontier, 1, leaf)
        if (!equalBytes(frontierRoot(sm3, frontier), treeRoot(tree.slice(0, b))))
          t.fail('inner root')
        const beside = nodes(tree, right)
        const beyond = rootBeyond(sm3, frontier, size, beside)
        if (!beyond || !equalBytes(beyond, root)) t.fail(`[${a}, ${b}) of ${size}`)
        if (rootBeyond(sm3, frontier, size, concat(beside, sm3())) !== undefined) t.fail('unused')
        if (beside.length > 0 && rootBeyond(sm3, frontier, size, beside.subarray(32)))
          t.fail('missing')
      }
    }
  }
  t.pass()
})

test('a range whose left hashes are too many or too few is refused', (t) => {
  for (let a = 0; a < 70; a++) {
    const needed = a.toString(2).replaceAll('0', '').length
    t.truthy(frontierOf(a, new Uint8Array(32 * needed)))
    t.is(frontierOf(a, new Uint8Array(32 * (needed + 1))), undefined)
    if (needed > 0) t.is(frontierOf(a, new Uint8Array(32 * (needed - 1))), undefined)
  }
})

test('leaves that are gone are stood for by their aligned nodes', (t) => {
  for (let c = 0; c < 40; c++) {
    for (let d = c + 1; d <= 40; d++) {
      const spans = alignedSpans(c, d)
      t.deepEqual(
        alignedSizes(c, d),
        spans.map(([low, high]) => high - low),
      )
      const frontier = frontierOf(c, nodes(leaves, rangeSpans(40, c, c + 1).left))
      if (frontier === undefined) return t.fail()
      t.false(appendNodes(sm3, frontier, d - c, nodes(leaves, [...spans, [0, 1]])))
      t.true(appendNodes(sm3, frontier, d - c, nodes(leaves, spans)))
      t.deepEqual(frontierRoot(sm3, frontier), treeRoot(leaves.slice(0, d)))
    }
  }
})

test('trees of up to 2^53 − 1 leaves are walked without losing a bit', (t) => {
  const size = Number.MAX_SAFE_INTEGER
  const leaf = sm3()
  // The last leaf of 2^53 − 1 is the right end of 53 left-complete subtrees.
  const path = concat(...Array.from({ length: 52 }, (_, i) => sm3(Uint8Array.of(i))))
  t.truthy(rootByPath(sm3, leaf, size - 1, size, path))
  t.is(rootByPath(sm3, leaf, size - 1, size, concat(path, leaf)), undefined)
  t.truthy(rootByPath(sm3, leaf, 0, size, concat(path, leaf)))
  t.is(rootByPath(sm3, leaf, 0, size, path), undefined)
  t.is(alignedSizes(1, size).length, 104)
})
