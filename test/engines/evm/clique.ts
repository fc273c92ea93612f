/** A consortium's chain: geth nodes that seal by turns, each on a socket of this machine. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { addressOf } from '../../helpers/evm.ts'
import { until } from '../../helpers/gateway.ts'
import { scratchFolder } from '../../helpers/scratch.ts'
import { type FirstBlock, genesisOf, hexOf } from './genesis.ts'
import { type Geth, type GethOptions, prepareGeth } from './geth.ts'
import { heightOf } from './rpc.ts'

export interface CliqueOptions extends Omit<FirstBlock, 'signers'> {
  /** One for each node. Where all have the same one only the first seals, as two of them would never agree. */
  readonly keys: readonly Uint8Array[]
  readonly keeps?: GethOptions['keeps']
}

export interface Clique extends AsyncDisposable {
  readonly chainId: number
  readonly nodes: readonly Geth[]
  readonly signers: readonly string[]
  /** The first calls the second. Who called before does not call again for some 35 s: let the other do it. */
  link(from: Geth, to: Geth): Promise<void>
  cut(one: Geth, other: Geth): Promise<void>
}

export const signerKey = (number: number): Uint8Array => new Uint8Array(32).fill(0x51 + number)

export const threeSigners = [signerKey(0), signerKey(1), signerKey(2)] as const

/** All of them linked, and sealing. */
export async function startClique(options: CliqueOptions): Promise<Clique> {
  const { keys, chainId, keeps } = options
  const { path, ...folder } = await scratchFolder()
  const signers = [...new Set(keys.map((key) => hexOf(addressOf(key))))].sort()
  const genesis = join(path, 'genesis.json')
  await writeFile(genesis, JSON.stringify(genesisOf({ ...options, signers })))
  const nodes = await Promise.all(
    keys.map((privateKey, i) => {
      const own = { folder: join(path, `node-${i}`), chainId, genesis, privateKey }
      return prepareGeth({ ...own, ...(keeps && { keeps }) })
    }),
  )
  const dispose = async () => {
    await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()))
    await folder[Symbol.asyncDispose]()
  }
  try {
    await Promise.all(nodes.map((node) => node.start()))
    for (const [i, node] of nodes.entries()) {
      for (const other of nodes.slice(i + 1)) await link(node, other)
    }
    const [first] = nodes as [Geth]
    // Only now, lest each begin a chain of its own.
    const sealing = signers.length > 1 ? nodes : [first]
    await Promise.all(sealing.map((node) => node.rpc('miner_start')))
    await until(async () => (await heightOf(first.rpc)) > 0, 'the first block')
  } catch (error) {
    await dispose()
    throw error
  }
  return { chainId, nodes, signers, link, cut, [Symbol.asyncDispose]: dispose }
}

async function link(from: Geth, to: Geth): Promise<void> {
  await from.rpc('admin_addPeer', await to.enode())
  await until(() => areLinked(from, to), 'the link')
}

async function cut(one: Geth, other: Geth): Promise<void> {
  const [a, b] = [await one.enode(), await other.enode()]
  // On one side alone it comes back by itself.
  await Promise.all([one.rpc('admin_removePeer', b), other.rpc('admin_removePeer', a)])
  await until(async () => !(await knows(one, b)) && !(await knows(other, a)), 'the cut')
}

const areLinked = async (one: Geth, other: Geth): Promise<boolean> =>
  (await knows(one, await other.enode())) && (await knows(other, await one.enode()))

/** Whom the other side called is listed with the port that the call came from. */
async function knows(node: Geth, enode: string): Promise<boolean> {
  const peers = await node.rpc<readonly { enode: string }[]>('admin_peers')
  return peers.some((peer) => publicKeyOf(peer.enode) === publicKeyOf(enode))
}

const publicKeyOf = (enode: string): string => enode.replace(/@.*/, '')
