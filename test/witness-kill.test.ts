import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { type AnchorEvent, runOutbox } from '../gateway/anchoring/outbox.ts'
import { encodeEnrolment } from '../gateway/enrolling/enrolment.ts'
import { askRegistrar } from '../gateway/witness/registrar-socket.ts'
import { gateway } from './helpers/embedded.ts'
import {
  anchorAll,
  anchoredSizes,
  historyOf,
  openStore,
  quickPace,
  sendsOf,
  watchSends,
} from './helpers/outbox.ts'
import { isAtRest } from './helpers/outbox-checks.ts'
import { scratchFolder } from './helpers/scratch.ts'
import { connectTo } from './helpers/witness.ts'
import { startWitness } from './helpers/witness-process.ts'

const lives = 6

test('a witness that is killed again and again in the middle of its work has taken everything once', async (t) => {
  await using scratch = await scratchFolder()
  const folder = join(scratch.path, 'witness')
  let witness = startWitness(t, folder)
  const started = await witness.event('started')
  if (started === null) return t.fail(witness.stderr())
  const url = String(started.url)
  const history = historyOf({ size: 1 })
  const key = { ...gateway.key, [Symbol.dispose]() {} }
  const file = Buffer.from(encodeEnrolment(history, key, key)).toString('base64')
  for await (const row of askRegistrar(folder, undefined, { ask: 'approve', file })) {
    t.is(row.state, 'open')
  }

  await using store = await openStore(scratch.path, history)
  await using session = await connectTo(url, { timeoutMs: 5000 })
  const stop = new AbortController()
  const events: AnchorEvent[] = []
  const running = runOutbox({
    name: 'witness',
    session: watchSends(session, scratch.path),
    history,
    store,
    signal: stop.signal,
    // The witness limits how fast a gateway adds entries: let it keep up.
    pace: { ...quickPace, firstMs: 5, mostMs: 100 },
    onEvent: (event) => events.push(event),
    async waitForNewer(held) {
      await sleep(100)
      history.sign(Math.max(held, history.size()) + 1)
    },
  })
  for (let life = 1; life < lives; life++) {
    const before = anchoredSizes(events).length
    while (anchoredSizes(events).length <= before) await sleep(5)
    await sleep(Math.random() * 150)
    await witness.stop('SIGKILL')
    witness = startWitness(t, folder, new URL(url).host)
    t.truthy(await witness.event('started'), witness.stderr())
  }
  stop.abort()
  t.is(await running, 'stopped')
  const size = history.size()
  await anchorAll({ name: 'witness', history, store, session })
  await isAtRest(t, session, store, history, size)
  t.deepEqual(sendsOf(scratch.path).wrong, [])
  t.is(await witness.stop('SIGTERM'), 0)
})
