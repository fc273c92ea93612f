/** What must be so when an outage is over. */
import type { ExecutionContext } from 'ava'
import { readArtefact } from '../../../anchor-client/contracts/artefact.ts'
import { bytesToHex, hexToBytes } from '../../../anchor-client/evidence/bytes.ts'
import { historyHash } from '../../golden/hash.ts'
import { decodeEvent } from '../../helpers/evm-abi.ts'
import { headOf } from '../../helpers/evm-history.ts'
import { historySlot } from '../../helpers/evm-layout.ts'
import { signal } from '../../helpers/ledger-under-test.ts'
import { anchorsOf, openStore } from '../../helpers/outbox.ts'
import { isAtRest } from '../../helpers/outbox-checks.ts'
import type { Box } from './box.ts'
import { hexOf } from './genesis.ts'
import type { Rpc } from './rpc.ts'

const sha256 = historyHash(2)

/**
 * The chain's last head is ours, its sizes only grew, every header lies under exactly one first anchor, and the
 * evidence verifies. Gives the sizes that were anchored.
 */
export async function isWell(
  t: ExecutionContext,
  box: Box,
  rpc: Rpc,
  size: number,
): Promise<readonly number[]> {
  const { history } = box
  await using session = await box.look()
  await using store = await openStore(box.path, history, false)
  await isAtRest(t, session, store, history, size)

  const ours = headOf(sha256, size, await history.rootAt(size))
  const slot = hexOf(historySlot(history.gateway, 0, 0))
  t.is(await rpc('eth_getStorageAt', hexOf(box.contract), slot, 'latest'), hexOf(ours))

  const anchored = await anchoredOnChain(rpc, box)
  for (const [i, one] of anchored.entries()) {
    // From one to the next without a gap, so that each header came under an anchor once.
    t.is(one.oldSize, anchored[i - 1]?.size ?? 0)
    t.true(one.size > one.oldSize)
  }
  const anchors = await anchorsOf(store)
  const sizes = anchored.map((one) => one.size)
  t.deepEqual(
    anchors.map((anchor) => anchor.size),
    sizes,
  )

  const identity = await session.describe(signal)
  if (identity.state === 'unknown') t.fail(identity.why)
  else {
    const { pin } = identity
    const isSealed = Array.isArray(pin.signers) && pin.signers.length > 0
    // What no signer vouches for, the regulator has looked up on the chain.
    const blocks = anchors.map(({ place: { height, hash } }) => ({
      height,
      hash: bytesToHex(hash),
    }))
    const report = history.judge(anchors, isSealed ? pin : { ...pin, blocks })
    const why = report.lines.filter(({ result }) => result !== 'PASS')
    t.is(report.verdict, 'complete', JSON.stringify(why))
    for (const property of ['anchor', 'continuity', 'independent', 'fixed-before'] as const) {
      t.is(report.lines.find((line) => line.property === property)?.result, 'PASS', property)
    }
  }
  return sizes
}

/** By the chain's own account of it. */
export async function anchoredOnChain(rpc: Rpc, { contract, history }: Box) {
  const { abi } = readArtefact()
  const logs = await rpc<readonly Log[]>('eth_getLogs', {
    address: hexOf(contract),
    topics: [null, hexOf(history.gateway)],
    fromBlock: '0x0',
    toBlock: 'latest',
  })
  return logs.flatMap(({ topics, data, blockNumber }) => {
    const { name, values } = decodeEvent(abi, topics.map(bytesOf), bytesOf(data))
    if (name !== 'Anchored') return []
    const [size, oldSize] = [Number(values.size), Number(values.oldSize)]
    return [{ size, oldSize, block: Number(blockNumber) }]
  })
}

export const sizesOnChain = async (rpc: Rpc, box: Box): Promise<number[]> =>
  (await anchoredOnChain(rpc, box)).map(({ size }) => size)

interface Log {
  readonly topics: readonly string[]
  readonly data: string
  readonly blockNumber: string
}

const bytesOf = (hex: string): Uint8Array => hexToBytes(hex.slice(2))
