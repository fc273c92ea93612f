import test from 'ava'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import { keyId } from '../anchor-client/evidence/sm2.ts'
import { ledgerNamed } from '../anchor-client/ledgers/index.ts'
import type { LedgerSession } from '../anchor-client/ledgers/ledger.ts'
import type { AnchorStore } from '../gateway/anchoring/anchor-store.ts'
import { openLedgers } from '../gateway/anchoring/ledger-host.ts'
import { runOutbox } from '../gateway/anchoring/outbox.ts'
import { recoverAnchors } from '../gateway/anchoring/recover.ts'
import { rotationTeller } from '../gateway/anchoring/rotation-teller.ts'
import { signingPermission } from '../gateway/anchoring/signing-permission.ts'
import { openTroubles } from '../gateway/anchoring/troubles.ts'
import { openHealth } from '../gateway/health.ts'
import { gatewayOf, secretOf } from './helpers/anchoring.ts'
import { until } from './helpers/gateway.ts'
import { signal } from './helpers/ledger-under-test.ts'
import { bookWith, serveLies } from './helpers/lying-witness.ts'
import {
  anchorAll,
  anchoredSizes,
  historyOf,
  openStore,
  quickPace,
  troubles,
} from './helpers/outbox.ts'
import { newBox } from './helpers/outbox-box.ts'
import { isAtRest } from './helpers/outbox-checks.ts'
import { changed } from './helpers/outbox-script.ts'
import { scratchFolder } from './helpers/scratch.ts'
import { signerOf } from './helpers/signer.ts'
import { connectTo, serveWitness } from './helpers/witness.ts'

const full = () => new KedgeError('STORE_FAILED', 'cannot write anchors: no space left on device')

test('a disk that was full for a while does not end anchoring', async (t) => {
  await using box = await newBox()
  let writes = 0
  const failing =
    <Asked extends unknown[]>(write: (...asked: Asked) => Promise<void>) =>
    async (...asked: Asked) => {
      writes += 1
      if (writes % 3 !== 0) throw full()
      return write(...asked)
    }
  const store: AnchorStore = {
    ...box.store,
    putFlight: failing(box.store.putFlight),
    keep: failing(box.store.keep),
  }
  const { events } = await anchorAll({ ...box, store }, [4, 9])
  t.deepEqual([...new Set(anchoredSizes(events))], [3, 4, 9])
  t.true(troubles(events).includes('unwritten') && troubles(events).at(-1) === 'over')
  await isAtRest(t, box.ledger, box.store, box.history, 9)
})

test('a ledger that says it has more than it shows is asked again more and more seldom, and nothing is written for it', async (t) => {
  await using box = await newBox(5)
  const { ledger, store, history } = box
  const { registrar } = ledger
  const by = async () => {
    const found = await ledger.find(history.gateway, 0, 3, signal)
    if (found.state !== 'final') throw new Error('nothing is anchored')
    return { state: 'covered', by: { ...found.anchored, size: 7 } } as const
  }
  const small = historyOf({ size: 3 })
  {
    await using scratch = await scratchFolder()
    await using other = await openStore(scratch.path, small)
    await anchorAll({ history: small, store: other, session: ledger })
  }
  let questions = 0
  const covered = async () => {
    questions += 1
    return by()
  }
  const session: LedgerSession = { ...ledger, registrar, send: covered, status: covered }
  let writes = 0
  const counted: AnchorStore = {
    ...store,
    async putFlight(...asked) {
      writes += 1
      return store.putFlight(...asked)
    },
  }
  const stop = new AbortController()
  const running = runOutbox({
    ...{ name: 'embedded', session, history, store: counted, signal: stop.signal },
    pace: { ...quickPace, firstMs: 1, mostMs: 10_000 },
    onEvent() {},
    waitForNewer: (_, ended) =>
      new Promise((resolve) => ended.addEventListener('abort', () => resolve(), { once: true })),
  })
  await until(async () => questions >= 6)
  const before = writes
  await until(async () => questions >= 9)
  t.is(writes, before)
  stop.abort()
  t.is(await running, 'stopped')
})

test('what a ledger had shown before it fell silent is kept', async (t) => {
  await using box = await newBox(1)
  const sizes = Array.from({ length: 9 }, (_, i) => i + 2)
  await anchorAll(box, sizes)
  await using scratch = await scratchFolder()
  await using store = await openStore(scratch.path, box.history)
  const described = await box.ledger.describe(signal)
  if (described.state !== 'described') return t.fail()
  const cut = changed(box.ledger, {
    async *iterate(...asked) {
      let shown = 0
      for await (const anchored of box.ledger.iterate(...asked)) {
        if (shown++ === 5) throw new KedgeError('LEDGER_UNREACHABLE', 'the line is cut')
        yield anchored
      }
    },
  })
  const kept: number[] = []
  const { ledgerId } = described
  const of = { history: box.history, store, ledgerId, signal }
  const first = await recoverAnchors({ ...of, session: cut }, 1, ({ size }) => kept.push(size))
  t.is(first.state, 'unknown')
  t.deepEqual(kept, [1, 2, 3, 4, 5])
  const again = { ...of, session: box.ledger }
  t.is((await recoverAnchors(again, 6, ({ size }) => kept.push(size))).state, 'recovered')
  t.deepEqual(kept, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
})

test('anchors that nobody can prove any more do not keep later ones from being proved', async (t) => {
  await using box = await newBox(1)
  const asked = new Map<number, number>()
  const session = changed(box.session, {
    async prove(checkpoint, until) {
      const times = (asked.get(checkpoint.size) ?? 0) + 1
      asked.set(checkpoint.size, times)
      if (checkpoint.size <= 16 || times === 1) return { state: 'unknown', why: 'pruned' }
      return box.session.prove(checkpoint, until)
    },
  })
  const stop = new AbortController()
  const running = runOutbox({
    ...{ name: 'embedded', session, history: box.history, store: box.store },
    ...{ signal: stop.signal, pace: quickPace },
    onEvent(event) {
      if (event.event === 'anchored' && event.size < 20) box.history.sign(event.size + 1)
    },
    async waitForNewer(held, ended) {
      while (!ended.aborted && (box.history.newest()?.size ?? 0) <= held) {
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
    },
  })
  const [pin] = await (async () => {
    await until(async () => box.store.pins().length > 0)
    return box.store.pins()
  })()
  const ledgerId = pin?.ledgerId as Uint8Array
  await until(async () => {
    const sizes = await box.store.unproved(ledgerId, 100)
    return sizes.length === 16 && sizes.at(-1) === 16
  })
  stop.abort()
  t.is(await running, 'stopped')
})

test('of two things that are amiss with a ledger each is shown until it has ended itself', (t) => {
  const health = openHealth(() => {})
  const troubled = openTroubles(health)
  const trouble = { event: 'anchor-trouble', ledger: 'evm' } as const
  troubled({ ...trouble, matter: 'store', state: 'unproved', why: 'no proof so far' })
  troubled({ ...trouble, matter: 'ledger', state: 'unpaid', why: 'the account is empty' })
  t.is(health.reasons[0]?.why, 'the account is empty; no proof so far')
  troubled({ ...trouble, matter: 'store', state: 'over', why: 'unproved no longer' })
  t.is(health.reasons[0]?.why, 'the account is empty')
  troubled({ ...trouble, matter: 'ledger', state: 'over', why: 'unpaid no longer' })
  t.deepEqual(health.reasons, [])
})

test('the witness that was pinned at first use is the only one that is spoken to, also after an outage', async (t) => {
  await using scratch = await scratchFolder()
  const stranger = signerOf(secretOf('another witness'))
  await using served = await serveWitness(`${scratch.path}/b`, { told: { ...stranger } })
  const first = keyId(signerOf(secretOf('the first witness')).publicKey)
  await using host = await openLedgers(
    [{ ledger: 'witness', url: served.url, timeoutMs: 1000 }],
    ledgerNamed,
    {
      nowMs: () => Date.now(),
      keyFor: async () => stranger,
      isFirstUse: () => false,
      pinned: () => first,
    },
  )
  const [opened] = host.opened
  await t.throwsAsync(async () => opened?.session.head(new Uint8Array(32), 0, signal), {
    code: 'LEDGER_MISMATCH',
  })
})

test('a false answer to a change of keys keeps signing waiting, and never ends the gateway', async (t) => {
  await using scratch = await scratchFolder()
  const gateway = gatewayOf({ secret: secretOf('gateway') })
  const book = await bookWith(scratch.path, 'witness')
  await (await book.keeper()).admit(gateway.admission)
  await using server = await serveLies(book)
  await using session = await connectTo(server.url)
  const next = signerOf(secretOf('next key'))
  const of = historyOf({ size: 2 })
  await using store = await openStore(scratch.path, of)
  const head = await of.signedAt(2)
  const history = { ...of, newest: () => ({ ...head, key: next.publicKey }) }
  const keys = {
    current: next,
    rotations: [gateway.rotation(0, next)],
    rotationsBefore: () => 0,
  }
  const identity = { gateway: gateway.id, incarnation: 0, hashId: 1 } as const
  const opened = [{ name: 'witness', session }]
  const health = openHealth(() => {})
  const mayBegin = signingPermission({
    ...{ ledgers: { opened, closed: [] }, history, store: { anchors: store, identity }, keys },
    rotations: rotationTeller(opened, identity, keys as never),
    ...{ health, recording: {}, bell: { ring() {} }, signal },
  } as never)
  server.tell(book, ({ path }) =>
    path === '/v1/requests' ? Promise.resolve(Uint8Array.of(0x82, 0x00) as never) : undefined,
  )
  t.false(await mayBegin())
  t.regex(health.reasons[0]?.why ?? '', /another key/)
  server.tell(book)
  t.true(await mayBegin())
  t.deepEqual(health.reasons, [])
})
