/** Whoever takes part may die at any moment: the node that is spoken to, the gateway that speaks. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'
import { signedSoFar } from '../../helpers/outbox.ts'
import { openBox } from './box.ts'
import { writerOf } from './chains.ts'
import { hexOf } from './genesis.ts'
import { sent, type Troubled } from './outages.ts'
import { rpcProxy } from './rpc-proxy.ts'
import { isWell } from './well.ts'

export interface Killed extends Troubled {
  kill(): Promise<void>
  start(): Promise<void>
}

/** In the middle of sending, before and after it, and for long enough that a thousand batches wait. */
export async function nodeDies(t: ExecutionContext, of: Killed): Promise<void> {
  await using proxy = await rpcProxy(() => of.node.url)
  await using box = await openBox(t, { ...of, urls: [proxy.url] })
  let life = await box.live()
  for (const [i, moment] of (['before', 'amid', 'after'] as const).entries()) {
    const struck = proxy.strike(sent, moment, () => of.kill())
    box.sign(i + 1)
    await struck
    await life.trouble('unknown')
    await of.start()
    await life.anchored(i + 1)
    t.is(await life.stop(), 'stopped')
    if (moment === 'after') t.deepEqual(await isWell(t, box, of.lasting.rpc, 3), [1, 2, 3])
    life = await box.live()
  }

  await of.kill()
  for (let size = 10; size <= 1003; size += 331) box.sign(size)
  await life.trouble('unknown')
  await of.start()
  await life.anchored(1003)
  await life.stop()
  t.deepEqual(await isWell(t, box, of.lasting.rpc, 1003), [1, 2, 3, 1003])
  const writer = hexOf(writerOf(of.contract ?? 0).address)
  const count = await of.lasting.rpc('eth_getTransactionCount', writer, 'latest')
  t.is(Number(count), 4, 'one transaction for a thousand batches')
}

/** A gateway in a process of its own is killed at one of its questions, and at another one in its next life. */
export async function gatewayDies(t: ExecutionContext, of: Troubled): Promise<void> {
  let child: ChildProcess | null = null
  let left = Number.POSITIVE_INFINITY
  await using proxy = await rpcProxy(
    () => of.node.url,
    () => {
      left -= 1
      if (left > 0) return 'pass'
      child?.kill('SIGKILL')
      return 'drop answer'
    },
  )
  await using box = await openBox(t, { ...of, urls: [proxy.url] })
  const { path, startMs } = box
  const { contract = 0, told } = of
  const program = fileURLToPath(new URL('gateway-child.ts', import.meta.url))
  const lives = 12
  for (let life = 0; life < lives; life++) {
    left = 12 + 7 * life
    const words = JSON.stringify({ path, startMs, contract, told, url: proxy.url })
    child = spawn(process.execPath, ['--import=tsx', program, words], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const [, signalled] = await once(child, 'exit')
    t.is(signalled, 'SIGKILL')
  }
  left = Number.POSITIVE_INFINITY
  const size = signedSoFar(path)
  const life = await box.live()
  box.sign(size + 1)
  await life.anchored(size + 1)
  await life.stop()
  const sizes = await isWell(t, box, of.lasting.rpc, size + 1)
  t.log(`${lives} lives, sizes ${sizes}`)
}
