import { createMPT } from '@ethereumjs/mpt'
import test from 'ava'
import fc from 'fast-check'
import { provenValue } from '../anchor-client/evidence/proofs/evm-trie.ts'
import { encodeRlp, rlpUint } from '../anchor-client/evidence/rlp.ts'
import { proofIn, trieOf } from '../anchor-client/ledgers/evm/trie.ts'

const values = fc.array(fc.uint8Array({ minLength: 32, maxLength: 60 }), { maxLength: 300 })

test('the receipts of a block give the root that others compute, and each is proved under it', async (t) => {
  await fc.assert(
    fc.asyncProperty(values, async (receipts) => {
      const entries = receipts.map((value, i) => ({ key: encodeRlp(rlpUint(i)), value }))
      const theirs = await createMPT()
      for (const { key, value } of entries) await theirs.put(key, value)
      const trie = trieOf(entries)
      t.deepEqual(trie.root, theirs.root())
      const some = entries.filter((_, i) => i % 17 === 0 || i < 3)
      for (const { key, value } of some) {
        t.deepEqual(provenValue(trie.root, key, proofIn(trie, key), 'it'), value)
      }
    }),
    { numRuns: 25 },
  )
})
