import { checkpointHead } from '../anchor-client/evidence/seal.ts'
import { checkpointOf } from '../gateway/anchoring/history.ts'
import { onLedger, type SetUp, signal, type Traits } from './helpers/ledger-under-test.ts'
import {
  anchorAll,
  anchoredSizes,
  historyOf,
  openStore,
  quickPace,
  sendsOf,
  troubles,
  watchSends,
} from './helpers/outbox.ts'
import { isAtRest } from './helpers/outbox-checks.ts'
import { dyingAt } from './helpers/outbox-crash.ts'
import { scratchFolder } from './helpers/scratch.ts'

/** The outbox of a gateway on this ledger, with a crash at every step of it. */
export function outboxSuite(name: string, setUp: SetUp, traits: Traits): void {
  const on = onLedger(name, setUp)
  const [hashId] = traits.hashIds
  // Each question is a step to die at: to ask the same a hundred times in a block shows nothing more.
  const firstMs = (traits.blockMs ?? 0) / 2
  const pace = firstMs > 0 ? { ...quickPace, firstMs, pollMostMs: firstMs } : quickPace

  on(
    'a gateway that dies at any step of anchoring goes on where it was',
    async (t, first, ledger) => {
      await first[Symbol.asyncDispose]()
      await using scratch = await scratchFolder()
      const { path } = scratch
      const history = historyOf({ hashId })
      let step = 0
      for (let isOver = false; !isOver; ) {
        step += 1
        history.sign(2 * step)
        for (const at of [step, Number.POSITIVE_INFINITY]) {
          await using session = await ledger.open()
          await using store = await openStore(path, history)
          const life = dyingAt(at)
          const parts = {
            stop: life.stop,
            session: life.session(watchSends(session, path)),
            store: life.store(store),
            history,
            pace,
          }
          t.is((await anchorAll(parts)).end, 'stopped')
          if (at === step) isOver = !life.isDead
          else {
            const size = 2 * step
            const root = await history.rootAt(size)
            const head = checkpointHead(checkpointOf(history, size, root))
            const found = await session.head(history.gateway, 0, signal)
            t.like(found, { state: 'registered', size, isFinal: true })
            t.deepEqual('head' in found && found.head, head)
          }
        }
      }
      t.true(step > 15, `${step} steps`)
      t.deepEqual(sendsOf(path), { count: step, wrong: [] })
      await using session = await ledger.open()
      await using store = await openStore(path, history, false)
      await isAtRest(t, session, store, history, 2 * step)
    },
  )

  on('a store of anchors that is lost is filled again from the ledger', async (t, session) => {
    await using scratch = await scratchFolder()
    const history = historyOf({ hashId })
    for (const folder of ['first', 'second']) {
      await using store = await openStore(`${scratch.path}/${folder}`, history)
      const { events } = await anchorAll({ history, session, store }, [2, 3, 7])
      t.deepEqual(anchoredSizes(events), [2, 3, 7], folder)
      // On a machine that is busy a real chain may be out of reach for a moment.
      if (traits.blockMs === undefined) t.deepEqual(troubles(events), [], folder)
      else for (const event of events) if (event.event === 'anchor-trouble') t.log(event.why)
      await isAtRest(t, session, store, history, 7, folder)
    }
  })
}
