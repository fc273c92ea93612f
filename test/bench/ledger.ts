import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { openEmbedded } from '../../anchor-client/ledgers/embedded.ts'
import { anvilProgram } from '../engines/evm/anvil.ts'
import { anvilChain, lonelyChain, registrarOf } from '../engines/evm/chains.ts'
import { contractAt, hexOf } from '../engines/evm/genesis.ts'
import type { Geth } from '../engines/evm/geth.ts'
import { gethIsBuilt } from '../engines/evm/geth-program.ts'
import type { Rpc } from '../engines/evm/rpc.ts'
import { ask, gatewayOf, secretOf } from '../helpers/anchoring.ts'
import { host, logName } from '../helpers/embedded.ts'
import { evmUnderTest } from '../helpers/evm-ledger.ts'
import { until } from '../helpers/gateway.ts'
import type { OwnedLedger } from '../helpers/ledger-under-test.ts'
import { scratchFolder } from '../helpers/scratch.ts'
import { atMost, type Row } from './row.ts'

const topic = 'ledger'

/** What an outage of 1,000 headers costs when it is over: one anchor, on each ledger. */
export async function* benchLedger(): AsyncIterable<Row> {
  yield* caughtUpEmbedded()
  if (anvilProgram() === null) console.error('no anvil for this machine')
  else {
    await using chain = await anvilChain()
    yield* caughtUpOnChain('anvil', chain)
  }
  if (!(await gethIsBuilt())) console.error('no geth: npm run test:engines -- evm builds it')
  else {
    await using chain = await lonelyChain()
    const [node] = chain.nodes as [Geth]
    yield* caughtUpOnChain('geth', node)
  }
}

const { signal } = new AbortController()

async function* caughtUpEmbedded(): AsyncIterable<Row> {
  await using scratch = await scratchFolder()
  await using session = await openEmbedded(scratch.path, host({ isFirstUse: true }))
  const size = async () => (await stat(join(scratch.path, logName))).size
  const { prepared, proof, before } = await catchUp(session, 1, size)
  const what = 'embedded, or a witness: 1,000 headers in one entry'
  yield atMost(topic, `${what}, request`, prepared.bytes.length, 'bytes', 1024)
  yield atMost(topic, `${what}, its log`, (await size()) - before, 'bytes', 1024)
  yield atMost(topic, `${what}, proof`, proof.length, 'bytes', 400)
}

async function* caughtUpOnChain(
  name: string,
  { rpc, url }: { readonly rpc: Rpc; readonly url: string },
): AsyncIterable<Row> {
  const owner = registrarOf(0)
  const next = () => ({ contract: hexOf(contractAt(0)), owner })
  const told = { fee: 'legacy', gasPrice: '1' } as const
  await using ledger = await evmUnderTest({ url, next }, told)
  await using session = await ledger.open()
  const count = async () =>
    Number(await rpc('eth_getTransactionCount', hexOf(owner.address), 'latest'))
  const { prepared, proof, before } = await catchUp(session, 2, count)
  const what = `evm on ${name}: 1,000 headers caught up`
  const { gasUsed } = await rpc('eth_getTransactionReceipt', prepared.id)
  yield atMost(topic, `${what}, transactions`, (await count()) - before, 'transactions', 1)
  yield atMost(topic, `${what}, gas`, Number(gasUsed), 'gas', 85_000)
  yield atMost(topic, `${what}, transaction`, prepared.bytes.length, 'bytes', 1536)
  yield atMost(topic, `${what}, proof with one block`, proof.length, 'bytes', 4096)
}

async function catchUp(session: OwnedLedger, hashId: 1 | 2, measure: () => Promise<number>) {
  const gateway = gatewayOf({ secret: secretOf('gateway'), hashId })
  await session.registrar.admit(gateway.admission, signal)
  await ask(session, gateway.anchor(0, 7))
  const before = await measure()
  const prepared = await session.prepare(gateway.anchor(7, 1007), signal)
  if (prepared.state !== 'prepared') throw new Error(`nothing to send: ${prepared.state}`)
  await until(async () => (await session.send(prepared, signal)).state === 'final', 'the anchor')
  const proved = await session.prove(gateway.checkpoint(1007), signal)
  if (proved.state !== 'proved') throw new Error(proved.state)
  return { prepared, proof: proved.proof, before }
}
