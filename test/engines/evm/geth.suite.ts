import test from 'ava'
import { setApart } from './apart.ts'
import { cliqueChain, lonelyChain, plainAdmission, twinChain } from './chains.ts'
import type { Geth } from './geth.ts'
import { landed, receiptOf, sendPlain } from './plain.ts'
import { heightOf, quantity } from './rpc.ts'
import { socketsOf } from './sockets.ts'

test('geth: three signers seal by turns, on sockets of this machine alone', async (t) => {
  await using chain = await cliqueChain()
  const [node] = chain.nodes as [Geth]
  const { blockNumber } = await landed(node.rpc, await sendPlain(node.rpc, plainAdmission(0)))
  t.deepEqual((await node.rpc('clique_getSigners')).toSorted(), chain.signers)
  t.true(Number(blockNumber) > 0)
  for (const { pid } of chain.nodes) {
    const sockets = await socketsOf(pid)
    t.is(sockets.length, 3, 'JSON-RPC, the one for a beacon chain, peers')
    for (const socket of sockets) t.regex(socket, /^127\.0\.0\.1:/)
  }
})

for (const [name, depth, start] of [
  ['of one block, by signers who keep to the rules,', 1, cliqueChain],
  ['of five blocks', 5, twinChain],
] as const) {
  test(`geth: a reorganisation ${name} takes an anchor away that had landed`, async (t) => {
    await using chain = await start()
    const [node, other] = chain.nodes as [Geth, Geth]
    const apart = await setApart(chain, node)
    const hash = await sendPlain(node.rpc, plainAdmission(1))
    await apart.sealAlone(depth)
    const { blockHash, blockNumber } = await landed(node.rpc, hash)
    t.is(Number(blockNumber), apart.height + 1)
    t.is(await receiptOf(other.rpc, hash), null)
    await apart.rejoin()
    t.not((await landed(node.rpc, hash)).blockHash, blockHash)
    t.not((await landed(other.rpc, hash)).blockHash, blockHash)
  })
}

test('geth: a node that is set back to an older block knows nothing of what came after it', async (t) => {
  await using chain = await lonelyChain()
  const [node] = chain.nodes as [Geth]
  const height = await heightOf(node.rpc)
  const hash = await sendPlain(node.rpc, plainAdmission(0))
  await landed(node.rpc, hash)
  await node.rpc('miner_stop')
  await node.rpc('debug_setHead', quantity(height))
  t.is(await heightOf(node.rpc), height)
  t.is(await receiptOf(node.rpc, hash), null)
})
