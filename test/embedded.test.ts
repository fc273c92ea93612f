import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { concat } from '../anchor-client/evidence/bytes.ts'
import { entryMessage } from '../anchor-client/evidence/proofs/witness.ts'
import { embedded, openEmbedded } from '../anchor-client/ledgers/embedded.ts'
import { ask, gatewayOf, secretOf } from './helpers/anchoring.ts'
import { gateway, host, logName, signal, startMs, witness, writtenLog } from './helpers/embedded.ts'
import { scratchFolder } from './helpers/scratch.ts'
import { ledgerSuite } from './ledger-suite.ts'

ledgerSuite('embedded', async () => {
  const { path, ...folder } = await scratchFolder()
  let isFirstUse = true
  return {
    async open() {
      const session = await openEmbedded(path, host({ isFirstUse }))
      isFirstUse = false
      return session
    },
    [Symbol.asyncDispose]: folder[Symbol.asyncDispose],
  }
})

test('two processes cannot hold one ledger, and one that was killed does not hold it', async (t) => {
  await using scratch = await scratchFolder()
  const args = ['--import', 'tsx', 'test/helpers/hold-ledger.ts', scratch.path]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  const error = await t.throwsAsync(openEmbedded(scratch.path, host()))
  t.like(error, { code: 'LEDGER_IN_USE' })
  t.regex(error?.message ?? '', new RegExp(`process ${child.pid} holds`))
  child.kill('SIGKILL')
  await once(child, 'exit')
  await using session = await openEmbedded(scratch.path, host())
  t.true((await session.health(signal)).isWell)
  await t.throwsAsync(openEmbedded(scratch.path, host()), { code: 'LEDGER_IN_USE' })
})

test('the lock of a process whose number was given to another one is no lock', async (t) => {
  await using scratch = await scratchFolder()
  await writtenLog(scratch.path, [2])
  for (const stale of [`${process.pid} another-boot/1\n`, `${2 ** 22 + 1} -\n`, '', 'x']) {
    await writeFile(join(scratch.path, 'lock'), stale)
    await using session = await openEmbedded(scratch.path, host())
    t.like(await session.head(gateway.id, 0, signal), { size: 2 })
  }
})

test('whoever writes past the lock is noticed before anything is signed over it', async (t) => {
  await using scratch = await scratchFolder()
  await using session = await openEmbedded(scratch.path, host({ isFirstUse: true }))
  await session.registrar.admit(gateway.admission, signal)
  await appendFile(join(scratch.path, logName), 'x')
  const prepared = await session.prepare(gateway.anchor(0, 2), signal)
  if (prepared.state !== 'prepared') return t.fail()
  t.like(await session.send(prepared, signal), { state: 'unknown' })
  t.like(await session.send(prepared, signal), { state: 'unknown' })
  t.like(await session.head(gateway.id, 0, signal), { size: 0 })
  t.false((await session.health(signal)).isWell)
  await session[Symbol.asyncDispose]()
  await using again = await openEmbedded(scratch.path, host())
  t.like(await again.send(prepared, signal), { state: 'final' })
})

test('a signer that fails or lies writes nothing, and asked again it is done', async (t) => {
  await using scratch = await scratchFolder()
  let fault: 'none' | 'throws' | 'lies' = 'none'
  const sign = (message: Uint8Array) => {
    if (fault === 'throws') throw new Error('the key is not to be had')
    return witness.sign(fault === 'lies' ? entryMessage(message) : message)
  }
  await using session = await openEmbedded(scratch.path, host({ isFirstUse: true, sign }))
  await session.registrar.admit(gateway.admission, signal)
  const prepared = await session.prepare(gateway.anchor(0, 2), signal)
  if (prepared.state !== 'prepared') return t.fail()
  for (const one of ['throws', 'lies'] as const) {
    fault = one
    t.is((await session.send(prepared, signal)).state, 'unknown')
    t.false((await session.health(signal)).isWell)
  }
  fault = 'none'
  t.is((await session.send(prepared, signal)).state, 'final')
  t.true((await session.health(signal)).isWell)
})

test('no clock, and none that makes sense, keeps an anchor from being taken', async (t) => {
  await using scratch = await scratchFolder()
  const clocks = [null, Number.NaN, -1, 2 ** 60, startMs + 0.5, startMs - 5]
  let now: number | null = startMs
  const session = await openEmbedded(scratch.path, host({ isFirstUse: true, nowMs: () => now }))
  await session.registrar.admit(gateway.admission, signal)
  const times: unknown[] = []
  for (const [i, clock] of clocks.entries()) {
    now = clock
    const outcome = await ask(session, gateway.anchor(i, i + 1))
    times.push(outcome.state === 'final' && outcome.place.timeMs)
  }
  t.deepEqual(times, [null, null, null, null, startMs, startMs - 5])
  await session[Symbol.asyncDispose]()
  await using again = await openEmbedded(scratch.path, host())
  t.like(await again.head(gateway.id, 0, signal), { size: clocks.length })
})

test('many gateways may ask at once, and each has its answer', async (t) => {
  await using scratch = await scratchFolder()
  await using session = await openEmbedded(scratch.path, host({ isFirstUse: true }))
  const gateways = Array.from({ length: 8 }, (_, i) => gatewayOf({ secret: secretOf(`box ${i}`) }))
  const outcomes = await Promise.all(
    gateways.map(async (one) => {
      const admitted = await session.registrar.admit(one.admission, signal)
      const prepared = await session.prepare(one.anchor(0, 3), signal)
      if (prepared.state !== 'prepared') return [admitted, prepared]
      return [admitted, await session.send(prepared, signal)]
    }),
  )
  for (const outcome of outcomes.flat()) t.is(outcome.state, 'final')
  t.is((await session.health(signal)).height, 2 * gateways.length - 1)
})

test('bytes that are no request are refused, whatever they are', async (t) => {
  await using scratch = await scratchFolder()
  await using session = await openEmbedded(scratch.path, host({ isFirstUse: true }))
  await session.registrar.admit(gateway.admission, signal)
  const prepared = await session.prepare(gateway.anchor(0, 2), signal)
  if (prepared.state !== 'prepared') return t.fail()
  const { bytes } = prepared
  const send = (altered: Uint8Array) => session.send({ ...prepared, bytes: altered }, signal)
  const isMalformed = async (altered: Uint8Array, message: string) =>
    t.like(await send(altered), { state: 'refused', reason: 'malformed' }, message)
  for (let length = 0; length < bytes.length; length++) {
    await isMalformed(bytes.subarray(0, length), `${length}`)
  }
  await isMalformed(concat(bytes, Uint8Array.of(0)), 'too long')
  await isMalformed(new Uint8Array(1 << 20), 'far too long')
  for (let at = 0; at < bytes.length; at += 7) {
    const altered = Uint8Array.from(bytes)
    altered[at] = (altered[at] as number) ^ 0x10
    t.not((await send(altered)).state, 'final', `${at}`)
  }
  t.is((await send(bytes)).state, 'final')
})

test('its options are one path', (t) => {
  t.true(embedded.options.safeParse({ path: 'ledger' }).success)
  t.false(embedded.options.safeParse({ path: '' }).success)
  t.false(embedded.options.safeParse({}).success)
})

test('a copy of its files on another machine opens and proves the same', async (t) => {
  await using scratch = await scratchFolder()
  const here = join(scratch.path, 'here')
  const there = join(scratch.path, 'there')
  await writtenLog(here, [2, 5])
  await cp(here, there, { recursive: true })
  const proofs = [await proofIn(t, here), await proofIn(t, there)]
  t.deepEqual(proofs[0], proofs[1])
})

async function proofIn(t: ExecutionContext, path: string) {
  await using session = await openEmbedded(path, host())
  const proved = await session.prove(gateway.checkpoint(2), signal)
  t.is(proved.state, 'proved')
  return proved
}
