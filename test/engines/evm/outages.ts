/** Outages that any chain may have, on whichever engine it runs. */
import type { ExecutionContext } from 'ava'
import { u32 } from '../../../anchor-client/evidence/bytes.ts'
import { sm3 } from '../../../anchor-client/evidence/sm3.ts'
import type { EvmOptions } from '../../../anchor-client/ledgers/evm/options.ts'
import { until } from '../../helpers/gateway.ts'
import { signal } from '../../helpers/ledger-under-test.ts'
import { type Box, openBox } from './box.ts'
import type { Rpc } from './rpc.ts'
import { type Fate, rpcProxy } from './rpc-proxy.ts'
import { anchoredOnChain, isWell } from './well.ts'

export interface Troubled {
  /** The node that the gateway speaks to; `lasting` is one that is there when all is over, and may be the same. */
  readonly node: { readonly url: string }
  readonly lasting: { readonly url: string; readonly rpc: Rpc }
  readonly told: Partial<EvmOptions>
  readonly contract?: number
}

export const sent = 'eth_sendRawTransaction'

/** Questions and answers are lost on their way, in no order that a gateway could fall into step with. */
export async function answersAreLost(t: ExecutionContext, of: Troubled): Promise<void> {
  const fates: readonly Fate[] = [
    ...['pass', 'pass', 'pass', 'pass', 'pass'].map((): Fate => 'pass'),
    'drop answer',
    'half an answer',
    'drop question',
  ]
  let lost = 0
  await using proxy = await rpcProxy(
    () => of.node.url,
    (method, count) => {
      // Of what is sent, the first answer each is lost: the node has it, and nobody is told.
      const fate = fates[(sm3(u32(count))[0] as number) % fates.length] as Fate
      const chosen = method === sent && count % 2 === 0 ? 'drop answer' : fate
      if (chosen !== 'pass') lost += 1
      return chosen
    },
  )
  await using box = await openBox(t, { ...of, urls: [proxy.url] })
  const life = await box.live()
  for (const size of [2, 3, 9, 10]) {
    box.sign(size)
    await life.anchored(size)
  }
  await life.stop()
  t.true(lost > 20, `${lost}`)
  t.deepEqual(await isWell(t, box, of.lasting.rpc, 10), [2, 3, 9, 10])
}

/** The account has no more than one anchor costs, until somebody sends it more. */
export async function accountIsExhausted(
  t: ExecutionContext,
  of: Troubled & { pay(wei: bigint): Promise<unknown> },
): Promise<void> {
  // So many wei that its 10^18 are enough for one transaction of the limit, and not for a second.
  const told = { ...of.told, fee: 'legacy', gasPrice: '1900000000000' } as const
  await using box = await openBox(t, { ...of, told, urls: [of.node.url] })
  const life = await box.live()
  box.sign(2)
  await life.anchored(2)
  box.sign(5)
  t.regex(await life.trouble('not-permitted'), /holds \d+ wei/)
  t.false(life.events.some((event) => event.event === 'anchored' && event.size > 2))
  await of.pay(5n * 10n ** 17n)
  life.retry()
  await life.anchored(5)
  await life.stop()
  t.deepEqual(await isWell(t, box, of.lasting.rpc, 5), [2, 5])
}

/** Free of charge to begin with; then somebody fills a block, and it never is again. */
export async function baseFeeRises(
  t: ExecutionContext,
  of: Troubled & { fillBlock(): Promise<unknown> },
): Promise<void> {
  const told = { ...of.told, fee: 'zero' } as const
  await using box = await openBox(t, { ...of, told, urls: [of.node.url] })
  const free = await box.live()
  box.sign(1)
  await free.anchored(1)
  await of.fillBlock()
  await until(async () => (await baseFeeOf(of.lasting.rpc)) > 0, 'a base fee')
  box.sign(4)
  t.regex(await free.trouble('not-permitted'), /base fee .* is \d+ wei, .* at most 0/)
  await free.stop()

  const paying = await box.live({ fee: 'eip1559', maxFeePerGas: '100', maxPriorityFeePerGas: '1' })
  await paying.anchored(4)
  await of.fillBlock()
  box.sign(6)
  await paying.anchored(6)
  await paying.stop()
  t.deepEqual(await isWell(t, box, of.lasting.rpc, 6), [1, 4, 6])
}

const baseFeeOf = async (rpc: Rpc): Promise<number> =>
  Number((await rpc('eth_getBlockByNumber', 'latest', false)).baseFeePerGas)

/** As before, but the bytes are with the node already: no block takes them, and no node says a word of it. */
export async function baseFeeRisesAbove(
  t: ExecutionContext,
  of: Troubled & { fillBlockBefore(bytes: () => Promise<void>): Promise<unknown> },
): Promise<void> {
  const told = { ...of.told, fee: 'zero' } as const
  await using box = await openBox(t, { ...of, told, urls: [of.node.url] })
  const free = await box.live()
  await of.fillBlockBefore(async () => {
    box.sign(3)
    const { rpc } = of.lasting
    await until(async () => Number((await rpc('txpool_status')).pending) > 0, 'the bytes')
  })
  t.regex(await free.trouble('not-permitted'), /base fee .* is \d+ wei, .* at most 0/)
  await free.stop()
  const paying = await box.live({ fee: 'legacy', gasPrice: '10' })
  await paying.anchored(3)
  await paying.stop()
  t.deepEqual(await isWell(t, box, of.lasting.rpc, 3), [3])
}

/** Nothing is refused and nobody is silent: only the head grows older. */
export async function sealingStops(
  t: ExecutionContext,
  of: Troubled & { rest(): Promise<void>; goOn(): Promise<void> },
): Promise<void> {
  const told = { ...of.told, stalledAfterMs: 4000 }
  await using box = await openBox(t, { ...of, told, urls: [of.node.url] })
  const life = await box.live()
  box.sign(1)
  await life.anchored(1)
  await of.rest()
  box.sign(3)
  await using session = await box.look()
  const notes = await until(async () => {
    const health = await session.health(signal)
    return health.isWell ? null : health.notes.join()
  }, 'a word of the old head')
  t.regex(notes, /the chain stands still/)
  t.false(life.events.some((event) => event.event === 'anchored' && event.size > 1))
  await of.goOn()
  await life.anchored(3)
  await life.stop()
  t.deepEqual(await isWell(t, box, of.lasting.rpc, 3), [1, 3])
}

/** Included, not final: the chain has our head in some block, and may lose it. */
export const landedAt = (rpc: Rpc, box: Box, size: number): Promise<number> =>
  until(async () => {
    const anchored = await anchoredOnChain(rpc, box)
    return anchored.find((one) => one.size === size)?.block
  }, `batch ${size} in a block`)
