import test from 'ava'
import type { LedgerSession } from '../anchor-client/ledgers/ledger.ts'
import {
  anchorAll,
  anchoredSizes,
  historyOf,
  openLedger,
  openStore,
  sendsOf,
  watchSends,
} from './helpers/outbox.ts'
import { isAtRest } from './helpers/outbox-checks.ts'
import { dyingAt } from './helpers/outbox-crash.ts'
import { slowChain } from './helpers/outbox-script.ts'
import { scratchFolder } from './helpers/scratch.ts'

interface Chain {
  over(session: LedgerSession): LedgerSession
}

const atOnce: Chain = { over: (session) => session }

const chains: readonly [name: string, newChain: () => Chain][] = [
  ['takes what it is sent at once', () => atOnce],
  ['takes its time', () => slowChain()],
  ['loses a block now and then', () => slowChain({ reorganises: true })],
]

for (const [name, newChain] of chains) {
  test(`a gateway that dies at any step goes on where it was, on a ledger that ${name}`, async (t) => {
    let step = 0
    for (let isOver = false; !isOver; ) {
      step += 1
      await using scratch = await scratchFolder()
      const { path } = scratch
      const chain = newChain()
      const history = historyOf({ size: 3 })
      const told: number[] = []
      // A second time soon after, so that what a restart does is interrupted as well.
      for (const at of [step, 1 + ((step * 5) % 17), Number.POSITIVE_INFINITY]) {
        await using session = await openLedger(path)
        await using store = await openStore(path, history)
        const life = dyingAt(at)
        const parts = {
          stop: life.stop,
          session: life.session(watchSends(chain.over(session), path)),
          store: life.store(store),
          history,
        }
        const { end, events } = await anchorAll(parts, [9])
        t.is(end, 'stopped')
        told.push(...anchoredSizes(events))
        if (at === step) isOver = !life.isDead
        // What was signed while it was down is no reason to leave what is on its way.
        if (at === step && history.size() < 9) history.sign(history.size() + 1)
        if (at !== Number.POSITIVE_INFINITY) continue
        await isAtRest(t, session, store, history, 9, `step ${step}`)
      }
      t.deepEqual(sendsOf(path).wrong, [], `step ${step}`)
      t.true(sendsOf(path).count <= 3, `step ${step}`)
      t.is(new Set(told).size, told.length, `step ${step}: told twice`)
    }
    t.true(step > 30, `${step} steps`)
  })
}
