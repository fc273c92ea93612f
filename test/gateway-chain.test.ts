/** A gateway whose anchors lie on a chain, from its registration to evidence: on Foundry's node. */
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { bytesToHex, hexToBytes } from '../anchor-client/evidence/bytes.ts'
import { dataFolder, readMarker } from '../gateway/data-folder.ts'
import { startAnvil } from './engines/evm/anvil.ts'
import { contractAt } from './engines/evm/genesis.ts'
import { anvilIsMissing, chainId } from './helpers/evm-ledger.ts'
import { kedge, type Line, newGateway } from './helpers/gateway.ts'
import { anchored, asked, publish, running, until, verdictOf } from './helpers/running-gateway.ts'
import { scratchFolder } from './helpers/scratch.ts'

const testOnChain = anvilIsMissing ? test.skip : test
if (anvilIsMissing) console.log('skipped: there is no anvil for this machine')

const base = `
site: test
gateway: chained
batch: { maxAge: 1s }
ingest: { mqtt: { listen: "127.0.0.1:0" } }
`
const onChain = (url: string, contract = contractAt(0)) =>
  `{ ledger: evm, urls: ["${url}"], chainId: ${chainId}, contract: "${bytesToHex(contract)}", fee: zero, confirmations: 1 }`

/** Whoever the contract was given as its registrar, in a folder of its own, and the chain. */
async function chainWithRegistrar(folder: string) {
  const registrar = join(folder, 'registrar')
  const configure = (url: string) =>
    writeFile(join(registrar, 'kedge.yaml'), `site: a\ngateway: b\nanchor: [${onChain(url)}]\n`)
  await mkdir(registrar, { recursive: true })
  await configure('http://127.0.0.1:1')
  const { line } = await kedge('enrol', 'account', '--data', registrar)
  const anvil = await startAnvil({
    chainId,
    registrar: hexToBytes(line.account.slice(2)),
    contracts: 1,
    accounts: [],
    wei: 0n,
    blockSeconds: 1,
  })
  await configure(anvil.url)
  return { registrar, anvil }
}

/** A gateway whose configuration names that chain, and perhaps a ledger more. */
async function gatewayOnChain(others: (folder: string) => string = () => '') {
  const scratch = await scratchFolder()
  const { registrar, anvil } = await chainWithRegistrar(scratch.path)
  const config = `${base}anchor: [${others(scratch.path)}${onChain(anvil.url)}]\n`
  const gateway = await newGateway(config)
  return {
    ...{ config, registrar, scratch },
    data: gateway.data,
    folder: gateway.data.folder,
    file: join(scratch.path, 'request.json'),
    async [Symbol.asyncDispose]() {
      await anvil[Symbol.asyncDispose]()
      await gateway[Symbol.asyncDispose]()
      await scratch[Symbol.asyncDispose]()
    },
  }
}

const request = async (folder: string, file: string): Promise<Line> =>
  (await kedge('enrol', 'request', '--data', folder, '-o', file)).line

const verified = async (data: ReturnType<typeof dataFolder>, index: string) => {
  const { bytes } = await asked(data, 'prove', { stream: 'mqtt/probe', index })
  return verdictOf(bytes, (await asked(data, 'trust', {})).bytes)
}

testOnChain(
  'a gateway that a registrar lets in anchors on the chain, and what was kept until then is proved, too',
  async (t) => {
    await using site = await gatewayOnChain()
    const { config, registrar, data, folder, file } = site
    const asking = await request(folder, file)
    t.is(asking.hashId, 2, 'the chain computes SHA-256, not SM3')
    t.regex(asking.account, /^0x[0-9a-f]{40}$/)

    await running(data, config, async (url, events) => {
      await publish(url, 0, 4)
      await until(() => events.some((event) => event.event === 'alarm' && /evm/.test(event.matter)))
      t.false(events.some(({ event }) => event === 'anchored'))
      const stranger = await kedge('enrol', 'approve', file, '--data', folder)
      t.is(stranger.error?.code, 'ENROLMENT_REFUSED')
      t.regex(stranger.error?.message, /is not the registrar/)

      const { code, line } = await kedge('enrol', 'approve', file, '--data', registrar)
      t.is(code, 0)
      t.like(line, { ledger: 'evm', state: 'open', incarnation: 0, account: asking.account })
      t.true(line.block > 0)
      await asked(data, 'anchors', { what: 'retry' })
      await anchored(events, 0)
      const { lines } = await asked(data, 'anchors', { what: 'ls' })
      const newest = lines.at(-1) as Line
      t.like(newest, { ledger: 'evm', state: 'final', proof: true })
      t.regex(newest.cost, /^\d+ gas at 0 wei$/)
      t.true(newest.confirmations >= 1)
    })
    const { verdict, lines } = await verified(data, '0-4')
    t.is(verdict, 'complete')
    t.is(lines.find(({ property }) => property === 'continuity')?.result, 'PASS')
  },
)

testOnChain(
  'a card that was put back begins a new incarnation on the chain, and nothing kept since is lost',
  async (t) => {
    await using site = await gatewayOnChain()
    const { config, registrar, data, folder, file, scratch } = site
    await request(folder, file)
    await kedge('enrol', 'approve', file, '--data', registrar)
    await running(data, config, async (url, events) => {
      await publish(url, 0, 2)
      await anchored(events, 0)
    })
    const copy = dataFolder(join(scratch.path, 'copy'))
    await cp(folder, copy.folder, { recursive: true })
    await running(data, config, async (url, events) => {
      await publish(url, 3, 5)
      await anchored(events, 2)
    })
    await t.throwsAsync(
      running(copy, config, () => Promise.resolve()),
      { code: 'STORE_BEHIND' },
    )
    t.is((await kedge('init', '--new-incarnation', '--data', copy.folder)).line.incarnation, 1)
    t.is((await request(copy.folder, file)).incarnation, 1)
    const early = await kedge('enrol', 'approve', file, '--data', registrar)
    t.is(early.error?.code, 'ENROLMENT_REFUSED')
    t.regex(early.error?.message, /closes the one before/)
    const granted = await kedge('enrol', 'approve', file, '--incarnation', '1', '--data', registrar)
    t.is(granted.line.incarnation, 1)
    await running(copy, config, async (url, events) => {
      await publish(url, 6, 8)
      await anchored(events, 0)
    })
    t.is((await verified(copy, '0-2')).verdict, 'complete')
    await t.throwsAsync(
      running(data, config, () => Promise.resolve()),
      { code: 'STORE_BEHIND', message: /newer incarnation/ },
    )
  },
)

testOnChain('one history on two ledgers is one evidence file with both anchors', async (t) => {
  await using site = await gatewayOnChain(
    (path) => `{ ledger: embedded, path: ${join(path, 'ledger')} }, `,
  )
  const { config, registrar, data, folder, file } = site
  await request(folder, file)
  await kedge('enrol', 'approve', file, '--data', registrar)
  await running(data, config, async (url, events) => {
    await publish(url, 0, 2)
    await until(() =>
      ['embedded', 'evm'].every((name) =>
        events.some((event) => event.event === 'anchored' && event.ledger === name),
      ),
    )
    const isProved = async () =>
      (await asked(data, 'anchors', { what: 'ls' })).lines.every(
        ({ state, proof }) => state !== 'final' || proof === true,
      )
    while (!(await isProved())) await new Promise((resolve) => setTimeout(resolve, 100))
  })
  const { verdict, lines } = await verified(data, '0-2')
  t.is(verdict, 'complete')
  const anchor = lines.find(({ property }) => property === 'anchor')
  t.regex(anchor?.reason ?? '', /embedded/)
  t.regex(anchor?.reason ?? '', /evm/)

  const backup = join(site.scratch.path, 'backup')
  const restored = dataFolder(join(site.scratch.path, 'restored'))
  t.is((await kedge('store', 'backup', backup, '--data', folder)).code, 0)
  t.is((await kedge('store', 'restore', backup, '--data', restored.folder)).code, 0)
  // The secret is not in the backup.
  await cp(join(data.keys, 'secret'), join(restored.keys, 'secret'))
  await running(restored, config, async (url, events) => {
    await publish(url, 3, 5)
    await until(() => events.some((event) => event.event === 'anchored' && event.ledger === 'evm'))
  })
})

testOnChain(
  'a chain is no ledger for a history that has another hash already, which the check of the configuration says',
  async (t) => {
    await using scratch = await scratchFolder()
    const ledger = join(scratch.path, 'ledger')
    const before = `${base}anchor: [{ ledger: embedded, path: ${ledger} }]\n`
    await using gateway = await newGateway(before)
    const { data } = gateway
    const { folder } = data
    await running(data, before, async (url, events) => {
      await publish(url, 0, 2)
      await anchored(events, 0)
    })
    t.is((await readMarker(data))?.hashId, 1)
    const both = `${base}anchor: [{ ledger: embedded, path: ${ledger} }, ${onChain('http://127.0.0.1:1')}]\n`
    await writeFile(data.config, both)
    const { code, error } = await kedge('config', 'check', '--data', folder)
    t.is(code, 2)
    t.regex(error?.message, /evm does not compute SM3/)
    t.regex(error?.hint, /new-incarnation/)
    t.is((await kedge('init', '--new-incarnation', '--data', folder)).line.incarnation, 1)
    t.is((await readMarker(data))?.hashId, 2)
    t.is((await kedge('config', 'check', '--data', folder)).code, 0)
  },
)

testOnChain(
  'a registrar who has only a folder and a node puts the contract there, and lets a gateway in',
  async (t) => {
    await using scratch = await scratchFolder()
    await using anvil = await startAnvil({
      ...{ chainId, registrar: new Uint8Array(20), contracts: 0, accounts: [], wei: 0n },
      blockSeconds: 1,
    })
    const registrar = join(scratch.path, 'registrar')
    await mkdir(registrar)
    const configure = (contract?: Uint8Array) =>
      writeFile(
        join(registrar, 'kedge.yaml'),
        `site: a\ngateway: b\nanchor: [${onChain(anvil.url, contract)}]\n`,
      )
    await configure(new Uint8Array(20))
    const { account } = (await kedge('enrol', 'account', '--data', registrar)).line
    const deployed = await kedge('enrol', 'contract', '--data', registrar)
    t.is(deployed.code, 0, deployed.stderr)
    t.is(deployed.line.registrar, account)
    const contract = hexToBytes(deployed.line.contract.slice(2))
    await configure(contract)

    await using gateway = await newGateway(`${base}anchor: [${onChain(anvil.url, contract)}]\n`)
    const file = join(scratch.path, 'request.json')
    await request(gateway.data.folder, file)
    const { code, line, stderr } = await kedge('enrol', 'approve', file, '--data', registrar)
    t.is(code, 0, stderr)
    t.is(line.state, 'open')
    const { lines } = await kedge('enrol', 'status', '--data', gateway.data.folder)
    t.like(lines[0], { ledger: 'evm', state: 'open', size: 0 })
  },
)
