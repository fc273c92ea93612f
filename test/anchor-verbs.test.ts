import test from 'ava'
import { openStore } from '../gateway/store.ts'
import { newGateway, startGateway } from './helpers/gateway.ts'
import { asked } from './helpers/running-gateway.ts'

const base = (anchor: string) => `
site: test
gateway: far
batch: { maxAge: 1s }
journal: { minFree: 0B, reserve: 1MiB }
anchor: [${anchor}]
`
const far = (port: number) =>
  `{ ledger: witness, url: "http://127.0.0.1:${port}", publicKey: "04${'ab'.repeat(64)}" }`

test('ledgers that were never reached are asked again by their names, and each is told', async (t) => {
  await using gateway = await newGateway(base(`${far(1)}, ${far(2)}`))
  const { data, config } = gateway
  await using running = await startGateway(data, config)
  const { bell } = running.live.anchoring
  const retry = async (ledger?: string) =>
    (await asked(data, 'anchors', { what: 'retry', ledger })).lines
  const waiting = { state: 'waiting', block: null, at: null, id: null, proof: false }

  const before = bell.rings
  const [first, second, ...none] = await retry()
  t.like(first, { ledger: 'witness', ...waiting })
  t.like(second, { ledger: 'witness-2', ...waiting })
  t.regex(String(first?.root), /^[0-9a-f]{64}$/)
  t.deepEqual(none, [])
  t.true(bell.rings > before)

  const again = bell.rings
  t.deepEqual(
    (await retry('witness-2')).map(({ ledger }) => ledger),
    ['witness-2'],
  )
  t.true(bell.rings > again)
  await t.throwsAsync(retry('embedded'), { code: 'NOT_FOUND', message: /no ledger embedded/ })
  await running.stop()
})

test('a chain that told an impossible time leaves the gateway able to say how it is', async (t) => {
  await using gateway = await newGateway(base(''))
  const { data } = gateway
  {
    await using store = await openStore(data)
    const ledgerId = new Uint8Array(32).fill(9)
    await store.anchors.pin('evm', {
      state: 'described',
      ledgerId,
      pin: { kind: 'evm' },
      hashIds: [2],
      finality: 'at once',
    })
    const place = { height: 5, hash: new Uint8Array(32), timeMs: (2 ** 43 - 1) * 1000, cost: null }
    const head = { size: 1, root: new Uint8Array(32) }
    const signed = { ...head, key: new Uint8Array(65), signature: new Uint8Array(64) }
    await store.anchors.keep(ledgerId, [{ ...signed, after: 0, place, proof: null }], false)
  }
  const { lines } = await asked(data, 'status', {})
  t.like(lines[0], { running: false, anchors: [{ ledger: 'evm', block: 5, at: null }] })
})
