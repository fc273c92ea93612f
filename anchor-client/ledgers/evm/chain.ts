import { equalBytes } from '../../evidence/bytes.ts'
import { KedgeError } from '../../evidence/errors.ts'
import { type Block, readBlockAt } from './blocks.ts'
import { type Contract, hasCode, readContract } from './contract.ts'
import { type Blocks, finalUnder, rememberBlocks, type Signers } from './finality.ts'
import { newest, readGenesis, readSigners } from './introduction.ts'
import { lies, mismatch } from './lies.ts'
import { type EvmOptions, genesisIn } from './options.ts'
import { NoAnswer, RpcRefusal } from './rpc/failures.ts'
import type { RpcNode } from './rpc/node.ts'
import { count, hexOf } from './rpc/values.ts'

/** A chain as its nodes show it: each of them must be on this chain, and have our contract. */
export interface EvmChain {
  readonly nodes: readonly RpcNode[]
  readonly blocks: Blocks
  /** What one node shows just now; the others are asked where it is silent or behind. */
  view(signal: AbortSignal): Promise<View>
  /** The block of this number on the branch that the view shows. */
  blockAt(view: Pick<View, 'node' | 'head'>, number: number, signal: AbortSignal): Promise<Block>
  /** Null until a node has told. */
  known(): Known | null
  /** Asks again who the nodes are. */
  introduce(signal: AbortSignal): Promise<Known>
  /** Asks another node first from now on, where there is one. */
  turnAway(): void
  /** What a person should know: blocks that were final and are gone, nodes that are not used. */
  notes(): readonly string[]
}

export interface View {
  readonly node: RpcNode
  readonly head: Block
  /** The newest block that counts as final. */
  readonly final: Block
}

export interface Known extends Contract {
  readonly genesis: Uint8Array
  /** Of a chain that hashes its headers in a way of its own, nothing can be proved. */
  readonly isOwnHash: boolean
  readonly signers: Signers
}

/** What was seen in an earlier run. */
export interface Seen {
  readonly genesis: Uint8Array | null
  readonly final: { readonly number: number; readonly hash: Uint8Array } | null
}

/** Nodes pass a block on within moments: so far behind is not behind. */
const slackBlocks = 2

/** Below that it costs too much to follow every link. */
const mostLinked = 128

export function openChain(
  nodes: readonly RpcNode[],
  options: EvmOptions,
  contract: Uint8Array,
  seen: Seen,
): EvmChain {
  let known: Known | null = null
  let highest = seen.final?.number ?? 0
  let final = seen.final
  const introduced = new Set<RpcNode>()
  const strangers = new Map<RpcNode, string>()
  let preferred = nodes[0] as RpcNode
  let rewritten: string | null = null
  const blocks = rememberBlocks(() => known?.isOwnHash ?? false)

  async function ask<T>(node: RpcNode, question: () => Promise<T>): Promise<T> {
    try {
      return await question()
    } catch (error) {
      // Whoever comes back may be another one.
      if (error instanceof NoAnswer) introduced.delete(node)
      throw error
    }
  }

  async function introduceNode(node: RpcNode, signal: AbortSignal): Promise<Known> {
    if (known !== null && introduced.has(node)) return known
    const chainId = await node.ask({ method: 'eth_chainId', params: [], answer: count }, signal)
    if (chainId !== options.chainId) {
      throw mismatch(
        `the node ${node.name} is on chain ${chainId}, not on ${options.chainId}`,
        'Check urls and chainId of this ledger in the configuration.',
      )
    }
    const first = await readGenesis(node, options, signal)
    const expected = known?.genesis ?? genesisIn(options) ?? seen.genesis
    if (expected && !equalBytes(expected, first.block.hash)) {
      throw mismatch(
        `the node ${node.name} is on a chain that begins with ${hexOf(first.block.hash)}, not with ${hexOf(expected)}`,
        'Ask whoever runs the node. Another chain is another entry of the configuration.',
      )
    }
    const head = await newest(node, first.isOwnHash, signal)
    if (head.number < highest && head.number < (final?.number ?? 0)) {
      // It is still catching up, and may not have our contract so far.
      if (!(await hasCode(node, contract, signal))) {
        throw new NoAnswer(`${node.name} is only at block ${head.number}`)
      }
    }
    const found = await readContract(node, contract, signal)
    const signers =
      options.finality === 'clique'
        ? await readSigners(node, first.block, signal)
        : new Set<string>()
    known = { ...found, genesis: first.block.hash, isOwnHash: first.isOwnHash, signers }
    introduced.add(node)
    strangers.delete(node)
    return known
  }

  async function look(node: RpcNode, signal: AbortSignal): Promise<View> {
    return ask(node, async () => {
      const { isOwnHash, signers } = await introduceNode(node, signal)
      const head = blocks.remember(await newest(node, isOwnHash, signal))
      const under = await finalUnder(node, head, blocks, options, signers, signal)
      return { node, head, final: under }
    })
  }

  /** One node that is silent, or not the one that is meant, keeps nobody from asking the others. */
  const notedAs =
    (node: RpcNode, signal: AbortSignal) =>
    (error: unknown): void => {
      signal.throwIfAborted()
      if (error instanceof KedgeError) strangers.set(node, error.message)
      else if (!(error instanceof NoAnswer || error instanceof RpcRefusal)) throw error
    }

  async function choose(signal: AbortSignal): Promise<View> {
    const order = [preferred, ...nodes.filter((node) => node !== preferred)]
    const seenNow: View[] = []
    const failures: unknown[] = []
    for (const node of order) {
      try {
        const found = await look(node, signal)
        seenNow.push(found)
        if (found.head.number + slackBlocks >= highest) break
      } catch (error) {
        notedAs(node, signal)(error)
        failures.push(error)
      }
    }
    const best = seenNow.reduce<View | undefined>(
      (one, other) => (one && one.head.number >= other.head.number ? one : other),
      undefined,
    )
    if (best) return best
    // That a node is not the one that is meant is said before that another one is silent.
    throw failures.find((error) => error instanceof KedgeError) ?? failures[0]
  }

  /** What was final once is no less later: a node that was killed hard or set back tells nothing before it is as far again. */
  function notice({ node, final: now }: View): void {
    if (final && now.number < final.number) {
      throw new NoAnswer(
        `${node.name} shows final blocks up to ${now.number}, and ${final.number} was final before`,
      )
    }
    if (final && now.number === final.number && !equalBytes(now.hash, final.hash)) {
      rewritten = `block ${now.number} was final, and is another one now`
    }
    final = { number: now.number, hash: now.hash }
  }

  async function view(signal: AbortSignal): Promise<View> {
    const found = await choose(signal)
    preferred = found.node
    highest = Math.max(highest, found.head.number)
    notice(found)
    return found
  }

  return {
    nodes,
    blocks,
    view,
    async blockAt({ node, head }, number, signal) {
      if (number > head.number) throw lies(node.name, `shows block ${number} above its own head`)
      if (head.number - number > mostLinked) {
        return blocks.remember(await readBlockAt(node, number, known?.isOwnHash ?? false, signal))
      }
      const [first] = await blocks.under(node, head, number, signal)
      return first as Block
    },
    known: () => known,
    turnAway() {
      preferred = nodes[(nodes.indexOf(preferred) + 1) % nodes.length] as RpcNode
    },
    async introduce(signal) {
      introduced.clear()
      const { node: first } = await view(signal)
      const others = nodes.filter((node) => node !== first)
      await Promise.all(others.map((node) => look(node, signal).catch(notedAs(node, signal))))
      return known as Known
    },
    notes: () => [...strangers.values(), ...(rewritten === null ? [] : [rewritten])],
  }
}
