import { equalBytes } from '../../evidence/bytes.ts'
import { type Block, readBlockAt } from './blocks.ts'
import { type Choice, chooseView, isBehind } from './choosing.ts'
import type { Shown } from './contradictions.ts'
import { type Blocks, finalUnder, rememberBlocks } from './finality.ts'
import { introduced, type Known, newest } from './introduction.ts'
import { liarIn, lies } from './lies.ts'
import { type EvmOptions, genesisIn } from './options.ts'
import { NoAnswer } from './rpc/failures.ts'
import type { RpcNode } from './rpc/node.ts'
import { openSurvey } from './survey.ts'

/** A chain as its nodes show it: each of them must be on this chain, and have our contract. */
export interface EvmChain {
  readonly nodes: readonly RpcNode[]
  readonly blocks: Blocks
  /** What one node shows just now; another one where that is silent, behind the others or contradicts them. */
  view(signal: AbortSignal): Promise<View>
  /** The block of this number on the branch that the view shows. */
  blockAt(view: Pick<View, 'node' | 'head'>, number: number, signal: AbortSignal): Promise<Block>
  /** What the node that was read last says of its chain; null until a node has told. */
  known(): Known | null
  /** Asks again who the nodes are. */
  introduce(signal: AbortSignal): Promise<Known>
  /** Reads from others for a while, where this error says that a node lied and there are others. */
  turnAway(error: unknown): void
  /** What a person should know: blocks that were final and are gone, nodes that are not used. */
  notes(): readonly string[]
}

export interface View extends Shown {
  /** The newest block that counts as final. */
  readonly final: Block
}

/** What was seen in an earlier run. */
export interface Seen {
  readonly genesis: Uint8Array | null
  readonly final: Final | null
}

type Final = Pick<Block, 'number' | 'hash'>

/** Below that it costs too much to follow every link. */
const mostLinked = 128

/** How often the nodes are held against each other, while the one that is read from goes on. */
const surveyMs = 3000

/** One that lied is read again after that: it may have been mended, and the others may have gone. */
const distrustMs = 60_000

export function openChain(
  nodes: readonly RpcNode[],
  options: EvmOptions,
  contract: Uint8Array,
  seen: Seen,
): EvmChain {
  const facts = new Map<RpcNode, Known>()
  const isIntroduced = new Set<RpcNode>()
  /** The last views of each node that were taken for true. */
  const reached = new Map<RpcNode, View>()
  const distrusted = new Map<RpcNode, { readonly why: string; readonly untilMs: number }>()
  const doubts = new Map<RpcNode, number>()
  const left: Choice['left'] = new Map()
  let current: Known | null = null
  let preferred = nodes[0] as RpcNode
  let troubles: ReadonlyMap<RpcNode, string> = new Map()
  let rewritten: string | null = null
  let surveyedAtMs = Number.NEGATIVE_INFINITY
  const blocks = rememberBlocks((node) => facts.get(node)?.isOwnHash ?? false)
  const survey = openSurvey(nodes, show)

  function highestFinal(): Final | null {
    const finals = [seen.final, ...[...reached.values()].map(({ final }) => final)]
    return finals.reduce((one, other) =>
      (other?.number ?? -1) > (one?.number ?? -1) ? other : one,
    )
  }

  const highest = (): number =>
    Math.max(seen.final?.number ?? 0, ...[...reached.values()].map(({ head }) => head.number))

  async function asked<T>(node: RpcNode, question: () => Promise<T>): Promise<T> {
    try {
      return await question()
    } catch (error) {
      // Whoever comes back may be another one.
      if (error instanceof NoAnswer) isIntroduced.delete(node)
      throw error
    }
  }

  async function show(node: RpcNode, signal: AbortSignal): Promise<Shown> {
    return asked(node, async () => {
      let known = isIntroduced.has(node) ? facts.get(node) : undefined
      if (known === undefined) {
        const genesis = current?.genesis ?? genesisIn(options) ?? seen.genesis
        const finalNumber = highestFinal()?.number ?? 0
        known = await introduced(node, { options, contract, genesis, finalNumber }, signal)
        facts.set(node, known)
        isIntroduced.add(node)
      }
      return { node, known, head: await newest(node, known.isOwnHash, signal) }
    })
  }

  async function look(shown: Shown, signal: AbortSignal): Promise<View> {
    const { node, known } = shown
    return asked(node, async () => {
      const head = blocks.remember(shown.head)
      const final = await finalUnder(node, head, blocks, options, known.signers, signal)
      return { ...shown, head, final }
    })
  }

  /** The node that was read last, while nothing speaks for another one. */
  async function again(signal: AbortSignal): Promise<View | null> {
    if (nodes.length === 1 || performance.now() - surveyedAtMs > surveyMs) return null
    try {
      const shown = await survey.one(preferred, signal)
      return isBehind(shown.head, highest()) ? null : await look(shown, signal)
    } catch {
      // What is amiss is seen once more beside the others, and told then.
      signal.throwIfAborted()
      return null
    }
  }

  async function choose(signal: AbortSignal): Promise<View> {
    const told = await survey.all(signal)
    signal.throwIfAborted()
    surveyedAtMs = performance.now()
    for (const [node, { untilMs }] of distrusted) {
      if (untilMs < surveyedAtMs) distrusted.delete(node)
    }
    const order = [preferred, ...nodes.filter((node) => node !== preferred)]
    const remembered = { order, distrusted, doubts, left, troubles }
    const choice = { ...remembered, told, options, contract, look, blockAt }
    const chosen = await chooseView(choice, signal)
    troubles = chosen.troubles
    for (const node of chosen.voted) isIntroduced.delete(node)
    if ('error' in chosen) throw chosen.error
    return chosen.view
  }

  /** What was final once is no less later: a node that was killed hard or set back tells nothing before it is as far again. */
  function notice({ node, final: now }: View): void {
    const before = highestFinal()
    if (before && now.number < before.number) {
      throw new NoAnswer(
        `${node.name} shows final blocks up to ${now.number}, and ${before.number} was final before`,
      )
    }
    if (before && now.number === before.number && !equalBytes(now.hash, before.hash)) {
      rewritten = `block ${now.number} was final, and is another one now`
    }
  }

  async function view(signal: AbortSignal): Promise<View> {
    const found = (await again(signal)) ?? (await choose(signal))
    preferred = found.node
    current = found.known
    notice(found)
    reached.set(found.node, found)
    return found
  }

  async function blockAt(
    { node, head }: Pick<View, 'node' | 'head'>,
    number: number,
    signal: AbortSignal,
  ): Promise<Block> {
    if (number > head.number) throw lies(node.name, `shows block ${number} above its own head`)
    if (head.number - number > mostLinked) {
      const isOwnHash = facts.get(node)?.isOwnHash ?? false
      return blocks.remember(await readBlockAt(node, number, isOwnHash, signal))
    }
    const [first] = await blocks.under(node, head, number, signal)
    return first as Block
  }

  return {
    nodes,
    blocks,
    view,
    blockAt,
    known: () => current ?? nodes.flatMap((node) => facts.get(node) ?? [])[0] ?? null,
    turnAway(error) {
      const name = liarIn(error)
      if (name === undefined || nodes.length === 1) return
      const untilMs = performance.now() + distrustMs
      for (const node of nodes.filter((node) => node.name === name)) {
        distrusted.set(node, { why: (error as Error).message, untilMs })
        // Whatever it said of how far the chain is must not shut out the others.
        reached.delete(node)
      }
      preferred = nodes.find((node) => !distrusted.has(node)) ?? preferred
      surveyedAtMs = Number.NEGATIVE_INFINITY
    },
    async introduce(signal) {
      isIntroduced.clear()
      surveyedAtMs = Number.NEGATIVE_INFINITY
      return (await view(signal)).known
    },
    notes: () => [...troubles.values(), ...(rewritten === null ? [] : [rewritten])],
  }
}
