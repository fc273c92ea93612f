import test from 'ava'
import { until } from '../../helpers/gateway.ts'
import { hashAt, setApart } from './apart.ts'
import { openBox } from './box.ts'
import { burn, cliqueChain, lonelyChain, payWriter, twinChain } from './chains.ts'
import type { Clique } from './clique.ts'
import { gatewayDies, nodeDies } from './deaths.ts'
import type { Geth } from './geth.ts'
import {
  accountIsExhausted,
  answersAreLost,
  baseFeeRises,
  baseFeeRisesAbove,
  landedAt,
  sealingStops,
} from './outages.ts'
import { quantity } from './rpc.ts'
import { isWell, sizesOnChain } from './well.ts'

const told = { fee: 'legacy', gasPrice: '10', finality: 'clique', confirmations: 1 } as const

/** A node that was away: the others call it, and it seals again. */
async function comeBack(chain: Clique, node: Geth): Promise<void> {
  await node.start()
  for (const other of chain.nodes) {
    if (other !== node && other.isUp) await chain.link(other, node)
  }
  await node.rpc('miner_start')
}

test('geth: a node that is killed in the middle of sending, and stays away for 1,000 batches', async (t) => {
  // As geth is run usually: killed, it falls back by some blocks, and still shows receipts from above its head.
  await using chain = await cliqueChain({ keeps: 'full' })
  const [node, lasting] = chain.nodes as [Geth, Geth]
  const kill = () => node.stop('SIGKILL')
  await nodeDies(t, { node, lasting, told, kill, start: () => comeBack(chain, node) })
})

test('geth: questions and answers that are lost on their way', async (t) => {
  await using chain = await cliqueChain()
  const [node, lasting] = chain.nodes as [Geth, Geth]
  await answersAreLost(t, { node, lasting, told })
})

test('geth: a gateway that is killed at twelve of its questions', async (t) => {
  await using chain = await cliqueChain()
  const [node, lasting] = chain.nodes as [Geth, Geth]
  await gatewayDies(t, { node, lasting, told })
})

test('geth: an account that has no more than one anchor costs', async (t) => {
  await using chain = await lonelyChain()
  const [node] = chain.nodes as [Geth]
  const pay = (wei: bigint) => payWriter(node.rpc, wei)
  await accountIsExhausted(t, { node, lasting: node, told, pay })
})

test('geth: a base fee that rises from nothing', async (t) => {
  await using chain = await lonelyChain({ gasLimit: 2_000_000 })
  const [node] = chain.nodes as [Geth]
  const fillBlock = () => burn(node.rpc, 1_900_000n)
  await baseFeeRises(t, { node, lasting: node, told, fillBlock })
})

test('geth: a base fee that rises above what was sent already', async (t) => {
  await using chain = await lonelyChain({ gasLimit: 2_000_000 })
  const [node] = chain.nodes as [Geth]
  const fillBlockBefore = async (bytes: () => Promise<void>) => {
    await node.rpc('miner_stop')
    await bytes()
    const burnt = burn(node.rpc, 1_900_000n)
    await until(async () => Number((await node.rpc('txpool_status')).pending) > 1, 'the other')
    await node.rpc('miner_start')
    await burnt
  }
  await baseFeeRisesAbove(t, { node, lasting: node, told, fillBlockBefore })
})

test('geth: a chain whose signers are too few to seal for a while', async (t) => {
  await using chain = await cliqueChain()
  const [node, ...others] = chain.nodes as [Geth, Geth, Geth]
  const rest = async () => {
    for (const other of others) await other.stop('SIGKILL')
  }
  const goOn = () => comeBack(chain, others[0])
  await sealingStops(t, { node, lasting: node, told, rest, goOn })
})

for (const [name, depth, start, confirmations] of [
  ['of one block, by signers who keep to the rules,', 1, cliqueChain, 0],
  ['of five blocks', 5, twinChain, 8],
] as const) {
  test(`geth: a reorganisation ${name} that takes an anchor away`, async (t) => {
    await using chain = await start()
    const [node, lasting] = chain.nodes as [Geth, Geth]
    const own = { ...told, confirmations }
    await using box = await openBox(t, { lasting, told: own, urls: [node.url] })
    const life = await box.live()
    box.sign(2)
    await life.anchored(2)
    const apart = await setApart(chain, node)
    box.sign(5)
    await until(async () => Number((await node.rpc('txpool_status')).pending) > 0, 'the bytes')
    await apart.sealAlone(depth)
    t.is(await landedAt(node.rpc, box, 5), apart.height + 1)
    const removed = await hashAt(node.rpc, apart.height + 1)
    t.false(life.events.some((event) => event.event === 'anchored' && event.size > 2))
    await apart.rejoin()
    t.not(await hashAt(node.rpc, apart.height + 1), removed)
    await life.anchored(5)
    await life.stop()
    t.deepEqual(await isWell(t, box, lasting.rpc, 5), [2, 5])
  })
}

test('geth: a node that is set back to before an anchor was in any block', async (t) => {
  await using chain = await lonelyChain()
  const [node] = chain.nodes as [Geth]
  const own = { ...told, confirmations: 6 }
  await using box = await openBox(t, { lasting: node, told: own, urls: [node.url] })
  const life = await box.live()
  for (const size of [2, 5]) {
    box.sign(size)
    const block = await landedAt(node.rpc, box, size)
    await node.rpc('miner_stop')
    await node.rpc('debug_setHead', quantity(block - 1))
    t.deepEqual(await sizesOnChain(node.rpc, box), size === 2 ? [] : [2])
    await node.rpc('miner_start')
    await life.anchored(size)
  }
  await life.stop()
  t.deepEqual(await isWell(t, box, node.rpc, 5), [2, 5])
})
