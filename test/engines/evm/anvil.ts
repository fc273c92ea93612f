/** Foundry's node: one process, blocks at once or by interval. Its memory is on the disk only after SIGTERM. */

import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { until } from '../../helpers/gateway.ts'
import { scratchFolder } from '../../helpers/scratch.ts'
import { type Server, startServer } from '../server.ts'
import { type FirstBlock, firstAccounts } from './genesis.ts'
import { type Rpc, rpcTo } from './rpc.ts'

export interface AnvilOptions extends FirstBlock {
  /** At once, where it is not told. */
  readonly blockSeconds?: number
  readonly baseFee?: number
  readonly gasPrice?: number
}

export interface Anvil extends AsyncDisposable {
  readonly url: string
  readonly rpc: Rpc
  readonly chainId: number
  readonly pid: number
  /** By SIGTERM: it writes down what it holds. */
  stop(): Promise<void>
  /** Again at the same port, with what was written down. */
  start(): Promise<void>
}

/** The package's own command is a script that would not pass a signal on, so the program itself is started. */
export function anvilProgram(): string | null {
  const { resolve } = createRequire(import.meta.url)
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  try {
    const manifest = resolve(`@foundry-rs/anvil-${process.platform}-${architecture}/package.json`)
    return join(dirname(manifest), 'bin', 'anvil')
  } catch {
    return null
  }
}

export async function startAnvil(options: AnvilOptions): Promise<Anvil> {
  const program = anvilProgram()
  if (program === null) throw new Error('there is no package @foundry-rs/anvil-… for this machine')
  const { path, ...folder } = await scratchFolder()
  const { baseFee = 0, gasPrice = 0, blockSeconds } = options
  let server: Server | undefined
  const state = join(path, 'state')
  let port = 0
  const url = () => `http://127.0.0.1:${port}`
  const bornSeconds = Math.floor(Date.now() / 1000)
  let hasBegun = false
  const start = async () => {
    server = startServer(program, [
      ...['--host', '127.0.0.1', '--port', `${port}`],
      ...['--hardfork', 'london', '--chain-id', `${options.chainId}`, '--accounts', '0'],
      ...['--state', state, '--preserve-historical-states'],
      ...['--base-fee', `${baseFee}`, '--gas-price', `${gasPrice}`],
      // It makes block 0 anew at each start, and it is to be the same one.
      ...['--timestamp', `${bornSeconds}`],
      ...(hasBegun && blockSeconds !== undefined ? ['--block-time', `${blockSeconds}`] : []),
    ])
    port = Number(await server.printed(/Listening on 127\.0\.0\.1:(\d+)/))
    const rpc = rpcTo(url())
    await until(() => rpc('eth_blockNumber').catch(() => null), 'anvil')
    // And its clock with it.
    await rpc('evm_setTime', Date.now())
  }
  const stop = async () => server?.kill('SIGTERM')
  await start()
  const rpc = rpcTo(url())
  await begin(rpc, options)
  // A block in between would not hold the state that its header says.
  if (blockSeconds !== undefined) await rpc('evm_setIntervalMining', blockSeconds)
  hasBegun = true
  return {
    url: url(),
    rpc,
    chainId: options.chainId,
    get pid() {
      return server?.pid ?? -1
    },
    start,
    stop,
    async [Symbol.asyncDispose]() {
      await server?.kill('SIGKILL')
      await folder[Symbol.asyncDispose]()
    },
  }
}

/** It takes no genesis where it keeps its state: what stands in one is put there before the first block. */
async function begin(rpc: Rpc, options: FirstBlock): Promise<void> {
  for (const [address, { balance, code, storage = {} }] of Object.entries(firstAccounts(options))) {
    await rpc('anvil_setBalance', address, balance)
    if (code) await rpc('anvil_setCode', address, code)
    for (const [slot, value] of Object.entries(storage)) {
      await rpc('anvil_setStorageAt', address, slot, value)
    }
  }
  await rpc('anvil_mine', '0x1')
}
