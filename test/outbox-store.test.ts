import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { bytesToHex } from '../anchor-client/evidence/bytes.ts'
import type { LedgerIdentity } from '../anchor-client/ledgers/ledger.ts'
import { getAnchors, listAnchors, retryAnchors } from '../gateway/anchoring/anchor-rows.ts'
import { newBell } from '../gateway/anchoring/pace.ts'
import { anchorsOf, historyOf, openStore } from './helpers/outbox.ts'
import { anchored, onItsWay, sizes } from './helpers/outbox-damage.ts'
import { scratchFolder } from './helpers/scratch.ts'

test('the anchor that a reading needs is the first that covers it', async (t) => {
  await using scratch = await scratchFolder()
  const { history, identity } = await anchored(scratch.path)
  await using store = await openStore(scratch.path, history, false)
  const { ledgerId } = identity
  for (let size = 1; size <= 13; size++) {
    const expected = sizes.find((one) => one >= size) ?? null
    t.is((await store.firstCovering(ledgerId, size))?.size ?? null, expected)
  }
  t.is((await store.newest(ledgerId))?.size, 12)
  t.deepEqual(
    (await anchorsOf(store)).map(({ size }) => size),
    sizes,
  )
  t.is(
    await store.firstCovering(
      ledgerId.map((byte) => byte ^ 1),
      1,
    ),
    null,
    'another ledger',
  )
  t.is(store.amiss(ledgerId), null)
})

test('what is on its way is listed before what is final, each with its ledger, root and block', async (t) => {
  await using scratch = await scratchFolder()
  const { path } = scratch
  const { history, identity } = await anchored(path)
  history.sign(14)
  await onItsWay(path, history)
  await using store = await openStore(path, history, false)
  const rows: unknown[] = []
  for await (const row of listAnchors(store)) rows.push(row)
  t.is(rows.length, sizes.length + 1)
  const root = bytesToHex(await history.rootAt(14))
  t.like(rows[0], { ledger: 'embedded', size: 14, root, state: 'sent', block: null, at: null })
  t.like(rows[1], {
    size: 12,
    state: 'final',
    block: 5,
    at: '2026-03-01T00:00:00.000Z',
    cost: null,
  })
  t.like(rows[1], { proof: true, id: null })
  t.deepEqual(
    (await getAnchors(store, 5)).map(({ size }) => size),
    [9],
  )
  await t.throwsAsync(getAnchors(store, 14), { code: 'NOT_ANCHORED' })
  await t.throwsAsync(getAnchors(store, 1, 'evm'), { code: 'NOT_FOUND' })

  const bell = newBell()
  const head = { size: 14, root: await history.rootAt(14) }
  const [pending, ...none] = await retryAnchors(store, head, ['embedded'], bell)
  t.like(pending, { size: 14, state: 'sent' })
  t.deepEqual(none, [])
  t.is(bell.rings, 1)
  t.is(store.pins()[0]?.pin, JSON.stringify(identity.pin))
})

test('an entry keeps its ledger: another one in its place is refused, a new order is not', async (t) => {
  await using scratch = await scratchFolder()
  const history = historyOf()
  const identity = (byte: number): LedgerIdentity => ({
    state: 'described',
    ledgerId: new Uint8Array(32).fill(byte),
    pin: { kind: 'witness' },
    hashIds: [1, 2],
    finality: 'at once',
  })
  {
    await using store = await openStore(scratch.path, history)
    t.is(store.pinned('embedded'), undefined)
    await store.pin('embedded', identity(1))
    await store.pin('embedded', identity(1))
    await t.throwsAsync(store.pin('embedded', identity(2)), { code: 'LEDGER_MISMATCH' })
    await store.pin('embedded-2', identity(2))
    await store.pin('embedded', identity(2))
    await store.pin('embedded-2', identity(1))
  }
  await using store = await openStore(scratch.path, history, false)
  t.like(store.pinned('embedded'), { ledgerId: new Uint8Array(32).fill(2) })
  await t.throwsAsync(store.pin('embedded', identity(3)), { code: 'LEDGER_MISMATCH' })
})

test('a flipped bit in a file below LevelDB is a refusal with its name, never the end of the process', async (t) => {
  await using scratch = await scratchFolder()
  const { history } = await anchored(scratch.path)
  // Opened once more, LevelDB writes what was in its log into a table.
  await using again = await openStore(scratch.path, history, false)
  await again[Symbol.asyncDispose]()
  const names = await readdir(scratch.path, { recursive: true })
  const tables = names.filter((name) => /anchors.*\.ldb$/.test(name))
  t.true(tables.length > 0)
  const table = join(scratch.path, tables[0] as string)
  const bytes = await readFile(table)
  bytes[20] = (bytes[20] as number) ^ 1
  await writeFile(table, bytes)
  const error = await t.throwsAsync(openStore(scratch.path, history, false))
  t.like(error, { code: 'STORE_DAMAGED' })
  t.true(error?.message.includes(tables[0]?.split('/').at(-1) as string))
})
