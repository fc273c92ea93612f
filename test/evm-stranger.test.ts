/** What the README tells a stranger to type, typed: the head of an evidence file, found on a chain without our programs. */
import { execFile, spawnSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { bytesToHex, hexToBytes } from '../anchor-client/evidence/bytes.ts'
import { startAnvil } from './engines/evm/anvil.ts'
import { contractAt } from './engines/evm/genesis.ts'
import { anvilIsMissing, chainId } from './helpers/evm-ledger.ts'
import { kedge, newGateway } from './helpers/gateway.ts'
import { anchored, asked, publish, running } from './helpers/running-gateway.ts'
import { testWith } from './helpers/tools.ts'

const configOn = (url: string) => `
site: test
gateway: chained
batch: { maxAge: 1s }
ingest: { mqtt: { listen: "127.0.0.1:0" } }
anchor:
  - { ledger: evm, urls: ["${url}"], chainId: ${chainId}, contract: "${bytesToHex(contractAt(0))}", fee: zero, confirmations: 0 }
`

const isThere = spawnSync('sh', ['-c', 'command -v curl && command -v xxd']).status === 0
const testOnChain = !anvilIsMissing && isThere ? testWith('openssl') : test.skip

testOnChain(
  'with curl and OpenSSL, as the README says, a stranger finds on the chain what the gateway signed',
  async (t) => {
    await using gateway = await newGateway(configOn('http://127.0.0.1:1'))
    const { data, folder } = gateway
    const { line } = await kedge('enrol', 'account', '--data', data.folder)
    await using anvil = await startAnvil({
      chainId,
      registrar: hexToBytes(line.account.slice(2)),
      contracts: 1,
      accounts: [],
      wei: 0n,
    })
    const config = configOn(anvil.url)
    await writeFile(data.config, config)
    await running(data, config, async (url, events) => {
      await publish(url, 0, 4)
      await anchored(events, 0)
    })
    const file = join(folder, 'file.kedge')
    await writeFile(
      file,
      (await asked(data, 'prove', { stream: 'mqtt/probe', index: '0-4' })).bytes,
    )

    const out = join(folder, 'out')
    const verified = await kedge('verify', file, '--extract', out)
    const lines: { property: string; reason: string }[] = verified.line.lines
    const { reason = '' } = lines.find(({ property }) => property === 'anchor') ?? {}
    const [, contract, block] = /contract ([0-9a-f]{40}).*block (\d+)/.exec(reason) ?? []
    const [{ dir }] = verified.line.extracted
    const { gateway: id } = JSON.parse(
      new TextDecoder().decode((await asked(data, 'trust', {})).bytes),
    ).gateways[0]
    const told = {
      NODE: anvil.url,
      GATEWAY: id,
      INCARNATION: '0',
      SIZE: /size-(\d+)$/.exec(dir)?.[1] ?? '',
      BLOCK: block ?? '',
      CONTRACT: contract ?? '',
      OUT: dir,
    }
    const typed = async (more: Partial<typeof told> = {}) => {
      const env = { PATH: process.env.PATH, ...told, ...more }
      const { stdout } = await run('sh', ['-c', await blockOfReadme()], { env }).catch(
        (error: { stdout: string }) => error,
      )
      return stdout
    }
    const said = await typed()
    t.regex(said, new RegExp(`"accountProof".*\nblock ${block} holds what was signed\n`), said)
    t.regex(said, /Signature Verified Successfully/)
    t.notRegex(await typed({ SIZE: '7' }), /holds what was signed/)
    t.notRegex(await typed({ BLOCK: '1' }), /holds what was signed/)
    t.notRegex(await typed({ INCARNATION: '1' }), /holds what was signed/)
  },
)

const run = promisify(execFile)

async function blockOfReadme(): Promise<string> {
  const readme = await readFile('anchor-client/ledgers/README.md', 'utf8')
  const [, after = ''] = readme.split('## Find an anchor without our programs')
  return /```sh\n([\s\S]*?)```/.exec(after)?.[1] ?? ''
}
