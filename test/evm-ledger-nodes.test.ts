/** Several nodes of one chain, of which one stands still, says another thing than the others, or says nothing. */
import { keccak_256 } from '@noble/hashes/sha3.js'
import test from 'ava'
import { hexToBytes } from '../anchor-client/evidence/bytes.ts'
import { encodeRlp, rlpUint } from '../anchor-client/evidence/rlp.ts'
import type { EvmOptions } from '../anchor-client/ledgers/evm/options.ts'
import { evm } from '../anchor-client/ledgers/evm.ts'
import { ask } from './helpers/anchoring.ts'
import {
  anvilIsMissing,
  evmUnderTest,
  hex,
  prepare,
  startChain,
  whyOf,
} from './helpers/evm-ledger.ts'
import { until } from './helpers/gateway.ts'
import { isFinal, signal, usual } from './helpers/ledger-under-test.ts'
import { type Answer, altering, type Lie, lyingNode, RpcFailure } from './helpers/lying-node.ts'
import { scratchFolder } from './helpers/scratch.ts'

const gateway = usual({ hashId: 2 })

/** As a node that has stopped taking blocks, and answers all the same. */
const standingAt =
  (block: Answer): Lie =>
  ({ method, params, truth }) => {
    if (method === 'eth_getBlockByNumber' && params[0] === 'latest') return Promise.resolve(block)
    if (method === 'eth_blockNumber') return Promise.resolve(block.number)
    if (method !== 'eth_getTransactionByHash') return undefined
    return truth().then((found) => found && { ...found, blockNumber: null, blockHash: null })
  }

const telling = (method: string, answer: Answer): Lie => altering(method, () => answer)

/** As each names other signers now; of an earlier block they say what `before` is. */
const sealedBy =
  (now: string, before = now): Lie =>
  ({ method, params }) =>
    method === 'clique_getSigners'
      ? Promise.resolve([`0x${(params[0] === 'latest' ? now : before).repeat(20)}`])
      : undefined

const fields = [
  ...['parentHash', 'sha3Uncles', 'miner', 'stateRoot', 'transactionsRoot', 'receiptsRoot'],
  ...['logsBloom', 'difficulty', 'number', 'gasLimit', 'gasUsed', 'timestamp', 'extraData'],
  ...['mixHash', 'nonce', 'baseFeePerGas'],
]
const numbers = ['difficulty', 'number', 'gasLimit', 'gasUsed', 'timestamp', 'baseFeePerGas']

/** A header that gives its hash, and that nobody has ever made a block of. */
function risen(block: Answer, height: number): Answer {
  const header = { ...block, number: `0x${height.toString(16)}` }
  const rlp = fields.map((name) =>
    numbers.includes(name) ? rlpUint(BigInt(header[name])) : hexToBytes(header[name].slice(2)),
  )
  return { ...header, hash: hex(keccak_256(encodeRlp(rlp))) }
}

if (anvilIsMissing) {
  test('evm: skipped, as @foundry-rs/anvil has no program for this machine', (t) => t.pass())
} else {
  /** Two nodes of a chain of its own, on which our gateway has anchored 3 batches. */
  async function twoNodes(told: Partial<EvmOptions> = {}) {
    const chain = await startChain()
    const ledger = await evmUnderTest(chain)
    await using session = await ledger.open()
    await session.registrar.admit(gateway.admission, signal)
    await ask(session, gateway.anchor(0, 3))
    const { path, ...folder } = await scratchFolder()
    const [first, second] = [await lyingNode(chain.url), await lyingNode(chain.url)]
    const names = [first, second].map(({ url }) => new URL(url).host) as [string, string]
    return {
      ...{ chain, first, second, names },
      newest: () => chain.rpc('eth_getBlockByNumber', 'latest', false),
      anchor: async (from: number, size: number) => {
        await using own = await ledger.open()
        return ask(own, gateway.anchor(from, size))
      },
      open: () =>
        // As on a card that was restored: it knows of nothing that it saw before.
        evm.connect(
          ledger.options({ ...told, path, urls: [first.url, second.url] }),
          ledger.host(),
        ),
      async [Symbol.asyncDispose]() {
        for (const one of [first, second, ledger, folder, chain]) await one[Symbol.asyncDispose]()
      },
    }
  }

  test('what one node has seen is not hidden by another one that stands still', async (t) => {
    await using on = await twoNodes()
    const { chain, first, names } = on
    first.tell(standingAt(await on.newest()))
    isFinal(t, await on.anchor(3, 9))
    await chain.rpc('anvil_mine', '0x64')
    await using session = await on.open()
    t.like(await session.head(gateway.id, 0, signal), { size: 9, isFinal: true })
    const { isWell, notes } = await session.health(signal)
    t.false(isWell)
    t.regex(notes.join(), new RegExp(`${names[0]} is only at block \\d+, and ${names[1]} at \\d+`))
  })

  test('an anchor in the one block that a node standing still has not got is found on another one', async (t) => {
    await using on = await twoNodes()
    await using session = await on.open()
    isFinal(t, await ask(session, gateway.anchor(3, 5)))
    on.first.tell(standingAt(await on.newest()))
    const prepared = await prepare(session, gateway.anchor(5, 7))
    await session.send(prepared, signal)
    const outcome = await until(async () => {
      const now = await session.status(prepared, signal)
      return now.state === 'final' ? now : null
    }, 'the anchor on the second node')
    isFinal(t, outcome)
    t.regex((await session.health(signal)).notes.join(), /is only at block/)
  })

  test('a height that a node cannot show is told of, and the others are gone on with', async (t) => {
    await using on = await twoNodes()
    const { first, second, names } = on
    const block = await on.newest()
    const heights: [Answer, RegExp][] = [
      [{ ...block, number: '0xffffffff' }, /which does not hash to/],
      [risen(block, 0xffff_ffff), /shows block 4294967295, and not what is under it/],
    ]
    for (const [claimed, words] of heights) {
      second.tell((asked) =>
        asked.method === 'eth_getBlockByNumber' && asked.params[0] === 'latest'
          ? Promise.resolve(claimed)
          : undefined,
      )
      await using session = await on.open()
      const head = await until(async () => {
        const found = await session.head(gateway.id, 0, signal)
        return found.state === 'registered' ? found : null
      }, 'an answer of the honest node')
      t.like(head, { size: 3, isFinal: true })
      await until(async () => {
        await session.head(gateway.id, 0, signal)
        return words.test((await session.health(signal)).notes.join()) || null
      }, `${words}`)
      t.regex((await session.health(signal)).notes.join(), new RegExp(names[1]))
      t.like(await session.head(gateway.id, 0, signal), { size: 3 })
    }
    t.true(first.asked('eth_getProof') > 0)
  })

  test('a node on a branch of its own is not followed, however long that branch is', async (t) => {
    await using on = await twoNodes()
    let block = await on.newest()
    const blocks = new Map<string, Answer>()
    while (blocks.size < 40) {
      block = risen({ ...block, parentHash: block.hash }, Number(block.number) + 1)
      blocks.set(block.number, block)
    }
    const [lowest] = [...blocks.keys()]
    await on.chain.rpc('anvil_mine', '0x1')
    on.second.tell(({ method, params }) =>
      method === 'eth_getBlockByNumber' && (params[0] === 'latest' || blocks.has(params[0]))
        ? Promise.resolve(params[0] === 'latest' ? block : blocks.get(params[0]))
        : undefined,
    )
    await using session = await on.open()
    t.like(await session.head(gateway.id, 0, signal), { size: 3 })
    const words = new RegExp(`${on.names[1]} shows another block ${Number(lowest)} than`)
    t.regex((await session.health(signal)).notes.join(), words)
  })

  test('a node that was ahead and was found lying is left, and what it said of the height with it', async (t) => {
    await using on = await twoNodes()
    on.first.tell(standingAt(await on.newest()))
    await on.chain.rpc('anvil_mine', '0x8')
    on.second.tell(altering('eth_getLogs', () => []))
    await using session = await on.open()
    const find = () => session.find(gateway.id, 0, 3, signal)
    await t.throwsAsync(find(), { code: 'LEDGER_LIES' })
    t.like(await find(), { state: 'final' })
    const { isWell, notes } = await session.health(signal)
    t.false(isWell)
    t.regex(notes.join(), new RegExp(`the node ${on.names[1]} shows 3 batches anchored`))
  })

  test('signers, registrar and hash are those of the node that is read, and another word is told of', async (t) => {
    const words: [Lie, RegExp][] = [
      [sealedBy('bb'), /says that (?:bb){20} seal, and \S+ says (?:aa){20}/],
      [
        altering('eth_call', (said) =>
          /^0x0{63}[01]$/.test(said) ? said : `0x${'cc'.repeat(20).padStart(64, '0')}`,
        ),
        /says that the registrar is 0x(?:cc){20}, and/,
      ],
      [
        altering('eth_call', (said) =>
          /^0x0{63}[01]$/.test(said) ? `0x${'1'.padStart(64, '0')}` : said,
        ),
        /says another thing than \S+ of the hash that the contract computes/,
      ],
    ]
    await using on = await twoNodes({ finality: 'clique' })
    const { first, second, names } = on
    first.tell(sealedBy('aa'))
    for (const [lie, said] of words) {
      second.tell((asked, truth) => lie(asked, truth) ?? sealedBy('aa')(asked, truth))
      await using session = await on.open()
      const identity = await session.describe(signal)
      if (identity.state !== 'described') return t.fail(identity.why)
      t.deepEqual(identity.pin.signers, [{ from: 0, addresses: ['aa'.repeat(20)] }])
      t.deepEqual(identity.hashIds, [2])
      t.not(session.registrar, null)
      const notes = (await session.health(signal)).notes.join()
      t.regex(notes, said)
      t.regex(notes, new RegExp(`the node ${names[1]} says`))
    }
  })

  test('a vote that one node has not heard of so far is no lie', async (t) => {
    await using on = await twoNodes({ finality: 'clique' })
    on.first.tell(sealedBy('aa'))
    on.second.tell(sealedBy('bb', 'aa'))
    await using session = await on.open()
    await session.describe(signal)
    t.deepEqual((await session.health(signal)).notes, [])
  })

  test('where the contract is said to answer nothing the next node is asked', async (t) => {
    await using on = await twoNodes()
    on.first.tell(telling('eth_call', '0x'))
    await using session = await on.open()
    t.is((await session.describe(signal)).state, 'described')
    t.like(await session.head(gateway.id, 0, signal), { size: 3 })
    const words = new RegExp(`the node ${on.names[0]} answers for registrar of the contract what`)
    t.regex((await session.health(signal)).notes.join(), words)

    on.second.tell(telling('eth_call', '0x'))
    await using nobody = await on.open()
    const error = await t.throwsAsync(nobody.head(gateway.id, 0, signal), { code: 'LEDGER_LIES' })
    t.regex(error?.message ?? '', /what its code never gives/)
  })

  test('a node that never answers is waited for once, and not at each question', async (t) => {
    await using on = await twoNodes({ timeoutMs: 2500 })
    on.second.tell(() => new Promise(() => undefined))
    await using session = await on.open()
    t.like(await session.head(gateway.id, 0, signal), { size: 3 })
    const startedMs = performance.now()
    for (let i = 0; i < 4; i++) await session.head(gateway.id, 0, signal)
    await new Promise((resolve) => setTimeout(resolve, 3500))
    for (let i = 0; i < 4; i++) await session.head(gateway.id, 0, signal)
    t.true(performance.now() - startedMs < 3500 + 2000)
    on.second.beHonest()
    on.first.tell(() => Promise.reject(new RpcFailure(-32000, 'rate limit')))
    const head = await session.head(gateway.id, 0, signal)
    t.like(head, { size: 3 }, whyOf(head))
  })
}
