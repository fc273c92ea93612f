import { readFile, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test from 'ava'
import { bytesToHex } from '../anchor-client/evidence/bytes.ts'
import { evm } from '../anchor-client/ledgers/evm.ts'
import { ask } from './helpers/anchoring.ts'
import {
  anvilIsMissing,
  chainId,
  evmUnderTest,
  hex,
  prepare,
  startChain,
  whyOf,
} from './helpers/evm-ledger.ts'
import { isFinal, signal, sizesOf, usual } from './helpers/ledger-under-test.ts'
import { lyingNode, RpcFailure } from './helpers/lying-node.ts'

const gateway = usual({ hashId: 2 })

if (anvilIsMissing) {
  test('evm: skipped, as @foundry-rs/anvil has no program for this machine', (t) => t.pass())
} else {
  const chain = await startChain()
  test.after.always(() => chain[Symbol.asyncDispose]())

  test('after an outage of 1,000 headers one transaction catches up', async (t) => {
    await using ledger = await evmUnderTest(chain)
    await using session = await ledger.open()
    await session.registrar.admit(gateway.admission, signal)
    isFinal(t, await ask(session, gateway.anchor(0, 3)))
    const count = () => chain.rpc('eth_getTransactionCount', hex(ledger.owner.address), 'latest')
    const before = Number(await count())
    const place = isFinal(t, await ask(session, gateway.anchor(3, 1003)))
    t.is(Number(await count()), before + 1)
    t.regex(place?.cost ?? '', /^\d{5,6} gas at 0 wei$/)
    t.deepEqual(await sizesOf(session, gateway.id, 0), [3, 1003])
  })

  test('a node of another chain, or a contract that is not ours, is refused by name', async (t) => {
    await using ledger = await evmUnderTest(chain)
    const connect = (told: object) => evm.connect(ledger.options(told), ledger.host())
    const isRefusedAs = async (told: object, words: RegExp) => {
      const error = await t.throwsAsync(connect(told), { code: 'LEDGER_MISMATCH' })
      t.regex(error?.message ?? '', words)
    }
    await isRefusedAs(
      { chainId: chainId + 1 },
      new RegExp(`is on chain ${chainId}, not on ${chainId + 1}`),
    )
    await isRefusedAs({ genesis: 'ab'.repeat(32) }, /begins with 0x[0-9a-f]{64}, not with 0xabab/)
    await isRefusedAs({ contract: 'ab'.repeat(20) }, /there is no contract at 0xabab/)
    await isRefusedAs(
      { contract: chain.otherContract },
      /has code [0-9a-f]{16}…, not that of the anchor contract/,
    )
  })

  test('the first chain that was seen is kept, also over a restart', async (t) => {
    await using ledger = await evmUnderTest(chain)
    {
      await using session = await ledger.open()
      await session.registrar.admit(gateway.admission, signal)
    }
    const book = join(ledger.path, 'nonces.json')
    const { genesis, ...rest } = JSON.parse(await readFile(book, 'utf8'))
    t.is((await stat(book)).mode & 0o777, 0o600)
    await writeFile(book, JSON.stringify({ ...rest, genesis: 'ab'.repeat(32) }))
    const error = await t.throwsAsync(ledger.open(), { code: 'LEDGER_MISMATCH' })
    t.regex(error?.message ?? '', new RegExp(`begins with 0x${genesis}, not with 0xabab`))
  })

  test('one node that is silent, behind or elsewhere keeps nobody from the others', async (t) => {
    await using ledger = await evmUnderTest(chain)
    await using session = await ledger.open()
    await session.registrar.admit(gateway.admission, signal)
    isFinal(t, await ask(session, gateway.anchor(0, 3)))
    const old = await chain.rpc('eth_getBlockByNumber', 'latest', false)
    isFinal(t, await ask(session, gateway.anchor(3, 5)))
    await chain.rpc('anvil_mine', '0x8')

    await using node = await lyingNode(chain.url)
    const lies = {
      silent: () => Promise.reject(new RpcFailure(-32000, 'rate limit')),
      behind: ({ method, params }: { method: string; params: readonly unknown[] }) =>
        method === 'eth_getBlockByNumber' && params[0] === 'latest'
          ? Promise.resolve(old)
          : undefined,
      elsewhere: ({ method }: { method: string }) =>
        method === 'eth_chainId' ? Promise.resolve('0x7') : undefined,
    }
    let size = 5
    for (const [how, lie] of Object.entries(lies)) {
      node.tell(lie)
      await using several = await evm.connect(
        ledger.options({ urls: [node.url, chain.url] }),
        ledger.host(),
      )
      await several.describe(signal)
      if (how === 'behind') t.is((await several.beacon(signal)).state, 'final')
      t.like(await several.find(gateway.id, 0, size, signal), { state: 'final' }, how)
      isFinal(t, await ask(several, gateway.anchor(size, size + 2)))
      size += 2
      const { notes } = await several.health(signal)
      t.is(/is on chain 7, not on/.test(notes.join()), how === 'elsewhere', how)
      node.beHonest()
    }
    t.true(node.asked('eth_sendRawTransaction') > 0, 'all are sent to')
  })

  test('an outage is unknown, and only a list of anchors breaks off', async (t) => {
    await using ledger = await evmUnderTest(chain)
    await using session = await ledger.open()
    await session.registrar.admit(gateway.admission, signal)
    isFinal(t, await ask(session, gateway.anchor(0, 3)))
    const prepared = await prepare(session, gateway.anchor(3, 5))
    const server = createServer((_, response) => {
      response.statusCode = 302
      response.setHeader('location', chain.url)
      response.end('<html>log in first</html>')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => server.close())
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    await using cut = await evm.connect(ledger.options({ urls: [url] }), ledger.host())
    const beacon = { ledger: gateway.id, height: 1, hash: gateway.id }
    const answers = [
      await cut.describe(signal),
      await cut.head(gateway.id, 0, signal),
      await cut.prepare(gateway.anchor(3, 5), signal),
      await cut.send(prepared, signal),
      await cut.status(prepared, signal),
      await cut.find(gateway.id, 0, 3, signal),
      await cut.prove(gateway.checkpoint(3), signal),
      await cut.beacon(signal),
      await cut.proveBeacon(beacon, signal),
    ]
    for (const answer of answers) {
      t.regex(whyOf(answer), /is answered by something else than a node \(302\)/)
      t.is(answer.state, 'unknown')
    }
    await t.throwsAsync(sizesOf(cut, gateway.id, 0), { code: 'LEDGER_UNREACHABLE' })
    t.like(await cut.health(signal), { isWell: false, height: null })
    t.is(cut.registrar, null)
  })

  test('what pins it names chain, contract and code, and its finality is said in words', async (t) => {
    await using ledger = await evmUnderTest(chain)
    await using session = await evm.connect(ledger.options({ confirmations: 3 }), ledger.host())
    const identity = await session.describe(signal)
    if (identity.state === 'unknown') return t.fail(identity.why)
    const genesis = await chain.rpc('eth_getBlockByNumber', '0x0', false)
    t.like(identity.pin, {
      kind: 'evm',
      chainId,
      genesis: genesis.hash.slice(2),
      contract: ledger.contract.slice(2),
    })
    t.deepEqual(identity.hashIds, [2])
    t.is(identity.finality, 'a block is final under 3 others')
    t.is(bytesToHex(identity.ledgerId).length, 64)
  })
}
