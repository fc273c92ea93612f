import { setMaxListeners } from 'node:events'
import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test from 'ava'
import { bytesToHex } from '../anchor-client/evidence/bytes.ts'
import { evm } from '../anchor-client/ledgers/evm.ts'
import { readTransaction } from '../anchor-client/ledgers/evm-transactions.ts'
import type {
  LedgerRequest,
  LedgerSession,
  Outcome,
  Prepared,
} from '../anchor-client/ledgers/ledger.ts'
import { ask } from './helpers/anchoring.ts'
import {
  anvilIsMissing,
  chainAccount,
  chainId,
  evmUnderTest,
  hex,
  hostOf,
  landed,
  ownedSession,
  startChain,
} from './helpers/evm-ledger.ts'
import { isFinal, isRefused, nextKey, signal, sizesOf, usual } from './helpers/ledger-under-test.ts'
import { lyingNode, RpcFailure } from './helpers/lying-node.ts'

setMaxListeners(0, signal)

const gateway = usual({ hashId: 2 })
const clone = usual({ hashId: 2, forkedAt: 3 })

const whyOf = (of: object): string =>
  'why' in of ? String(of.why) : 'state' in of ? String(of.state) : ''

const prepare = (session: LedgerSession, oldSize: number, size: number): Promise<Prepared> =>
  prepareThis(session, gateway.anchor(oldSize, size))

async function prepareThis(session: LedgerSession, request: LedgerRequest): Promise<Prepared> {
  const prepared = await session.prepare(request, signal)
  if (prepared.state !== 'prepared') throw new Error(whyOf(prepared))
  return prepared
}

const placeOf = (outcome: Outcome) => ('place' in outcome ? outcome.place : undefined)

if (anvilIsMissing) {
  test('evm: skipped, as @foundry-rs/anvil has no program for this machine', (t) => t.pass())
} else {
  const chain = await startChain()
  test.after.always(() => chain[Symbol.asyncDispose]())

  test('after an outage of 1,000 headers one transaction catches up', async (t) => {
    await using ledger = await evmUnderTest(chain)
    await using session = await ledger.open()
    await session.registrar.admit(gateway.admission, signal)
    isFinal(t, await ask(session, gateway.anchor(0, 3)))
    const count = () => chain.rpc('eth_getTransactionCount', hex(ledger.owner.address), 'latest')
    const before = Number(await count())
    const place = isFinal(t, await ask(session, gateway.anchor(3, 1003)))
    t.is(Number(await count()), before + 1)
    t.regex(place?.cost ?? '', /^\d{5,6} gas at 0 wei$/)
    t.deepEqual(await sizesOf(session, gateway.id, 0), [3, 1003])
  })

  test('a node of another chain, or a contract that is not ours, is refused by name', async (t) => {
    await using ledger = await evmUnderTest(chain)
    const connect = (told: object) => evm.connect(ledger.options(told), ledger.host())
    const isRefusedAs = async (told: object, words: RegExp) => {
      const error = await t.throwsAsync(connect(told), { code: 'LEDGER_MISMATCH' })
      t.regex(error?.message ?? '', words)
    }
    await isRefusedAs(
      { chainId: chainId + 1 },
      new RegExp(`is on chain ${chainId}, not on ${chainId + 1}`),
    )
    await isRefusedAs({ genesis: 'ab'.repeat(32) }, /begins with 0x[0-9a-f]{64}, not with 0xabab/)
    await isRefusedAs({ contract: 'ab'.repeat(20) }, /there is no contract at 0xabab/)
    await isRefusedAs(
      { contract: chain.otherContract },
      /has code [0-9a-f]{16}…, not that of the anchor contract/,
    )
  })

  test('the first chain that was seen is kept, also over a restart', async (t) => {
    await using ledger = await evmUnderTest(chain)
    {
      await using session = await ledger.open()
      await session.registrar.admit(gateway.admission, signal)
    }
    const book = join(ledger.path, 'nonces.json')
    const { genesis, ...rest } = JSON.parse(await readFile(book, 'utf8'))
    t.is((await stat(book)).mode & 0o777, 0o600)
    await writeFile(book, JSON.stringify({ ...rest, genesis: 'ab'.repeat(32) }))
    const error = await t.throwsAsync(ledger.open(), { code: 'LEDGER_MISMATCH' })
    t.regex(error?.message ?? '', new RegExp(`begins with 0x${genesis}, not with 0xabab`))
  })

  test('the book of numbers is read strictly, and may be begun anew', async (t) => {
    await using ledger = await evmUnderTest(chain)
    const book = join(ledger.path, 'nonces.json')
    {
      await using session = await ledger.open()
      await session.registrar.admit(gateway.admission, signal)
      isFinal(t, await ask(session, gateway.anchor(0, 3)))
    }
    const good = await readFile(book, 'utf8')
    for (const bad of ['', '{', '{}', good.replace('"version":1', '"version":2'), `${good}x`]) {
      await writeFile(book, bad)
      await t.throwsAsync(ledger.open(), { code: 'LEDGER_DAMAGED' }, bad)
    }
    await writeFile(book, good.replace(ledger.contract.slice(2), 'ab'.repeat(20)))
    await t.throwsAsync(ledger.open(), { code: 'LEDGER_MISMATCH' })
    await rm(book)
    await using again = await ledger.open()
    isFinal(t, await ask(again, gateway.anchor(3, 5)))
  })

  test('what was prepared and never sent takes no number: only one of two can land', async (t) => {
    await using ledger = await evmUnderTest(chain)
    let lost: Prepared
    {
      await using session = await ledger.open()
      await session.registrar.admit(gateway.admission, signal)
      const request = gateway.anchor(0, 3)
      lost = await prepareThis(session, request)
      t.deepEqual(await prepareThis(session, request), lost, 'the same again has the same bytes')
    }
    await using session = await ledger.open()
    const taken = await prepare(session, 0, 5)
    const [one, other] = [lost, taken].map(({ bytes }) => readTransaction(bytes)?.nonce)
    t.is(one, other)
    isFinal(t, await landed(session, taken))
    t.is((await session.send(lost, signal)).state, 'covered')
    t.deepEqual(await sizesOf(session, gateway.id, 0), [5])
  })

  test('bytes that are no transaction of ours are refused, whatever they are', async (t) => {
    await using ledger = await evmUnderTest(chain)
    await using session = await ledger.open()
    await session.registrar.admit(gateway.admission, signal)
    const prepared = await prepare(session, 0, 3)
    const { bytes } = prepared
    const isMalformed = async (altered: Uint8Array, message: string) =>
      t.like(
        await session.send({ ...prepared, bytes: altered }, signal),
        { state: 'refused', reason: 'malformed' },
        message,
      )
    for (const length of [0, 1, 2, 50, 200, bytes.length - 1]) {
      await isMalformed(bytes.subarray(0, length), `${length}`)
    }
    await isMalformed(Uint8Array.from([...bytes, 0]), 'too long')
    await isMalformed(new Uint8Array(1 << 20), 'far too long')
    for (let at = 0; at < bytes.length; at += 23) {
      const altered = Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ 0x10 : byte))
      t.not((await session.status({ ...prepared, bytes: altered }, signal)).state, 'final', `${at}`)
    }
    isFinal(t, await landed(session, prepared))
  })

  test('a gateway whose account is not the one that is registered waits for the registrar', async (t) => {
    await using ledger = await evmUnderTest(chain)
    const [own, other] = [chainAccount('gateway account'), chainAccount('other account')]
    await using registrar = await ledger.open()
    const admission = { ...gateway.admission, account: other.address }
    isFinal(t, await registrar.registrar.admit(admission, signal))
    isFinal(t, await registrar.registrar.admit(admission, signal))
    isRefused(t, await registrar.registrar.admit(gateway.admission, signal), 'other-key')
    const path = join(ledger.path, 'gateway')
    await using session = await evm.connect(ledger.options({ path }), hostOf(own))
    t.is(session.registrar, null)
    const outcome = await ask(session, gateway.anchor(0, 3))
    isRefused(t, outcome, 'not-permitted')
    t.is(
      whyOf(outcome),
      `account ${hex(other.address)} is registered for this gateway, and ours is ${hex(own.address)}`,
    )
    await using right = await evm.connect(
      ledger.options({ path: join(ledger.path, 'right') }),
      hostOf(other),
    )
    isFinal(t, await ask(right, gateway.anchor(0, 3)))
  })

  test('whoever has no account may look, and writes nothing', async (t) => {
    await using ledger = await evmUnderTest(chain)
    await using session = await ledger.open()
    await session.registrar.admit(gateway.admission, signal)
    isFinal(t, await ask(session, gateway.anchor(0, 3)))
    const path = join(ledger.path, 'looking')
    const noAccount = { publicKey: new Uint8Array(), sign: () => new Uint8Array() }
    await using looking = await evm.connect(ledger.options({ path }), hostOf(noAccount))
    t.like(await looking.head(gateway.id, 0, signal), {
      state: 'registered',
      size: 3,
      isFinal: true,
    })
    t.is((await looking.prove(gateway.checkpoint(3), signal)).state, 'proved')
    isRefused(t, await ask(looking, gateway.anchor(3, 5)), 'not-permitted')
    t.is(looking.registrar, null)
    await t.throwsAsync(stat(path), { code: 'ENOENT' })
  })

  test('a rotation that another account offered is accepted by the one it was offered to', async (t) => {
    await using ledger = await evmUnderTest(chain)
    await using session = await ledger.open()
    await session.registrar.admit(gateway.admission, signal)
    isFinal(t, await ask(session, gateway.anchor(0, 3)))
    const heir = chainAccount('heir')
    const rotation = gateway.rotation(3, nextKey)
    isFinal(t, await ask(session, { ...rotation, account: heir.address }))
    t.like(await session.head(gateway.id, 0, signal), { size: 3 })
    const path = join(ledger.path, 'heir')
    await using inherited = await evm.connect(ledger.options({ path }), hostOf(heir))
    isFinal(t, await ask(inherited, rotation))
    isFinal(t, await ask(inherited, gateway.anchor(3, 5, nextKey)))
    isRefused(t, await ask(session, gateway.anchor(5, 7, nextKey)), 'not-permitted')
  })

  test('nobody but the registrar freezes, and a report of anybody is recorded', async (t) => {
    await using ledger = await evmUnderTest(chain)
    await using session = await ledger.open()
    await session.registrar.admit(gateway.admission, signal)
    isFinal(t, await ask(session, gateway.anchor(0, 4)))
    const path = join(ledger.path, 'reporter')
    const reporter = chainAccount('reporter')
    await using reporting = await evm.connect(ledger.options({ path }), hostOf(reporter))
    const report = gateway.fork(5, clone)
    const first = isFinal(t, await ask(reporting, report))
    t.deepEqual(isFinal(t, await ask(reporting, report)), first)
    t.like(await reporting.head(gateway.id, 0, signal), { stands: 'open' })
    isFinal(t, await ask(session, gateway.fork(5, clone)))
    t.like(await reporting.head(gateway.id, 0, signal), { stands: 'frozen' })
  })

  test('one node that is silent, behind or elsewhere keeps nobody from the others', async (t) => {
    await using ledger = await evmUnderTest(chain)
    await using session = await ledger.open()
    await session.registrar.admit(gateway.admission, signal)
    isFinal(t, await ask(session, gateway.anchor(0, 3)))
    const old = await chain.rpc('eth_getBlockByNumber', 'latest', false)
    isFinal(t, await ask(session, gateway.anchor(3, 5)))
    await chain.rpc('anvil_mine', '0x8')

    await using node = await lyingNode(chain.url)
    const lies = {
      silent: () => Promise.reject(new RpcFailure(-32000, 'rate limit')),
      behind: ({ method, params }: { method: string; params: readonly unknown[] }) =>
        method === 'eth_getBlockByNumber' && params[0] === 'latest'
          ? Promise.resolve(old)
          : undefined,
      elsewhere: ({ method }: { method: string }) =>
        method === 'eth_chainId' ? Promise.resolve('0x7') : undefined,
    }
    let size = 5
    for (const [how, lie] of Object.entries(lies)) {
      node.tell(lie)
      await using several = await evm.connect(
        ledger.options({ urls: [node.url, chain.url] }),
        ledger.host(),
      )
      await several.describe(signal)
      if (how === 'behind') t.is((await several.beacon(signal)).state, 'final')
      t.like(await several.find(gateway.id, 0, size, signal), { state: 'final' }, how)
      isFinal(t, await ask(several, gateway.anchor(size, size + 2)))
      size += 2
      const { notes } = await several.health(signal)
      t.is(/is on chain 7, not on/.test(notes.join()), how === 'elsewhere', how)
      node.beHonest()
    }
    t.true(node.asked('eth_sendRawTransaction') > 0, 'all are sent to')
  })

  test('an outage is unknown, and only a list of anchors breaks off', async (t) => {
    await using ledger = await evmUnderTest(chain)
    await using session = await ledger.open()
    await session.registrar.admit(gateway.admission, signal)
    isFinal(t, await ask(session, gateway.anchor(0, 3)))
    const prepared = await prepare(session, 3, 5)
    const server = createServer((_, response) => {
      response.statusCode = 302
      response.setHeader('location', chain.url)
      response.end('<html>log in first</html>')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => server.close())
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    await using cut = await evm.connect(ledger.options({ urls: [url] }), ledger.host())
    const beacon = { ledger: gateway.id, height: 1, hash: gateway.id }
    const answers = [
      await cut.describe(signal),
      await cut.head(gateway.id, 0, signal),
      await cut.prepare(gateway.anchor(3, 5), signal),
      await cut.send(prepared, signal),
      await cut.status(prepared, signal),
      await cut.find(gateway.id, 0, 3, signal),
      await cut.prove(gateway.checkpoint(3), signal),
      await cut.beacon(signal),
      await cut.proveBeacon(beacon, signal),
    ]
    for (const answer of answers) {
      t.regex(whyOf(answer), /is answered by something else than a node \(302\)/)
      t.is(answer.state, 'unknown')
    }
    await t.throwsAsync(sizesOf(cut, gateway.id, 0), { code: 'LEDGER_UNREACHABLE' })
    t.like(await cut.health(signal), { isWell: false, height: null })
    t.is(cut.registrar, null)
  })

  test('what pins it names chain, contract and code, and its finality is said in words', async (t) => {
    await using ledger = await evmUnderTest(chain)
    await using session = await evm.connect(ledger.options({ confirmations: 3 }), ledger.host())
    const identity = await session.describe(signal)
    if (identity.state === 'unknown') return t.fail(identity.why)
    const genesis = await chain.rpc('eth_getBlockByNumber', '0x0', false)
    t.like(identity.pin, {
      kind: 'evm',
      chainId,
      genesis: genesis.hash.slice(2),
      contract: ledger.contract.slice(2),
    })
    t.deepEqual(identity.hashIds, [2])
    t.is(identity.finality, 'a block is final under 3 others')
    t.is(bytesToHex(identity.ledgerId).length, 64)
  })

  // What follows moves the chain under everybody's feet: each on a chain of its own.
  test.serial('an anchor is final only under as many blocks as are asked for', async (t) => {
    await using own = await startChain()
    await using ledger = await evmUnderTest(own, { confirmations: 3 })
    await using session = await connected(own, ledger)
    const prepared = await prepare(session, 0, 3)
    const outcome = await landed(session, prepared)
    t.is(outcome.state, 'known')
    const place = placeOf(outcome)
    t.truthy(place)
    t.like(await session.head(gateway.id, 0, signal), { size: 3, isFinal: false })
    t.is((await session.find(gateway.id, 0, 3, signal)).state, 'absent')
    t.is((await session.prove(gateway.checkpoint(3), signal)).state, 'unknown')
    t.like(await session.prepare(gateway.anchor(0, 3), signal), { state: 'known', place })
    await own.rpc('anvil_mine', '0x2')
    t.is((await session.status(prepared, signal)).state, 'known')
    await own.rpc('anvil_mine', '0x1')
    t.deepEqual(await session.status(prepared, signal), { state: 'final', place })
    t.is((await session.prove(gateway.checkpoint(3), signal)).state, 'proved')
  })

  test.serial(
    'an anchor that a reorganisation removes is sent again, the same bytes',
    async (t) => {
      await using own = await startChain()
      await using ledger = await evmUnderTest(own, { confirmations: 3 })
      await using session = await connected(own, ledger)
      const prepared = await prepare(session, 0, 3)
      const first = placeOf(await landed(session, prepared))
      await own.rpc('anvil_mine', '0x1')
      await own.rpc('anvil_reorg', 2, [])
      t.is((await session.status(prepared, signal)).state, 'unknown')
      t.like(await session.head(gateway.id, 0, signal), { size: 0 })
      const again = await landed(session, prepared)
      t.is(again.state, 'known')
      t.notDeepEqual(placeOf(again)?.hash, first?.hash)
      await own.rpc('anvil_mine', '0x3')
      t.deepEqual(await session.status(prepared, signal), { state: 'final', place: placeOf(again) })
    },
  )

  test.serial(
    'after a reorganisation that brings in another history the conflict waits until it is final',
    async (t) => {
      await using own = await startChain()
      await using ledger = await evmUnderTest(own, { confirmations: 3 })
      await using session = await connected(own, ledger)
      const [ours, theirs] = [
        await prepare(session, 0, 4),
        await session.prepare(clone.anchor(0, 4), signal),
      ]
      if (theirs.state !== 'prepared') return t.fail(whyOf(theirs))
      t.is((await landed(session, ours)).state, 'known')
      await own.rpc('anvil_mine', '0x1')
      await own.rpc('anvil_reorg', 2, [[hex(theirs.bytes), 0]])
      const open = await session.status(ours, signal)
      t.is(open.state, 'unknown', whyOf(open))
      await own.rpc('anvil_mine', '0x3')
      t.like(await session.status(ours, signal), { state: 'conflict', size: 4 })
      t.like(await session.send(ours, signal), { state: 'conflict', size: 4 })
      t.is((await session.status(theirs, signal)).state, 'final')
    },
  )

  test.serial('a chain that lost final blocks is told of, and anchored on again', async (t) => {
    await using own = await startChain()
    await using ledger = await evmUnderTest(own)
    await using session = await connected(own, ledger)
    isFinal(t, await ask(session, gateway.anchor(0, 3)))
    isFinal(t, await ask(session, gateway.anchor(3, 5)))
    await own.rpc('anvil_rollback', 1)
    const setBack = await session.head(gateway.id, 0, signal)
    t.regex(whyOf(setBack), /shows final blocks up to \d+, and \d+ was final before/)
    t.like(await session.health(signal), { isWell: false })
    await own.rpc('anvil_mine', '0x1')
    t.like(await session.head(gateway.id, 0, signal), { size: 3 })
    const health = await session.health(signal)
    t.regex(health.notes.join(), /block \d+ was final, and is another one now/)
    isFinal(t, await ask(session, gateway.anchor(3, 7)))
    t.deepEqual(await sizesOf(session, gateway.id, 0), [3, 7])
  })

  test.serial('a chain that stands still shows in its health', async (t) => {
    await using own = await startChain()
    await using ledger = await evmUnderTest(own)
    let now = Date.now()
    await using session = await evm.connect(ledger.options(), ledger.host({ nowMs: () => now }))
    t.true((await session.health(signal)).isWell)
    now += 3_600_000
    const health = await session.health(signal)
    t.false(health.isWell)
    t.regex(health.notes.join(), /stands still: the newest block \d+ of .* is 36\d\d s old/)
  })

  /** With the gateway registered for good. */
  async function connected(
    own: Awaited<ReturnType<typeof startChain>>,
    ledger: Awaited<ReturnType<typeof evmUnderTest>>,
  ) {
    const session = ownedSession(await evm.connect(ledger.options(), ledger.host()))
    const admitted = session.registrar.admit(gateway.admission, signal)
    const miner = setInterval(() => void own.rpc('anvil_mine', '0x1').catch(() => null), 50)
    await admitted.finally(() => clearInterval(miner))
    await own.rpc('anvil_mine', '0x1')
    return session
  }
}
