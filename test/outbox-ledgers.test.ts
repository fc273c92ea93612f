import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { ledgers } from '../anchor-client/ledgers/index.ts'
import { type LedgerEntry, openLedgers } from '../gateway/anchoring/ledger-host.ts'
import { secretOf } from './helpers/anchoring.ts'
import { logName, startMs } from './helpers/embedded.ts'
import { signal } from './helpers/ledger-under-test.ts'
import { anchorAll, anchoredSizes, historyOf, openStore } from './helpers/outbox.ts'
import { isAtRest } from './helpers/outbox-checks.ts'
import { scratchFolder } from './helpers/scratch.ts'
import { signerOf } from './helpers/signer.ts'

const accounts = (isFirstUse: boolean) => ({
  nowMs: () => startMs,
  keyFor: async (_: unknown, name: string) => signerOf(secretOf(name)),
  isFirstUse: () => isFirstUse,
})

const entriesIn = (path: string): LedgerEntry[] => [
  { ledger: 'embedded', path: join(path, 'one') },
  { ledger: 'embedded', path: join(path, 'two') },
]

test('each ledger of the configuration has its own name and its own account', async (t) => {
  await using scratch = await scratchFolder()
  const entries = entriesIn(scratch.path)
  await using host = await openLedgers(entries, ledgers, accounts(true))
  t.deepEqual(
    host.opened.map(({ name }) => name),
    ['embedded', 'embedded-2'],
  )
  t.deepEqual(host.closed, [])
  const ids = await Promise.all(host.opened.map(({ session }) => session.describe(signal)))
  t.notDeepEqual(ids[0], ids[1])
  const history = historyOf({ size: 3 })
  await using store = await openStore(scratch.path, history)
  await Promise.all(
    host.opened.map(({ name, session }) => anchorAll({ name, session, history, store })),
  )
  for (const { session } of host.opened) await isAtRest(t, session, store, history, 3)
})

test('a ledger that cannot be opened is told, and the others are open all the same', async (t) => {
  await using scratch = await scratchFolder()
  const entries = entriesIn(scratch.path)
  {
    await using first = await openLedgers(entries.slice(1), ledgers, {
      ...accounts(true),
      keyFor: async () => signerOf(secretOf('embedded-2')),
    })
    t.is(first.opened.length, 1)
  }
  await using host = await openLedgers(entries, ledgers, accounts(false))
  t.deepEqual(
    host.opened.map(({ name }) => name),
    ['embedded-2'],
  )
  t.like(host.closed[0], { name: 'embedded', error: { code: 'LEDGER_MISSING' } })
  await using none = await openLedgers([{ ledger: 'sundial' }], ledgers, accounts(true))
  t.like(none.closed[0], { error: { code: 'CONFIG_INVALID' } })
})

test('a ledger whose file could not be written is opened anew, and takes what it missed', async (t) => {
  await using scratch = await scratchFolder()
  const { path } = scratch
  const entries = entriesIn(path).slice(0, 1)
  await using host = await openLedgers(entries, ledgers, accounts(true))
  const [one] = host.opened
  if (one === undefined) return t.fail()
  const { name, session, renew } = one
  const history = historyOf({ size: 3 })
  await using store = await openStore(path, history)
  await anchorAll({ name, session, history, store })
  // Half a record, as a full disk leaves it.
  await appendFile(join(path, 'one', logName), 'x')
  history.sign(5)
  const { events } = await anchorAll({ name, session, history, store, renew })
  t.deepEqual(anchoredSizes(events), [5])
  await isAtRest(t, session, store, history, 5)
})

test('a ledger that was opened is let go of, and is not opened again after that', async (t) => {
  await using scratch = await scratchFolder()
  const entries = entriesIn(scratch.path).slice(0, 1)
  const host = await openLedgers(entries, ledgers, accounts(true))
  await host[Symbol.asyncDispose]()
  await host.opened[0]?.renew(signal)
  await using again = await openLedgers(entries, ledgers, accounts(false))
  t.is(again.opened.length, 1)
  await t.throwsAsync(writeFile(join(scratch.path, 'one', 'lock'), 'x', { flag: 'wx' }))
})
