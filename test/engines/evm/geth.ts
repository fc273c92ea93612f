/** One geth in a process of its own: its sockets on this machine alone, its peers only those that a test gives it. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bytesToHex } from '../../../anchor-client/evidence/bytes.ts'
import { addressOf } from '../../helpers/evm.ts'
import { until } from '../../helpers/gateway.ts'
import { run } from '../../helpers/spawn.ts'
import { type Server, startServer } from '../server.ts'
import { hexOf } from './genesis.ts'
import { gethProgram } from './geth-program.ts'
import { type Rpc, rpcTo } from './rpc.ts'

export interface Geth extends AsyncDisposable {
  readonly signer: string
  readonly url: string
  readonly rpc: Rpc
  readonly isUp: boolean
  readonly pid: number
  /** It does not seal before it is told to. */
  start(): Promise<void>
  /** SIGINT lets it write down what it holds. */
  stop(signal: 'SIGINT' | 'SIGKILL'): Promise<void>
  enode(): Promise<string>
}

export interface GethOptions {
  readonly folder: string
  readonly chainId: number
  /** In a file. */
  readonly genesis: string
  /** What it seals with. Two nodes of one key are two branches that a test may lengthen as it likes. */
  readonly privateKey: Uint8Array
  /** What it keeps on the disk: with `full`, only every now and then. */
  readonly keeps?: 'archive' | 'full'
}

export async function prepareGeth(options: GethOptions): Promise<Geth> {
  const { folder, chainId, genesis, privateKey, keeps = 'archive' } = options
  const signer = hexOf(addressOf(privateKey))
  const [secret, key, config] = ['password', 'key', 'config.toml'].map((name) =>
    join(folder, name),
  ) as [string, string, string]
  await mkdir(folder, { recursive: true })
  await writeFile(secret, 'none\n')
  await writeFile(key, bytesToHex(privateKey))
  // The only way to bind the port for peers to one address.
  const listenAt = (port: number) =>
    writeFile(config, `[Node.P2P]\nListenAddr = "127.0.0.1:${port}"\n`)
  await listenAt(0)
  const imported = ['account', 'import', '--lightkdf', '--password', secret, key]
  await geth('--datadir', folder, 'init', '--state.scheme', 'hash', genesis)
  await geth('--datadir', folder, ...imported)
  let server: Server | undefined
  let port = 0
  const url = () => `http://127.0.0.1:${port}`
  const rpc: Rpc = (method, ...params) => rpcTo(url())(method, ...params)

  const start = async () => {
    server = startServer(gethProgram, [
      ...['--config', config, '--datadir', folder, '--networkid', `${chainId}`],
      ...['--nodiscover', '--nat', 'none', '--netrestrict', '127.0.0.0/8', '--bootnodes', ''],
      ...['--http', '--http.addr', '127.0.0.1', '--http.port', `${port}`],
      ...['--http.api', 'eth,net,web3,admin,debug,miner,clique,txpool'],
      ...['--authrpc.addr', '127.0.0.1', '--authrpc.port', '0', '--ipcdisable'],
      ...['--syncmode', 'full', '--gcmode', keeps, '--state.scheme', 'hash', '--cache', '64'],
      ...['--miner.etherbase', signer, '--unlock', signer, '--password', secret],
      // 0 would be taken for nothing told, which is 1 gwei.
      ...['--allow-insecure-unlock', '--miner.gasprice', '1', '--txpool.pricelimit', '1'],
    ])
    const started = /HTTP server started +endpoint=127\.0\.0\.1:(\d+) auth=false/
    port = Number(await server.printed(started))
    const { ports } = await until(() => rpc('admin_nodeInfo').catch(() => null), 'geth')
    // It answers before it can seal.
    await server.printed(/(Unlocked account)/)
    // Its peers know it by this one.
    await listenAt(ports.listener)
  }

  return {
    signer,
    get url() {
      return url()
    },
    rpc,
    get isUp() {
      return server !== undefined && !server.hasEnded
    },
    get pid() {
      return server?.pid ?? -1
    },
    start,
    stop: async (signal) => server?.kill(signal),
    async enode() {
      const { enode } = await rpc<{ enode: string }>('admin_nodeInfo')
      return enode.replace(/\?.*/, '')
    },
    async [Symbol.asyncDispose]() {
      await server?.kill('SIGKILL')
    },
  }
}

async function geth(...args: readonly string[]): Promise<void> {
  const { code, stderr } = await run(gethProgram, args, { env: { HOME: '/nonexistent' } })
  if (code !== 0) throw new Error(`geth ${args.join(' ')}: ${stderr}`)
}
