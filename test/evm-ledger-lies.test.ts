import test, { type ExecutionContext } from 'ava'
import { u32 } from '../anchor-client/evidence/bytes.ts'
import { evmProofs } from '../anchor-client/evidence/proofs/evm.ts'
import type { EvmOptions } from '../anchor-client/ledgers/evm/options.ts'
import { evm } from '../anchor-client/ledgers/evm.ts'
import { ask, gatewayOf, secretOf } from './helpers/anchoring.ts'
import {
  anvilIsMissing,
  type Chain,
  hostOf,
  landed,
  optionsOf,
  ownedSession,
  startChain,
} from './helpers/evm-ledger.ts'
import { isFinal, signal, usual } from './helpers/ledger-under-test.ts'
import {
  type Answer,
  altering,
  type Lie,
  lyingNode,
  RpcFailure,
  without,
} from './helpers/lying-node.ts'
import { anchorAll, anchoredSizes, historyOf, openStore, troubles } from './helpers/outbox.ts'
import { scratchFolder } from './helpers/scratch.ts'

const gateway = usual({ hashId: 2 })
const stranger = gatewayOf({ secret: secretOf('another box'), hashId: 2 })

/** A ledger behind a node that can be told to lie, with our gateway and another one registered and anchored. */
async function betweenLies(chain: Chain, told: Partial<EvmOptions> = {}) {
  const { contract, owner } = chain.next()
  const node = await lyingNode(chain.url)
  const folder = await scratchFolder()
  const open = () => evm.connect(optionsOf(node.url, contract, folder.path, told), hostOf(owner))
  const session = ownedSession(await open())
  for (const one of [gateway, stranger]) {
    await session.registrar.admit(one.admission, signal)
    await ask(session, one.anchor(0, 4))
  }
  return {
    node,
    session,
    open,
    path: folder.path,
    contract,
    async [Symbol.asyncDispose]() {
      await session[Symbol.asyncDispose]()
      await node[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

const flipped = (hex: string, at: number): string =>
  `${hex.slice(0, at)}${hex[at] === '0' ? '1' : '0'}${hex.slice(at + 1)}`

const lastOf = (text: string): number => text.length - 1

/** What it lies about, and the words that show that it was found out. */
const lies: readonly (readonly [title: string, lie: Lie, words: RegExp])[] = [
  [
    'another head than the state holds',
    altering('eth_getProof', (proof) =>
      altered(proof, 0, (value) => flipped(value, lastOf(value))),
    ),
    /a value that its own proof does not hold/,
  ],
  [
    'another size than the state holds',
    altering('eth_getProof', (proof) =>
      altered(proof, 1, (value) => flipped(value, lastOf(value))),
    ),
    /a value that its own proof does not hold/,
  ],
  [
    'the proof of another slot',
    altering('eth_getProof', (proof) => {
      const [first, second, ...rest] = proof.storageProof
      const swapped = { ...first, proof: second.proof, value: second.value }
      return { ...proof, storageProof: [swapped, second, ...rest] }
    }),
    /proof that does not hold: the gateway's slot/,
  ],
  [
    'a proof with a node too many',
    altering('eth_getProof', (proof) => ({
      ...proof,
      accountProof: [...proof.accountProof, proof.accountProof[0]],
    })),
    /proof that does not hold: the contract's account: a node is not used/,
  ],
  [
    'a block with another state',
    altering('eth_getBlockByNumber', (block) => ({ ...block, stateRoot: block.parentHash })),
    /does not hash to/,
  ],
  [
    'an earlier block once more, as a later one',
    (asked, truth) =>
      asked.method === 'eth_getBlockByNumber' &&
      asked.params[0] !== 'latest' &&
      asked.params[0] !== '0x0'
        ? truth('eth_getBlockByNumber', '0x1', false)
        : undefined,
    /shows block 1 for block/,
  ],
  [
    'no event of what the state holds',
    altering('eth_getLogs', () => []),
    /4 batches anchored in block \d+ without the event of it/,
  ],
  [
    'the event of another gateway',
    altering('eth_getLogs', (events) =>
      events.map((event: Answer) => ({
        ...event,
        topics: event.topics.with(1, `0x${'ab'.repeat(32)}`),
      })),
    ),
    /an event of another contract or gateway/,
  ],
  [
    'an event of another contract',
    altering('eth_getLogs', (events) =>
      events.map((event: Answer) => ({ ...event, address: `0x${'ab'.repeat(20)}` })),
    ),
    /an event of another contract or gateway/,
  ],
  [
    'an event with another root',
    altering('eth_getLogs', (events) =>
      events.map((event: Answer) => ({ ...event, data: flipped(event.data, 2 + 2 * 40) })),
    ),
    /an anchor whose size and root do not give its head/,
  ],
  [
    'an event in a form of its own',
    altering('eth_getLogs', (events) =>
      events.map((event: Answer) => ({ ...event, data: event.data.slice(0, -64) })),
    ),
    /an event in a form that the contract never gives/,
  ],
]

function altered(proof: Answer, slot: number, alter: (value: string) => string): Answer {
  const storageProof = proof.storageProof.map((one: Answer, i: number) =>
    i === slot && one.value.length > 3 ? { ...one, value: alter(one.value) } : one,
  )
  return { ...proof, storageProof }
}

const isFoundOut = (t: ExecutionContext, error: unknown, words: RegExp) => {
  t.like(error, { code: 'LEDGER_LIES' })
  t.regex((error as Error).message, words)
}

if (anvilIsMissing) {
  test('evm: skipped, as @foundry-rs/anvil has no program for this machine', (t) => t.pass())
} else {
  const chain = await startChain()
  test.after.always(() => chain[Symbol.asyncDispose]())

  // One after the other: while others have their blocks made, anvil may answer for one block with the state of the next.
  for (const [title, lie, words] of lies) {
    test.serial(`a node that shows ${title} is named, and nothing is lost by it`, async (t) => {
      await using between = await betweenLies(chain)
      const { node, session } = between
      const prepared = await session.prepare(gateway.anchor(4, 7), signal)
      if (prepared.state !== 'prepared') return t.fail(prepared.state)
      node.tell(lie)
      // What an open session has read it need not ask again.
      await using fresh = await between.open()
      const find = fresh.find(gateway.id, 0, 4, signal)
      isFoundOut(t, await t.throwsAsync(find), words)
      const health = await session.health(signal)
      t.is(typeof health.isWell, 'boolean')
      node.beHonest()
      t.is((await session.find(gateway.id, 0, 4, signal)).state, 'final')
      t.is((await landed(session, prepared)).state, 'final')
    })
  }

  test.serial('a node that hides an older anchor is named', async (t) => {
    await using between = await betweenLies(chain)
    const { node, session } = between
    isFinal(t, await ask(session, gateway.anchor(4, 7)))
    isFinal(t, await ask(session, gateway.anchor(7, 9)))
    const all = async () => {
      const sizes: number[] = []
      for await (const { size } of session.iterate(gateway.id, 0, 0, signal)) sizes.push(size)
      return sizes
    }
    node.tell(altering('eth_getLogs', (events) => events.toSpliced(1, 1)))
    isFoundOut(t, await t.throwsAsync(all()), /hides the anchors between 4 and 9/)
    node.tell(altering('eth_getLogs', (events) => events.slice(0, 2)))
    isFoundOut(t, await t.throwsAsync(all()), /hides the anchor of 9 batches/)
    node.tell(altering('eth_getLogs', (events) => events.toReversed()))
    isFoundOut(t, await t.throwsAsync(all()), /out of order/)
    node.beHonest()
    t.deepEqual(await all(), [4, 7, 9])
  })

  test.serial(
    'a receipt is believed only where all receipts of its block give the root of its header',
    async (t) => {
      await using between = await betweenLies(chain)
      const { node, session } = between
      const checkpoint = gateway.checkpoint(4)
      const noProofs = without('eth_getProof')
      const receipts = altering('eth_getBlockReceipts', (all) =>
        all.map((one: Answer) => ({ ...one, logs: [], status: '0x1' })),
      )
      node.tell((asked, truth) => noProofs(asked, truth) ?? receipts(asked, truth))
      isFoundOut(
        t,
        await t.throwsAsync(session.prove(checkpoint, signal)),
        /receipts that are not those/,
      )
      for (const missing of [[], ['eth_getBlockReceipts']]) {
        node.tell(without('eth_getProof', ...missing))
        const proved = await session.prove(checkpoint, signal)
        if (proved.state !== 'proved') return t.fail(proved.state)
        const judged = evmProofs.judgeAnchor(proved.proof, checkpoint)
        t.like(judged, { holds: true, code: null, extensionsOnly: false })
        t.like(evmProofs.judgeAnchor(proved.proof, stranger.checkpoint(4)), { holds: false })
      }
      node.tell(without('eth_getProof', 'eth_getBlockReceipts', 'eth_getTransactionReceipt'))
      t.like(await session.prove(checkpoint, signal), { state: 'unknown' })
    },
  )

  test.serial(
    'a node that has no state of an old block any more proves the head in a newer one',
    async (t) => {
      await using between = await betweenLies(chain)
      const { node, session } = between
      const found = await session.find(gateway.id, 0, 4, signal)
      if (found.state !== 'final') return t.fail(found.state)
      const { height, hash } = found.anchored.place
      const own = `0x${Buffer.from(hash).toString('hex')}`
      await chain.rpc('anvil_mine', '0x1')
      node.tell(({ method, params }) => {
        if (method !== 'eth_getProof' || params[2].blockHash !== own) return undefined
        return Promise.reject(new RpcFailure(-32000, 'missing trie node'))
      })
      const proved = await session.prove(gateway.checkpoint(4), signal)
      if (proved.state !== 'proved') return t.fail(proved.state)
      const judged = evmProofs.judgeAnchor(proved.proof, gateway.checkpoint(4))
      if (!judged.holds) return t.fail(judged.why)
      t.true(judged.height > height)
      t.true(judged.extensionsOnly)
    },
  )

  test.serial('a receipt from above the head of its node says nothing', async (t) => {
    await using between = await betweenLies(chain)
    const { node, session } = between
    const prepared = await session.prepare(gateway.anchor(4, 7), signal)
    if (prepared.state !== 'prepared') return t.fail(prepared.state)
    const before = await chain.rpc('eth_getBlockByNumber', 'latest', false)
    t.is((await landed(session, prepared)).state, 'final')
    // As a node that was killed hard: its head fell back, and receipts and transactions are still served.
    node.tell(({ method, params }) =>
      method === 'eth_getBlockByNumber' && params[0] === 'latest'
        ? Promise.resolve(before)
        : undefined,
    )
    t.is((await session.status(prepared, signal)).state, 'unknown')
    t.is((await session.head(gateway.id, 0, signal)).state, 'unknown')
    t.is((await session.find(gateway.id, 0, 7, signal)).state, 'unknown')
    const sends = node.asked('eth_sendRawTransaction')
    t.is((await session.send(prepared, signal)).state, 'unknown')
    t.is(node.asked('eth_sendRawTransaction'), sends + 1, 'it may have lost the bytes')
    t.like(await session.health(signal), { isWell: false })
    node.beHonest()
    t.is((await session.status(prepared, signal)).state, 'final')
  })

  test.serial(
    'an outbox before a node that lies waits, says so, and goes on when it hears the truth',
    async (t) => {
      await using between = await betweenLies(chain)
      const { node, session } = between
      const history = historyOf({ secret: 'box of the liar', hashId: 2 })
      await using store = await openStore(between.path, history)
      const lie = altering('eth_getLogs', () => [])
      let count = 0
      node.tell((asked, truth) => (count++ % 40 < 30 ? lie(asked, truth) : undefined))
      const { events } = await anchorAll({ history, session, store }, [2, 3, 7])
      t.deepEqual(anchoredSizes(events), [2, 3, 7])
      t.true(troubles(events).includes('fault'), 'the lie is told')
      node.beHonest()
      t.like(await session.head(history.gateway, 0, signal), { size: 7 })
    },
  )

  test.serial('a node that talks nonsense, late or not at all is an outage', async (t) => {
    await using between = await betweenLies(chain)
    const { node, session } = between
    const nonsense: readonly Answer[] = [null, '0x', {}, 7, [], { number: '0x1' }, u32(7)]
    for (const answer of nonsense) {
      node.tell(() => Promise.resolve(answer))
      t.is((await session.head(gateway.id, 0, signal)).state, 'unknown', JSON.stringify(answer))
    }
    node.tell(({ method }) =>
      method === 'eth_getLogs'
        ? Promise.reject(new RpcFailure(-32000, 'transaction indexing is in progress'))
        : undefined,
    )
    const starting = await session.find(gateway.id, 0, 4, signal)
    t.regex(starting.state === 'unknown' ? starting.why : '', /indexing is in progress/)
    node.beHonest()
    t.is((await session.head(gateway.id, 0, signal)).state, 'registered')
  })
}
