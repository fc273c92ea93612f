import test from 'ava'
import type { Anvil } from './anvil.ts'
import { openBox } from './box.ts'
import { anvilChain, burn, payWriter } from './chains.ts'
import { gatewayDies, nodeDies } from './deaths.ts'
import {
  accountIsExhausted,
  answersAreLost,
  baseFeeRises,
  landedAt,
  sealingStops,
} from './outages.ts'
import { heightOf } from './rpc.ts'
import { isWell, sizesOnChain } from './well.ts'

const told = { fee: 'legacy', gasPrice: '1', finality: 'depth', confirmations: 2 } as const

const on = (chain: Anvil) => ({ node: chain, lasting: chain, told })

const chainOfSeconds = () => anvilChain({ blockSeconds: 1 })

test('anvil: a node that dies in the middle of sending, and stays away for 1,000 batches', async (t) => {
  await using chain = await chainOfSeconds()
  await nodeDies(t, { ...on(chain), kill: () => chain.stop(), start: () => chain.start() })
})

test('anvil: questions and answers that are lost on their way', async (t) => {
  await using chain = await chainOfSeconds()
  await answersAreLost(t, on(chain))
})

test('anvil: a gateway that is killed at twelve of its questions', async (t) => {
  await using chain = await chainOfSeconds()
  await gatewayDies(t, on(chain))
})

test('anvil: an account that has no more than one anchor costs', async (t) => {
  await using chain = await chainOfSeconds()
  const pay = (wei: bigint) => payWriter(chain.rpc, wei)
  await accountIsExhausted(t, { ...on(chain), pay })
})

test('anvil: a base fee that rises from nothing', async (t) => {
  await using chain = await chainOfSeconds()
  // It follows a full block only from where it is more than nothing.
  let isFree = true
  const fillBlock = async () => {
    if (isFree) await chain.rpc('anvil_setNextBlockBaseFeePerGas', '0x7')
    isFree = false
    await burn(chain.rpc, 29_000_000n)
  }
  await baseFeeRises(t, { ...on(chain), fillBlock })
})

test('anvil: a chain that seals nothing for a while', async (t) => {
  await using chain = await chainOfSeconds()
  const seal = (seconds: number) => async () => {
    await chain.rpc('evm_setIntervalMining', seconds)
  }
  await sealingStops(t, { ...on(chain), rest: seal(0), goOn: seal(1) })
})

for (const more of [0, 2]) {
  test(`anvil: a reorganisation that takes an anchor away, and ${more} blocks more`, async (t) => {
    await using chain = await chainOfSeconds()
    const { rpc } = chain
    const deep = { ...told, confirmations: 6 }
    await using box = await openBox(t, { ...on(chain), told: deep, urls: [chain.url] })
    const life = await box.live()
    for (const size of [2, 5]) {
      box.sign(size)
      const block = await landedAt(rpc, box, size)
      const depth = (await heightOf(rpc)) - block + 1 + more
      await rpc('anvil_reorg', depth, [])
      // Its clock has gone back with its blocks.
      await rpc('evm_setTime', Date.now())
      t.deepEqual(await sizesOnChain(rpc, box), size === 2 ? [] : [2])
      await life.anchored(size)
    }
    await life.stop()
    t.deepEqual(await isWell(t, box, rpc, 5), [2, 5])
  })
}
