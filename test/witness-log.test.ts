import { type FileHandle, mkdir, open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { concat, utf8 } from '../anchor-client/evidence/bytes.ts'
import { openLog } from '../anchor-client/ledgers/witness/log.ts'
import { scratchFolder } from './helpers/scratch.ts'

const owner = utf8('somebody')
const recordOf = (number: number, length: number) => new Uint8Array(length).fill(number % 251)

// Alone, as every file of this process passes here while it runs.
test.serial('a record is acknowledged after one flush, and never before it', async (t) => {
  await using scratch = await scratchFolder()
  await using log = await openLog(scratch.path, { owner, mayCreate: true }, () => t.fail())
  const some = await open(join(scratch.path, 'witness.log'))
  const files: Pick<FileHandle, 'datasync'> = Object.getPrototypeOf(some)
  await some.close()
  const { datasync } = files
  t.teardown(() => Object.assign(files, { datasync }))
  let flushes = 0
  Object.assign(files, {
    async datasync(this: FileHandle) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      await datasync.call(this)
      flushes += 1
    },
  })
  for (let i = 1; i <= 3; i++) {
    await log.append(recordOf(i, 100))
    t.is(flushes, i)
  }
  Object.assign(files, { datasync: () => Promise.reject(new Error('the disk is gone')) })
  await t.throwsAsync(log.append(recordOf(4, 100)), { message: 'the disk is gone' })
  Object.assign(files, { datasync })
  await t.throwsAsync(log.append(recordOf(4, 100)), { code: 'LEDGER_DAMAGED' })
  t.is(log.count, 3)
})

test('a log of several megabytes is read in pieces and found whole', async (t) => {
  await using scratch = await scratchFolder()
  const { path } = scratch
  // Of odd lengths, so that records lie across the pieces in which the file is read.
  const lengths = Array.from({ length: 60 }, (_, i) => (i % 9 === 0 ? 0 : 65_536 - 997 * (i % 7)))
  const log = await openLog(path, { owner, mayCreate: true }, () => t.fail())
  for (const [i, length] of lengths.entries()) await log.append(recordOf(i, length))
  await log[Symbol.asyncDispose]()

  const found: number[] = []
  await using again = await openLog(path, { owner, mayCreate: false }, (record, number) => {
    t.deepEqual(record, recordOf(number, lengths[number] ?? -1))
    found.push(number)
  })
  t.deepEqual(found, [...lengths.keys()])
  t.is(again.cutBytes, 0)
  t.deepEqual(await again.read(33), recordOf(33, lengths[33] ?? -1))
  await t.throwsAsync(again.read(60), { instanceOf: TypeError })
  await t.throwsAsync(again.append(new Uint8Array(65_537)), { instanceOf: TypeError })
})

test('a record that goes bad while the log is open is not given out', async (t) => {
  await using scratch = await scratchFolder()
  const path = join(scratch.path, 'witness.log')
  await using log = await openLog(scratch.path, { owner, mayCreate: true }, () => t.fail())
  await log.append(recordOf(1, 100))
  await log.append(recordOf(2, 100))
  const bytes = await readFile(path)
  bytes[bytes.length - 50] = 9
  await writeFile(path, bytes)
  t.deepEqual(await log.read(0), recordOf(1, 100))
  await t.throwsAsync(log.read(1), { code: 'LEDGER_DAMAGED' })
})

test('a log that was never finished at its very beginning is begun anew on first use only', async (t) => {
  await using scratch = await scratchFolder()
  const { path } = scratch
  await writeFile(join(path, 'witness.log.new'), 'kedge wit')
  const asked = { owner, mayCreate: false }
  await t.throwsAsync(
    openLog(path, asked, () => t.fail()),
    { code: 'LEDGER_MISSING' },
  )
  await using log = await openLog(path, { ...asked, mayCreate: true }, () => t.fail())
  t.is(log.count, 0)
})

test('a length that points beyond the end is an unfinished write only where it is the last', async (t) => {
  await using scratch = await scratchFolder()
  const { path } = scratch
  const log = await openLog(path, { owner, mayCreate: true }, () => t.fail())
  await log.append(recordOf(1, 100))
  await log.append(recordOf(2, 100))
  await log[Symbol.asyncDispose]()
  const bytes = new Uint8Array(await readFile(join(path, 'witness.log')))
  // The length of the first record, set to one that runs past the second: its own guard tells.
  const at = bytes.length - 2 * 116
  const folder = join(path, 'bent')
  await mkdir(folder)
  const bent = concat(bytes.subarray(0, at), Uint8Array.of(0, 0, 250), bytes.subarray(at + 3))
  await writeFile(join(folder, 'witness.log'), bent)
  await t.throwsAsync(
    openLog(folder, { owner, mayCreate: false }, () => t.fail()),
    { code: 'LEDGER_DAMAGED', message: /entry 0/ },
  )
})
