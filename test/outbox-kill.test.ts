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
    const [first] = await Promise.race([once(child.stdout, 'data'), exit])
    t.regex(String(first), /^open/, 'it opens what the one before left behind')
    await sleep(Math.random() * 300)
    child.kill('SIGKILL')
    await exit
    for (const line of output.split('\n').slice(1, -1)) {
      const event = JSON.parse(line)
      t.is(event.event, 'anchored', line)
      told.push(event.size)
    }
  }
  t.is(new Set(told).size, told.length, 'none is told twice')
  t.true(told.length > 20, `${told.length}`)

  const size = signedSoFar(path)
  const history = historyOf({ size })
  await using session = await openLedger(path)
  await using store = await openStore(path, history, false)
  await anchorAll({ history, store, session: watchSends(session, path) })
  await isAtRest(t, session, store, history, size)
  t.deepEqual(sendsOf(path).wrong, [])
})
