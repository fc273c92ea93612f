/** Reorganisations of a Clique chain: one node seals alone, the others outrun it, and its blocks are gone. */
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../helpers/gateway.ts'
import type { Clique } from './clique.ts'
import type { Geth } from './geth.ts'
import { heightOf, quantity, type Rpc } from './rpc.ts'

export interface Apart {
  /** The last block that both sides have. */
  readonly height: number
  /** Honest, it is one block where there are three signers, as nobody may seal twice running. */
  sealAlone(blocks: number): Promise<void>
  /** The others go on without it until theirs is the longer chain, and it takes that one for its own. */
  rejoin(): Promise<void>
}

export interface Head {
  readonly hash: string
  readonly number: string
  readonly totalDifficulty: string
}

export const headOf = (rpc: Rpc): Promise<Head> => rpc('eth_getBlockByNumber', 'latest', false)

/** Nobody seals, and `node` sees nobody, at a head that it may seal upon. */
export async function setApart(clique: Clique, node: Geth): Promise<Apart> {
  const others = clique.nodes.filter((one) => one !== node)
  const [other] = others as [Geth]
  await until(() => isMet(clique, node, others), 'a head to part at')
  for (const one of others) await clique.cut(node, one)
  const height = await heightOf(node.rpc)
  return {
    height,
    async sealAlone(blocks) {
      await seal([node])
      await until(async () => (await heightOf(node.rpc)) >= height + blocks, 'its own blocks')
      await rest([node])
    },
    async rejoin() {
      await seal(others)
      await until(async () => (await leadOf(other, node)) > 2, 'a longer chain')
      const left = await hashAt(node.rpc, height + 1)
      for (const one of others) await clique.link(one, node)
      await until(async () => (await hashAt(node.rpc, height + 1)) !== left, 'the reorganisation')
      if (clique.signers.length === 1) await rest(others)
      await seal([node])
    },
  }
}

/** Brings all to one head, at which nobody seals any more, and says whether it will do. */
async function isMet(clique: Clique, node: Geth, others: readonly Geth[]): Promise<boolean> {
  if (clique.signers.length === 1) {
    await rest([node])
    return stoodStill(clique.nodes)
  }
  const [other] = others as [Geth]
  const before = await heightOf(other.rpc)
  await seal(clique.nodes)
  await until(async () => (await heightOf(other.rpc)) > before + 1, 'blocks of them all')
  await rest([node])
  const enough = await heightOf(other.rpc)
  await until(async () => (await heightOf(other.rpc)) > enough, 'a block of the others')
  await rest(others)
  if (!(await stoodStill(clique.nodes))) return false
  const { hash, number } = await headOf(node.rpc)
  const isItsTurn = clique.signers[(Number(number) + 1) % clique.signers.length] === node.signer
  // Were it its turn, the others' blocks would weigh the same, and each might stay with its own.
  return !isItsTurn && (await node.rpc('clique_getSigner', hash)) !== node.signer
}

const seal = (nodes: readonly Geth[]) => Promise.all(nodes.map(({ rpc }) => rpc('miner_start')))
const rest = (nodes: readonly Geth[]) => Promise.all(nodes.map(({ rpc }) => rpc('miner_stop')))

async function leadOf(one: Geth, other: Geth): Promise<number> {
  const [ahead, behind] = await Promise.all([headOf(one.rpc), headOf(other.rpc)])
  return Number(ahead.totalDifficulty) - Number(behind.totalDifficulty)
}

/** True once all have one head for a while; false where they stay apart. */
async function stoodStill(nodes: readonly Geth[]): Promise<boolean> {
  const heads = async () => (await Promise.all(nodes.map(({ rpc }) => headOf(rpc)))).map(hashOf)
  let before = await heads()
  for (let i = 0; i < 4; i++) {
    // What was being sealed when its node was told to stop may still come.
    await sleep(1500)
    const now = await heads()
    if (new Set([...before, ...now]).size === 1) return true
    before = now
  }
  return false
}

const hashOf = ({ hash }: Head): string => hash

export async function hashAt(rpc: Rpc, height: number): Promise<string | null> {
  const block = await rpc<Head | null>('eth_getBlockByNumber', quantity(height), false)
  return block?.hash ?? null
}
