import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import {
  anchorAll,
  historyOf,
  openLedger,
  openStore,
  sendsOf,
  signedSoFar,
  watchSends,
} from './helpers/outbox.ts'
import { isAtRest } from './helpers/outbox-checks.ts'
import { scratchFolder } from './helpers/scratch.ts'

test('a gateway that is killed twenty times while it anchors has anchored everything once', async (t) => {
  await using scratch = await scratchFolder()
  const { path } = scratch
  const told: number[] = []
  for (let life = 0; life < 20; life++) {
    const args = ['--import', 'tsx', 'test/helpers/outbox-child.ts', path]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    t.teardown(() => child.kill('SIGKILL'))
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    const exit = once(child, 'exit')
    // Some lives are cut off while they begin, others in the middle of their work.
    const lines = 1 + (life % 5)
    let hasEnded = false
    void exit.then(() => {
      hasEnded = true
    })
    while (!hasEnded && output.split('\n').length <= lines) await sleep(1)
    t.false(hasEnded, 'it opens what the one before left behind, and goes on')
    await sleep(Math.random() * 30)
    child.kill('SIGKILL')
    await exit
    for (const line of output.split('\n').slice(1, -1)) {
      const event = JSON.parse(line)
      t.is(event.event, 'anchored', line)
      told.push(event.size)
    }
  }
  t.is(new Set(told).size, told.length, 'none is told twice')
  t.true(told.length >= 40, `${told.length}`)

  const size = signedSoFar(path)
  const history = historyOf({ size })
  await using session = await openLedger(path)
  await using store = await openStore(path, history, false)
  await anchorAll({ history, store, session: watchSends(session, path) })
  await isAtRest(t, session, store, history, size)
  t.deepEqual(sendsOf(path).wrong, [])
})
