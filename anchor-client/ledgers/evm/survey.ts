import { KedgeError } from '../../evidence/errors.ts'
import { RpcRefusal } from './rpc/failures.ts'
import type { RpcNode } from './rpc/node.ts'

/** One question to all nodes side by side, where one that is slow or silent must not hold up the others at each time. */
export interface Survey<T> {
  one(node: RpcNode, signal: AbortSignal): Promise<T>
  /** What each node says now; of one that was slow the last time, what it said then. */
  all(signal: AbortSignal): Promise<ReadonlyMap<RpcNode, Told<T>>>
}

export type Told<T> = { readonly value: T } | { readonly error: unknown }

/** Whoever takes longer is not waited for the next time, and heard the time after. */
const patienceMs = 2000

export function openSurvey<T>(
  nodes: readonly RpcNode[],
  question: (node: RpcNode, signal: AbortSignal) => Promise<T>,
): Survey<T> {
  const told = new Map<RpcNode, Told<T>>()
  const slow = new Set<RpcNode>()
  const pending = new Set<RpcNode>()
  /** A late answer outlives the question in whose course it was asked for; each node's own deadline ends it. */
  const unhurried = new AbortController().signal

  async function ask(node: RpcNode, signal: AbortSignal): Promise<Told<T>> {
    const startedMs = performance.now()
    const answer: Told<T> = await question(node, signal).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    )
    const isSilent = 'error' in answer && !hasSpoken(answer.error)
    if (isSilent || performance.now() - startedMs > patienceMs) slow.add(node)
    else slow.delete(node)
    // Whose question was given up has not failed.
    if (!signal.aborted) told.set(node, answer)
    return answer
  }

  async function askLate(node: RpcNode): Promise<void> {
    if (pending.has(node)) return
    pending.add(node)
    await ask(node, unhurried)
    pending.delete(node)
  }

  return {
    async one(node, signal) {
      const answer = await ask(node, signal)
      if ('error' in answer) throw answer.error
      return answer.value
    },
    async all(signal) {
      const [quick, late] = [false, true].map((isSlow) =>
        nodes.filter((node) => slow.has(node) === isSlow),
      ) as [RpcNode[], RpcNode[]]
      if (quick.length > 0) for (const node of late) void askLate(node)
      const answers = await Promise.all(quick.map((node) => ask(node, signal)))
      if (!answers.some((answer) => 'value' in answer)) {
        await Promise.all(late.map((node) => ask(node, signal)))
      }
      return told
    },
  }
}

const hasSpoken = (error: unknown): boolean =>
  error instanceof KedgeError || error instanceof RpcRefusal
