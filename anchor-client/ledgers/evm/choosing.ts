import { word } from '../../contracts/abi.ts'
import { equalBytes } from '../../evidence/bytes.ts'
import { KedgeError } from '../../evidence/errors.ts'
import type { Block } from './blocks.ts'
import type { View } from './chain.ts'
import { contradiction, haveVoted, type Shown } from './contradictions.ts'
import { lies } from './lies.ts'
import type { EvmOptions } from './options.ts'
import { isOutage, NoAnswer } from './rpc/failures.ts'
import type { RpcNode } from './rpc/node.ts'
import { readSlots } from './storage.ts'
import type { Told } from './survey.ts'

/** Which of several nodes is read from: the one that was read before, unless another one shows a newer block and what lies under it. */
export interface Choice {
  readonly told: ReadonlyMap<RpcNode, Told<Shown>>
  /** Whoever is asked first. */
  readonly order: readonly RpcNode[]
  /** Found lying a moment ago: read only where there is nobody else. */
  readonly distrusted: ReadonlyMap<RpcNode, { readonly why: string }>
  /** How often a node showed a newer block and nothing under it. */
  readonly doubts: Map<RpcNode, number>
  /** Since when a node has stood at this block while another one showed a newer one. */
  readonly left: Map<RpcNode, Left>
  /** What was told of each before. */
  readonly troubles: ReadonlyMap<RpcNode, string>
  readonly options: EvmOptions
  readonly contract: Uint8Array
  look(shown: Shown, signal: AbortSignal): Promise<View>
  blockAt(view: View, number: number, signal: AbortSignal): Promise<Block>
}

interface Left {
  readonly number: number
  readonly sinceMs: number
}

type Chosen = ({ readonly view: View } | { readonly error: unknown }) & {
  readonly troubles: ReadonlyMap<RpcNode, string>
  /** Their lists of signers are of different blocks: to be asked for again. */
  readonly voted: readonly RpcNode[]
}

/** Nodes pass a block on within moments: so far behind is not behind. */
const slackBlocks = 2

/** And so long: where blocks are made for transactions alone, one block may be the whole difference. */
const graceMs = 5000

/** An outage in the wrong moment is no lie; a node that never shows what it speaks of must not stop the others. */
const mostDoubts = 3

export const isBehind = ({ number }: Block, best: number, slack = slackBlocks): boolean =>
  number + slack < best

export async function chooseView(choice: Choice, signal: AbortSignal): Promise<Chosen> {
  const { told, order, distrusted, troubles: before, options } = choice
  const troubles = new Map<RpcNode, string>()
  const voted: RpcNode[] = []
  const failures: unknown[] = []
  let view: View | undefined
  let doubt: Doubt | undefined

  /** One node that is silent, or not the one that is meant, keeps nobody from asking the others. */
  function failed(node: RpcNode, error: unknown): void {
    signal.throwIfAborted()
    if (!(error instanceof KedgeError || isOutage(error))) throw error
    const trouble = error instanceof KedgeError ? error.message : before.get(node)
    if (trouble !== undefined) troubles.set(node, trouble)
    failures.push(error)
  }

  const shown: Shown[] = []
  for (const node of order) {
    const answer = told.get(node)
    if (answer && 'value' in answer) shown.push(answer.value)
    else if (answer) failed(node, answer.error)
  }
  const slackOf = slackIn(choice.left, shown)
  // Where two hash block 0 in different ways, the one whose header gives the hash is right.
  const weight = ({ node, known }: Shown) =>
    Number(distrusted.has(node)) * 2 + Number(known.isOwnHash)
  for (const one of shown.toSorted((a, b) => weight(a) - weight(b))) {
    const { node, head } = one
    try {
      if (view === undefined) {
        view = await choice.look(one, signal)
        continue
      }
      const contradicts = await contradiction(view, one, options, signal)
      if (contradicts) throw contradicts
      if (haveVoted(view, one)) voted.push(view.node, node)
      if (distrusted.has(node) || !isBehind(view.head, head.number, slackOf(view.node))) continue
      view = await overtaking(choice, view, one, signal)
      choice.doubts.delete(node)
    } catch (error) {
      if (error instanceof Doubt) doubt = error
      failed(node, error)
    }
  }
  for (const [node, { why }] of distrusted) troubles.set(node, why)
  if (view === undefined) {
    // That a node is not the one that is meant is said before that another one is silent.
    const error = failures.find((error) => error instanceof KedgeError) ?? failures[0]
    return { error, troubles, voted }
  }
  for (const { node, head } of shown) {
    if (troubles.has(node) || !isBehind(head, view.head.number, slackOf(node))) continue
    const [at, best] = [head.number, view.head.number]
    troubles.set(
      node,
      `the node ${node.name} is only at block ${at}, and ${view.node.name} at ${best}`,
    )
  }
  if (doubt && isBehind(view.head, doubt.number)) return { error: doubt, troubles, voted }
  return { view, troubles, voted }
}

/** How far behind each may be: not at all, where it has stood still for so long. */
function slackIn(left: Map<RpcNode, Left>, shown: readonly Shown[]): (node: RpcNode) => number {
  const nowMs = performance.now()
  for (const { node, head } of shown) {
    const isLast = !shown.some((other) => other.head.number > head.number)
    if (isLast) left.delete(node)
    else if (left.get(node)?.number !== head.number) {
      left.set(node, { number: head.number, sinceMs: nowMs })
    }
  }
  return (node) => (nowMs - (left.get(node)?.sinceMs ?? nowMs) < graceMs ? slackBlocks : 0)
}

/** That there may be newer blocks than those that can be read. */
class Doubt extends NoAnswer {
  readonly number: number
  constructor(message: string, number: number) {
    super(message)
    this.number = number
  }
}

/** A number alone is no height: whoever is followed has what was final before, and the contract's state at its head. */
async function overtaking(
  { look, blockAt, contract, doubts }: Choice,
  view: View,
  shown: Shown,
  signal: AbortSignal,
): Promise<View> {
  const { node, head, known } = shown
  try {
    const next = await look(shown, signal)
    const { number, hash } = view.final
    const same = await blockAt(next, number, signal)
    if (!equalBytes(same.hash, hash)) {
      throw lies(node.name, `shows another block ${number} than ${view.node.name}`)
    }
    const [held = new Uint8Array()] = await readSlots(
      { node, contract, block: head },
      [registrarSlot],
      signal,
    )
    if (!equalBytes(held.subarray(12), known.registrar)) {
      throw lies(node.name, `shows another registrar in block ${head.number} than it says`)
    }
    return next
  } catch (error) {
    if (!isOutage(error)) throw error
    const why = `shows block ${head.number}, and not what is under it: ${error.message}`
    const times = (doubts.get(node) ?? 0) + 1
    doubts.set(node, times)
    throw times < mostDoubts ? new Doubt(`${node.name} ${why}`, head.number) : lies(node.name, why)
  }
}

/** As anchor-client/contracts/README.md says. */
const registrarSlot = word(3n)
