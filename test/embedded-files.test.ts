import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { concat } from '../anchor-client/evidence/bytes.ts'
import { openEmbedded } from '../anchor-client/ledgers/embedded.ts'
import { ask, secretOf } from './helpers/anchoring.ts'
import { gateway, host, logName, signal, writtenLog } from './helpers/embedded.ts'
import { scratchFolder } from './helpers/scratch.ts'
import { signerOf } from './helpers/signer.ts'

test('a crash at any byte of a write leaves the entry there whole or not at all', async (t) => {
  await using scratch = await scratchFolder()
  const { bytes, ends } = await writtenLog(scratch.path, [2, 5, 6])
  const [from, before, last] = ends.slice(-3) as [number, number, number]
  for (let length = from; length <= last; length++) {
    const folder = await withLog(scratch.path, `${length}`, bytes.subarray(0, length))
    await using session = await openEmbedded(folder, host())
    const size = length === last ? 6 : length >= before ? 5 : 2
    const head = await session.head(gateway.id, 0, signal)
    if (head.state !== 'registered' || head.size !== size) return t.fail(`${length}: not ${size}`)
    const left = length === last ? 0 : length - (length >= before ? before : from)
    const { notes } = await session.health(signal)
    const isToldOf = left === 0 ? notes.length === 0 : notes[0]?.startsWith(`${left} bytes`)
    if (!isToldOf) return t.fail(`${length}: ${notes}`)
    // Signing takes its time: not after each of the bytes.
    if (length % 40 !== 0 || length === last) continue
    t.is((await ask(session, gateway.anchor(size, size === 2 ? 5 : 6))).state, 'final')
    t.is((await ask(session, gateway.anchor(0, 2))).state, 'final')
  }
  t.pass()
})

test('room that was made and never written counts as an unfinished write', async (t) => {
  await using scratch = await scratchFolder()
  const { bytes, ends } = await writtenLog(scratch.path, [2, 5])
  const [before] = ends.slice(-2) as [number]
  const half = concat(bytes.subarray(0, -30), new Uint8Array(30))
  const cases = [
    [concat(bytes.subarray(0, before), new Uint8Array(4096)), 2, '4096 bytes'],
    [half, 2, `${bytes.length - before} bytes`],
    [concat(bytes, new Uint8Array(5)), 5, '5 bytes'],
  ] as const
  for (const [i, [log, size, cut]] of cases.entries()) {
    const folder = await withLog(scratch.path, `${i}`, log)
    await using session = await openEmbedded(folder, host())
    t.like(await session.head(gateway.id, 0, signal), { size })
    t.true((await session.health(signal)).notes[0]?.startsWith(cut))
  }
})

test('a flipped bit anywhere is found on opening, and the entry is named', async (t) => {
  await using scratch = await scratchFolder()
  const { bytes, ends } = await writtenLog(scratch.path, [2, 5])
  for (let at = 0; at < bytes.length; at++) {
    const flipped = Uint8Array.from(bytes)
    flipped[at] = (flipped[at] as number) ^ (1 << (at % 8))
    const folder = await withLog(scratch.path, `${at}`, flipped)
    const error = await t.throwsAsync(openEmbedded(folder, host()))
    const number = ends.findIndex((end) => at < end) - 1
    if (number < 0) t.like(error, { code: 'LEDGER_MISMATCH' })
    else {
      t.like(error, { code: 'LEDGER_DAMAGED' })
      t.true(error?.message.startsWith(`entry ${number} of`), error?.message)
    }
    t.deepEqual(new Uint8Array(await readFile(join(folder, logName))), flipped)
  }
})

test('an entry that is gone, doubled or out of place is found on opening', async (t) => {
  await using scratch = await scratchFolder()
  const { bytes, ends } = await writtenLog(scratch.path, [2, 5, 6])
  const head = bytes.subarray(0, ends[0])
  const entry = (number: number) => bytes.subarray(ends[number], ends[number + 1])
  const [e0, e1, e2, e3] = [entry(0), entry(1), entry(2), entry(3)]
  const wrong = {
    'without the first': [[e1, e2, e3], 0],
    'without one in the middle': [[e0, e2, e3], 1],
    doubled: [[e0, e1, e1, e2, e3], 2],
    swapped: [[e0, e2, e1, e3], 1],
  } as const
  for (const [name, [entries, number]] of Object.entries(wrong)) {
    const folder = await withLog(scratch.path, name, concat(head, ...entries))
    const error = await t.throwsAsync(openEmbedded(folder, host()))
    t.like(error, { code: 'LEDGER_DAMAGED' })
    t.true(error?.message.startsWith(`entry ${number} of`), `${name}: ${error?.message}`)
  }
})

test('an entry of another copy of the log is found on opening, sound as it is in itself', async (t) => {
  await using scratch = await scratchFolder()
  const here = await writtenLog(join(scratch.path, 'here'), [2, 5])
  const there = await writtenLog(join(scratch.path, 'there'), [3, 6])
  const [, registered = 0, first = 0] = here.ends
  const [, , firstThere = 0] = there.ends
  const folder = await withLog(
    scratch.path,
    'mixed',
    concat(
      here.bytes.subarray(0, registered),
      there.bytes.subarray(there.ends[1], firstThere),
      here.bytes.subarray(first),
    ),
  )
  const error = await t.throwsAsync(openEmbedded(folder, host()), { code: 'LEDGER_DAMAGED' })
  t.regex(error?.message ?? '', /^entry 2 of/)
})

test('a log that should be there is never begun anew, nor kept on with another key', async (t) => {
  await using scratch = await scratchFolder()
  const { path } = scratch
  await t.throwsAsync(openEmbedded(join(path, 'gone'), host()), { code: 'LEDGER_MISSING' })
  await t.throwsAsync(openEmbedded(path, host()), { code: 'LEDGER_MISSING' })
  await writtenLog(path, [2])
  const other = signerOf(secretOf('another witness'))
  await t.throwsAsync(openEmbedded(path, host(other)), { code: 'LEDGER_MISMATCH' })
  await rm(join(path, logName))
  await t.throwsAsync(openEmbedded(path, host()), { code: 'LEDGER_MISSING' })
  await writeFile(join(path, logName), 'kedge witness log 2\n')
  await t.throwsAsync(openEmbedded(path, host()), { code: 'LEDGER_MISMATCH' })
})

/** A folder of its own with this log in it. */
async function withLog(path: string, name: string, bytes: Uint8Array): Promise<string> {
  const folder = join(path, name)
  await mkdir(folder)
  await writeFile(join(folder, logName), bytes)
  return folder
}
