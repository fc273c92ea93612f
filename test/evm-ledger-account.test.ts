import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { readTransaction } from '../anchor-client/ledgers/evm/transactions.ts'
import { evm } from '../anchor-client/ledgers/evm.ts'
import type { Prepared } from '../anchor-client/ledgers/ledger.ts'
import { ask } from './helpers/anchoring.ts'
import {
  anvilIsMissing,
  chainAccount,
  evmUnderTest,
  hex,
  hostOf,
  landed,
  prepare,
  startChain,
  whyOf,
} from './helpers/evm-ledger.ts'
import { isFinal, isRefused, nextKey, signal, sizesOf, usual } from './helpers/ledger-under-test.ts'

const gateway = usual({ hashId: 2 })
const clone = usual({ hashId: 2, forkedAt: 3 })

if (anvilIsMissing) {
  test('evm: skipped, as @foundry-rs/anvil has no program for this machine', (t) => t.pass())
} else {
  const chain = await startChain()
  test.after.always(() => chain[Symbol.asyncDispose]())

  test('the book of numbers is read strictly, and may be begun anew', async (t) => {
    await using ledger = await evmUnderTest(chain)
    const book = join(ledger.path, 'nonces.json')
    {
      await using session = await ledger.open()
      await session.registrar.admit(gateway.admission, signal)
      isFinal(t, await ask(session, gateway.anchor(0, 3)))
    }
    const good = await readFile(book, 'utf8')
    for (const bad of ['', '{', '{}', good.replace('"version":1', '"version":2'), `${good}x`]) {
      await writeFile(book, bad)
      await t.throwsAsync(ledger.open(), { code: 'LEDGER_DAMAGED' }, bad)
    }
    await writeFile(book, good.replace(ledger.contract.slice(2), 'ab'.repeat(20)))
    await t.throwsAsync(ledger.open(), { code: 'LEDGER_MISMATCH' })
    await rm(book)
    await using again = await ledger.open()
    isFinal(t, await ask(again, gateway.anchor(3, 5)))
  })

  test('what was prepared and never sent takes no number: only one of two can land', async (t) => {
    await using ledger = await evmUnderTest(chain)
    let lost: Prepared
    {
      await using session = await ledger.open()
      await session.registrar.admit(gateway.admission, signal)
      const request = gateway.anchor(0, 3)
      lost = await prepare(session, request)
      t.deepEqual(await prepare(session, request), lost, 'the same again has the same bytes')
    }
    await using session = await ledger.open()
    const taken = await prepare(session, gateway.anchor(0, 5))
    const [one, other] = [lost, taken].map(({ bytes }) => readTransaction(bytes)?.nonce)
    t.is(one, other)
    isFinal(t, await landed(session, taken))
    t.is((await session.send(lost, signal)).state, 'covered')
    t.deepEqual(await sizesOf(session, gateway.id, 0), [5])
  })

  test('bytes that are no transaction of ours are refused, whatever they are', async (t) => {
    await using ledger = await evmUnderTest(chain)
    await using session = await ledger.open()
    await session.registrar.admit(gateway.admission, signal)
    const prepared = await prepare(session, gateway.anchor(0, 3))
    const { bytes } = prepared
    const isMalformed = async (altered: Uint8Array, message: string) =>
      t.like(
        await session.send({ ...prepared, bytes: altered }, signal),
        { state: 'refused', reason: 'malformed' },
        message,
      )
    for (const length of [0, 1, 2, 50, 200, bytes.length - 1]) {
      await isMalformed(bytes.subarray(0, length), `${length}`)
    }
    await isMalformed(Uint8Array.from([...bytes, 0]), 'too long')
    await isMalformed(new Uint8Array(1 << 20), 'far too long')
    for (let at = 0; at < bytes.length; at += 23) {
      const altered = Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ 0x10 : byte))
      t.not((await session.status({ ...prepared, bytes: altered }, signal)).state, 'final', `${at}`)
    }
    isFinal(t, await landed(session, prepared))
  })

  test('a gateway whose account is not the one that is registered waits for the registrar', async (t) => {
    await using ledger = await evmUnderTest(chain)
    const [own, other] = [chainAccount('gateway account'), chainAccount('other account')]
    await using registrar = await ledger.open()
    const admission = { ...gateway.admission, account: other.address }
    isFinal(t, await registrar.registrar.admit(admission, signal))
    isFinal(t, await registrar.registrar.admit(admission, signal))
    isRefused(t, await registrar.registrar.admit(gateway.admission, signal), 'other-key')
    const path = join(ledger.path, 'gateway')
    await using session = await evm.connect(ledger.options({ path }), hostOf(own))
    t.is(session.registrar, null)
    const outcome = await ask(session, gateway.anchor(0, 3))
    isRefused(t, outcome, 'not-permitted')
    t.is(
      whyOf(outcome),
      `account ${hex(other.address)} is registered for this gateway, and ours is ${hex(own.address)}`,
    )
    await using right = await evm.connect(
      ledger.options({ path: join(ledger.path, 'right') }),
      hostOf(other),
    )
    isFinal(t, await ask(right, gateway.anchor(0, 3)))
  })

  test('whoever has no account may look, and writes nothing', async (t) => {
    await using ledger = await evmUnderTest(chain)
    await using session = await ledger.open()
    await session.registrar.admit(gateway.admission, signal)
    isFinal(t, await ask(session, gateway.anchor(0, 3)))
    const path = join(ledger.path, 'looking')
    const noAccount = { publicKey: new Uint8Array(), sign: () => new Uint8Array() }
    await using looking = await evm.connect(ledger.options({ path }), hostOf(noAccount))
    t.like(await looking.head(gateway.id, 0, signal), {
      state: 'registered',
      size: 3,
      isFinal: true,
    })
    t.is((await looking.prove(gateway.checkpoint(3), signal)).state, 'proved')
    isRefused(t, await ask(looking, gateway.anchor(3, 5)), 'not-permitted')
    t.is(looking.registrar, null)
    await t.throwsAsync(stat(path), { code: 'ENOENT' })
  })

  test('a rotation that another account offered is accepted by the one it was offered to', async (t) => {
    await using ledger = await evmUnderTest(chain)
    await using session = await ledger.open()
    await session.registrar.admit(gateway.admission, signal)
    isFinal(t, await ask(session, gateway.anchor(0, 3)))
    const heir = chainAccount('heir')
    const rotation = gateway.rotation(3, nextKey)
    isFinal(t, await ask(session, { ...rotation, account: heir.address }))
    t.like(await session.head(gateway.id, 0, signal), { size: 3 })
    const path = join(ledger.path, 'heir')
    await using inherited = await evm.connect(ledger.options({ path }), hostOf(heir))
    isFinal(t, await ask(inherited, rotation))
    isFinal(t, await ask(inherited, gateway.anchor(3, 5, nextKey)))
    isRefused(t, await ask(session, gateway.anchor(5, 7, nextKey)), 'not-permitted')
  })

  test('nobody but the registrar freezes, and a report of anybody is recorded', async (t) => {
    await using ledger = await evmUnderTest(chain)
    await using session = await ledger.open()
    await session.registrar.admit(gateway.admission, signal)
    isFinal(t, await ask(session, gateway.anchor(0, 4)))
    const path = join(ledger.path, 'reporter')
    const reporter = chainAccount('reporter')
    await using reporting = await evm.connect(ledger.options({ path }), hostOf(reporter))
    const report = gateway.fork(5, clone)
    const first = isFinal(t, await ask(reporting, report))
    t.deepEqual(isFinal(t, await ask(reporting, report)), first)
    t.like(await reporting.head(gateway.id, 0, signal), { stands: 'open' })
    isFinal(t, await ask(session, gateway.fork(5, clone)))
    t.like(await reporting.head(gateway.id, 0, signal), { stands: 'frozen' })
  })
}
