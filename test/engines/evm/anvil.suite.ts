import test from 'ava'
import { anvilChain, plainAdmission } from './chains.ts'
import { landed, receiptOf, sendPlain, signPlain } from './plain.ts'
import { heightOf } from './rpc.ts'
import { socketsOf } from './sockets.ts'

test('anvil: what it held when it was told to stop is there when it is started again', async (t) => {
  await using chain = await anvilChain()
  const { rpc } = chain
  const { transactionHash } = await landed(rpc, await sendPlain(rpc, plainAdmission(0)))
  const height = await heightOf(rpc)
  await chain.stop()
  await t.throwsAsync(rpc('eth_blockNumber'))
  await chain.start()
  t.is(await heightOf(rpc), height)
  t.like(await receiptOf(rpc, transactionHash), { status: '0x1' })
})

test('anvil: a reorganisation takes a block and what was in it away', async (t) => {
  await using chain = await anvilChain()
  const { rpc } = chain
  const bytes = await signPlain(rpc, plainAdmission(0))
  const hash = await rpc('eth_sendRawTransaction', bytes)
  const { blockHash } = await landed(rpc, hash)
  await rpc('anvil_mine', '0x2')
  await rpc('anvil_reorg', 3, [])
  t.is(await receiptOf(rpc, hash), null)
  await rpc('eth_sendRawTransaction', bytes)
  t.not((await landed(rpc, hash)).blockHash, blockHash)
})

test('anvil: it listens on this machine alone', async (t) => {
  await using chain = await anvilChain()
  const sockets = await socketsOf(chain.pid)
  t.is(sockets.length, 1)
  for (const socket of sockets) t.regex(socket, /^127\.0\.0\.1:/)
})
