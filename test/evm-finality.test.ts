import test from 'ava'
import { bytesToHex } from '../anchor-client/evidence/bytes.ts'
import { type Block, readBlock, readBlockAt } from '../anchor-client/ledgers/evm/blocks.ts'
import {
  confirming,
  finalUnder,
  rememberBlocks,
  signersIn,
} from '../anchor-client/ledgers/evm/finality.ts'
import type { EvmOptions } from '../anchor-client/ledgers/evm/options.ts'
import { NoAnswer } from '../anchor-client/ledgers/evm/rpc/failures.ts'
import { optionsOf } from './helpers/evm-ledger.ts'
import { addressIn, nodeWith, sealedChain, sealer } from './helpers/sealed-headers.ts'

const { signal } = new AbortController()
const [a, b, c, stranger] = [sealer(1), sealer(2), sealer(3), sealer(9)]
const three = [a, b, c]
const signers = new Set(three.map(addressIn))

const options = (told: Partial<EvmOptions>) =>
  optionsOf('http://127.0.0.1:1', 'ab'.repeat(20), './chain', told)

/** The number of the final block of a chain that these have sealed. */
async function finalOf(sealers: readonly Uint8Array[], told: Partial<EvmOptions>): Promise<number> {
  await using on = await nodeWith(sealedChain(three, sealers))
  const head = (await readBlock(on.node, 'latest', false, signal)) as Block
  const blocks = rememberBlocks(() => false)
  const final = await finalUnder(on.node, head, blocks, options(told), signers, signal)
  return final.number
}

test('by depth a block is final under so many others, and at once where finality is instant', async (t) => {
  const six = [a, a, a, a, a, a]
  t.is(await finalOf(six, { finality: 'depth', confirmations: 2 }), 4)
  t.is(await finalOf(six, { finality: 'depth', confirmations: 0 }), 6)
  t.is(await finalOf(six, { finality: 'depth', confirmations: 12 }), 0)
  t.is(await finalOf(six, { finality: 'instant', confirmations: 12 }), 6)
})

test('on Clique more than half of the signers must have sealed a block and those over it', async (t) => {
  const clique = (confirmations: number) => ({ finality: 'clique', confirmations }) as const
  t.is(await finalOf([a, a, a, b], clique(0)), 3)
  t.is(await finalOf([a, b, c, a], clique(0)), 3)
  t.is(await finalOf([a, b, c, a], clique(2)), 2)
  t.is(await finalOf([a, b, a, a, a], clique(1)), 2)
  t.is(
    await finalOf([a, b, stranger, stranger], clique(1)),
    1,
    'whoever is no signer does not count',
  )
  t.is(await finalOf([a, a, a, a], clique(1)), 0, 'one signer alone is not more than half')
})

test('where the signers that are known do not seal any more the search ends, and says what to do', async (t) => {
  await using on = await nodeWith(
    sealedChain(
      three,
      Array.from({ length: 60 }, () => stranger),
    ),
  )
  let questions = 0
  const node: typeof on.node = {
    ...on.node,
    ask(asked, signal) {
      questions += 1
      return on.node.ask(asked, signal)
    },
  }
  const head = (await readBlock(node, 'latest', false, signal)) as Block
  const blocks = rememberBlocks(() => false)
  const clique = options({ finality: 'clique', confirmations: 4 })
  await t.throwsAsync(finalUnder(node, head, blocks, clique, signers, signal), {
    instanceOf: NoAnswer,
    message: /those of block 0 do not seal any more, switch on the clique API of the node/,
  })
  t.true(questions < 40, `${questions}`)
})

test('evidence carries as many headers as it takes, and the last one is sealed by a signer', async (t) => {
  await using on = await nodeWith(sealedChain(three, [a, a, stranger, c, b]))
  const all: Block[] = []
  for (let number = 1; number <= 5; number++)
    all.push(await readBlockAt(on.node, number, false, signal))
  const clique = options({ finality: 'clique' })
  t.deepEqual(
    confirming(all, clique, signers)?.map(({ number }) => number),
    [1, 2, 3, 4],
  )
  t.deepEqual(
    confirming(all.slice(3), clique, signers)?.map(({ number }) => number),
    [4, 5],
  )
  t.is(confirming(all.slice(0, 3), clique, signers), null)
  t.is(confirming(all, options({ finality: 'depth' }), new Set())?.length, 1)
})

test('the first block lists the signers', async (t) => {
  await using on = await nodeWith(sealedChain(three, [a]))
  const first = await readBlockAt(on.node, 0, false, signal)
  t.deepEqual([...signersIn(first)], [...signers].toSorted())
  const second = await readBlockAt(on.node, 1, false, signal)
  t.throws(() => signersIn(second), { instanceOf: NoAnswer, message: /lists no signers/ })
})

test('a chain that changes over to another branch while it is read is asked again', async (t) => {
  const one = sealedChain(three, [a, b, c])
  const other = sealedChain(three, [b, b, b], 1_700_000_001)
  await using on = await nodeWith(one)
  const head = (await readBlock(on.node, 'latest', false, signal)) as Block
  on.show(other)
  const blocks = rememberBlocks(() => false)
  await t.throwsAsync(blocks.under(on.node, head, 1, signal), {
    instanceOf: NoAnswer,
    message: /changed over to another branch at block 3/,
  })
  on.show(one)
  const read = await blocks.under(on.node, head, 0, signal)
  t.deepEqual(
    read.map(({ hash }) => bytesToHex(hash)),
    one.map(({ hash }) => bytesToHex(hash)),
  )
})

test('headers that a chain hashes in a way of its own are read only where that is expected', async (t) => {
  const chain = sealedChain(three, [a]).map((header) => ({
    ...header,
    json: { ...header.json, hash: `0x${'5a'.repeat(32)}` },
  }))
  await using on = await nodeWith(chain)
  await t.throwsAsync(readBlockAt(on.node, 1, false, signal), { code: 'LEDGER_LIES' })
  t.like(await readBlockAt(on.node, 1, true, signal), { number: 1, raw: null })
})
