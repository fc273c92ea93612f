import test, { type ExecutionContext } from 'ava'
import { encodeAnswer } from '../anchor-client/ledgers/witness/answers.ts'
import type { SignedEntry } from '../anchor-client/ledgers/witness/entries.ts'
import {
  decodeStatement,
  encodePage,
  encodeStatement,
} from '../anchor-client/ledgers/witness/statements.ts'
import type { Witness } from '../gateway/witness/open-witness.ts'
import { replyTo } from '../gateway/witness/replies.ts'
import { gatewayOf, secretOf, type TestGateway } from './helpers/anchoring.ts'
import { gateway, signal } from './helpers/embedded.ts'
import { bookWith, type Lie, serveLies } from './helpers/lying-witness.ts'
import { anchorAll, anchoredSizes, historyOf, openStore, troubles } from './helpers/outbox.ts'
import { isAtRest } from './helpers/outbox-checks.ts'
import { scratchFolder } from './helpers/scratch.ts'
import { signerOf } from './helpers/signer.ts'
import { connectTo } from './helpers/witness.ts'

const clone = gatewayOf({ secret: secretOf('gateway'), forkedAt: 2 })
const other = gatewayOf({ secret: secretOf('other gateway') })
const stranger = signerOf(secretOf('another witness'))

/** Registers them and anchors these sizes, past the network. */
async function fill(of: Witness, gateways: readonly TestGateway[], sizes: readonly number[]) {
  const keeper = await of.keeper()
  for (const one of gateways) {
    await keeper.admit(one.admission)
    for (const [i, size] of sizes.entries()) {
      const prepared = await preparedOf(one, sizes[i - 1] ?? 0, size)
      await keeper.submit(prepared.bytes)
    }
  }
  return keeper
}

async function preparedOf(of: TestGateway, oldSize: number, size: number) {
  await using session = await connectTo('http://127.0.0.1:1')
  const prepared = await session.prepare(of.anchor(oldSize, size), signal)
  if (prepared.state !== 'prepared') throw new Error(prepared.state)
  return prepared
}

const isLie = (t: ExecutionContext, asked: Promise<unknown>, message: RegExp) =>
  t.throwsAsync(asked, { code: 'LEDGER_LIES', message })

test('a witness that signs two histories is caught by whoever has seen both', async (t) => {
  await using scratch = await scratchFolder()
  await using ours = await bookWith(scratch.path, 'ours')
  await using theirs = await bookWith(scratch.path, 'theirs')
  await fill(ours, [gateway], [3, 5])
  await fill(theirs, [clone], [3])
  await using server = await serveLies(ours)
  await using session = await connectTo(server.url)
  t.like(await session.head(gateway.id, 0, signal), { state: 'registered', size: 5 })
  t.like(await session.find(gateway.id, 0, 1, signal), { state: 'covered', by: { size: 3 } })
  server.tell(theirs)
  await isLie(t, session.find(gateway.id, 0, 3, signal), /has signed two histories \(entry 1\)/)
  await isLie(t, session.head(gateway.id, 0, signal), /has signed two histories/)
  server.tell(ours)
  t.like(await session.head(gateway.id, 0, signal), { size: 5 })
})

test('another history of this gateway at its witness is a conflict, and anchoring stops', async (t) => {
  await using scratch = await scratchFolder()
  await using theirs = await bookWith(scratch.path, 'theirs')
  await fill(theirs, [clone], [3])
  await using server = await serveLies(theirs)
  await using session = await connectTo(server.url)
  const prepared = await session.prepare(gateway.anchor(0, 3), signal)
  if (prepared.state !== 'prepared') return t.fail()
  t.like(await session.send(prepared, signal), { state: 'conflict', size: 3 })
  const history = historyOf({ size: 4 })
  await using store = await openStore(scratch.path, history)
  const { end, events } = await anchorAll({ history, store, session })
  t.is(end, 'other')
  t.deepEqual(anchoredSizes(events), [])
})

test('the witness that was pinned is not exchanged for another one', async (t) => {
  await using scratch = await scratchFolder()
  await using ours = await bookWith(scratch.path, 'ours')
  await using theirs = await bookWith(scratch.path, 'theirs', stranger)
  const history = historyOf({ size: 3 })
  await fill(ours, [gateway], [])
  await fill(theirs, [gateway], [])
  await using server = await serveLies(ours)
  await using store = await openStore(scratch.path, history)
  await using session = await connectTo(server.url)
  await anchorAll({ history, store, session })

  server.tell(theirs)
  await t.throwsAsync(session.describe(signal), { code: 'LEDGER_MISMATCH' })
  await isLie(t, session.head(gateway.id, 0, signal), /did not sign/)
  const publicKey = Buffer.from(ours.publicKey).toString('hex')
  await using pinned = await connectTo(server.url, { publicKey })
  await t.throwsAsync(pinned.describe(signal), { code: 'LEDGER_MISMATCH' })
  // A gateway that was started anew knows its witness from its own store.
  await using again = await connectTo(server.url)
  history.sign(6)
  t.is((await anchorAll({ history, store, session: again })).end, 'mismatch')
})

test('what is said of a gateway must be fresh, signed and about it', async (t) => {
  await using scratch = await scratchFolder()
  await using ours = await bookWith(scratch.path, 'ours')
  await using theirs = await bookWith(scratch.path, 'theirs', stranger)
  await fill(ours, [gateway, other], [3])
  await using server = await serveLies(ours)
  await using session = await connectTo(server.url)
  t.like(await session.head(gateway.id, 0, signal), { size: 3 })

  let recorded: Uint8Array | undefined
  const record: Lie = async ({ path }, truth) => {
    const said = await truth()
    if (path === '/v1/state' && said instanceof Uint8Array) recorded = said
    return said
  }
  server.tell(ours, record)
  await session.head(gateway.id, 1, signal)
  const said = recorded as Uint8Array
  const onState = (reply: () => Uint8Array): Lie => {
    return ({ path }) => (path === '/v1/state' ? Promise.resolve(reply()) : undefined)
  }
  const lies: Record<string, Lie> = {
    'the absence of another incarnation, replayed': onState(() => said),
    'an absence that nobody signed': onState(() =>
      encodeStatement({ ...decodeStatement(said), signature: new Uint8Array(64) }),
    ),
    'another gateway’s state': ({ path, parameters, ...rest }) => {
      if (path !== '/v1/state') return undefined
      const about = new URLSearchParams(parameters)
      about.set('gateway', Buffer.from(other.id).toString('hex'))
      return replyTo(ours, { path, parameters: about, ...rest })
    },
  }
  for (const [name, lie] of Object.entries(lies)) {
    server.tell(ours, lie)
    const error = await isLie(t, session.head(gateway.id, 0, signal), /did not sign this answer/)
    t.truthy(error, name)
  }
  server.tell(theirs)
  await isLie(t, session.head(gateway.id, 0, signal), /did not sign this answer/)
})

test('an answer to a request must be borne out by the entry that it brings', async (t) => {
  await using scratch = await scratchFolder()
  await using ours = await bookWith(scratch.path, 'ours')
  const keeper = await fill(ours, [gateway, other], [3, 5])
  await using server = await serveLies(ours)
  await using session = await connectTo(server.url)
  // 0 to 2: the gateway's admission and anchors of 3 and 5; 3 to 5 the other one's.
  const entry = (number: number) => keeper.book.read(number)
  const head = gateway.checkpoint(3).root
  const forged = { ...(await entry(1)), signature: new Uint8Array(64).fill(1) }
  const lies = {
    'another gateway’s entry': [{ state: 'taken', entry: await entry(4) }, /another gateway/],
    'an admission': [{ state: 'taken', entry: await entry(0) }, /a registration, as anchor/],
    'another size': [{ state: 'taken', entry: await entry(2) }, /something else/],
    'an entry that it did not sign': [{ state: 'taken', entry: forged }, /did not sign entry 1/],
    'a smaller size as covering': [{ state: 'covered', entry: await entry(1) }, /covers what/],
    'another’s size as covering': [{ state: 'covered', entry: await entry(5) }, /another gateway/],
    'a conflict without an entry': [
      { state: 'conflict', size: 3, head, entry: null },
      /no anchor for a conflict/,
    ],
    'a conflict with what is ours': [
      { state: 'conflict', size: 3, head: entryHead(await entry(1)), entry: await entry(1) },
      /what is none/,
    ],
  } as const
  const prepared = await session.prepare(gateway.anchor(0, 3), signal)
  if (prepared.state !== 'prepared') return t.fail()
  const asked = async (lie: Parameters<typeof encodeAnswer>[0]) => {
    server.tell(ours, ({ method }) =>
      method === 'POST' ? Promise.resolve(encodeAnswer(lie)) : undefined,
    )
    await using fresh = await connectTo(server.url)
    return await fresh.send(prepared, signal)
  }
  for (const [name, [lie, why]] of Object.entries(lies)) {
    t.truthy(await isLie(t, asked(lie), why), name)
  }
  t.is((await asked({ state: 'taken', entry: await entry(1) })).state, 'final')
})

test('lists of entries are judged one by one, too', async (t) => {
  await using scratch = await scratchFolder()
  await using ours = await bookWith(scratch.path, 'ours')
  const keeper = await fill(ours, [gateway, other], [3, 5, 9])
  await using server = await serveLies(ours)
  const page = async (...numbers: number[]): Promise<Lie> => {
    const entries = await Promise.all(numbers.map((number) => keeper.book.read(number)))
    const bytes = encodePage(entries)
    return ({ path }) => (path === '/v1/self' ? undefined : Promise.resolve(bytes))
  }
  const sizes = async () => {
    await using session = await connectTo(server.url)
    const found: number[] = []
    for await (const { size } of session.iterate(gateway.id, 0, 0, signal)) found.push(size)
    return found
  }
  t.deepEqual(await sizes(), [3, 5, 9])
  server.tell(ours, await page(2, 1))
  await isLie(t, sizes(), /out of order/)
  server.tell(ours, await page(1, 1))
  await isLie(t, sizes(), /out of order/)
  server.tell(ours, await page(1, 6))
  await isLie(t, sizes(), /another gateway/)
  await using session = await connectTo(server.url)
  server.tell(ours, await page(1, 2))
  await isLie(t, session.find(gateway.id, 0, 3, signal), /more than it was asked for/)
  server.tell(ours, await page(1))
  await isLie(t, session.find(gateway.id, 0, 4, signal), /out of order/)
  t.like(await session.prove(gateway.checkpoint(3), signal), { state: 'proved' })
  t.is((await session.prove(clone.checkpoint(3), signal)).state, 'absent')
  const beacon = await session.beacon(signal)
  if (beacon.state !== 'final') return t.fail()
  server.tell(ours, await page(2))
  t.is((await session.proveBeacon(beacon, signal)).state, 'absent')
})

test('a gateway before a lying witness keeps what waits, names the lie, and goes on when it has ended', async (t) => {
  await using scratch = await scratchFolder()
  await using ours = await bookWith(scratch.path, 'ours')
  const keeper = await fill(ours, [gateway, other], [3])
  await using server = await serveLies(ours)
  const wrong = encodeAnswer({ state: 'taken', entry: await keeper.book.read(1) })
  let left = 8
  server.tell(ours, ({ method }) => {
    if (method !== 'POST') return undefined
    left -= 1
    return left > 0 ? Promise.resolve(wrong) : undefined
  })
  const history = historyOf({ size: 6 })
  await using store = await openStore(scratch.path, history)
  await using session = await connectTo(server.url)
  const { end, events } = await anchorAll({ history, store, session })
  t.is(end, 'stopped')
  t.deepEqual(troubles(events), ['fault', 'over'])
  t.true(left <= 0)
  await isAtRest(t, session, store, history, 6)
})

const entryHead = ({ entry: { body } }: SignedEntry) =>
  body.type === 'anchor' ? body.head : new Uint8Array(32)
