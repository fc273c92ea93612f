import { equalBytes } from '../../evidence/bytes.ts'
import type { KedgeError } from '../../evidence/errors.ts'
import type { Block } from './blocks.ts'
import type { Signers } from './finality.ts'
import { type Known, readSigners } from './introduction.ts'
import { lies, otherFirstBlock } from './lies.ts'
import type { EvmOptions } from './options.ts'
import { RpcRefusal } from './rpc/failures.ts'
import type { RpcNode } from './rpc/node.ts'
import { hexOf } from './rpc/values.ts'

/** Where two nodes of one chain cannot both be right. */

/** A node's newest header, and what it says of its chain. */
export interface Shown {
  readonly node: RpcNode
  readonly known: Known
  readonly head: Block
}

/** Why a node cannot be right where another one is, or null. */
export async function contradiction(
  believed: Shown,
  other: Shown,
  options: EvmOptions,
  signal: AbortSignal,
): Promise<KedgeError | null> {
  const [known, name] = [other.known, other.node.name]
  const [expected, by] = [believed.known, believed.node.name]
  if (!equalBytes(known.genesis, expected.genesis)) {
    return otherFirstBlock(name, hexOf(known.genesis), hexOf(expected.genesis))
  }
  if (known.isOwnHash !== expected.isOwnHash) {
    return lies(name, `shows another header for block 0 than ${by}, with the same hash`)
  }
  if (!equalBytes(known.registrar, expected.registrar)) {
    const [theirs, ours] = [hexOf(known.registrar), hexOf(expected.registrar)]
    return lies(name, `says that the registrar is ${theirs}, and ${by} says ${ours}`)
  }
  if (known.hashIds.join() !== expected.hashIds.join()) {
    return lies(name, `says another thing than ${by} of the hash that the contract computes`)
  }
  if (!haveVoted(believed, other)) return null
  const number = Math.max(
    0,
    Math.min(believed.head.number, other.head.number) - options.confirmations,
  )
  const [ours, theirs] = await Promise.all(
    [believed, other].map(({ node }) => signersAt(node, number, signal)),
  )
  if (ours && theirs && isSame(ours, theirs)) return null
  return lies(
    name,
    `says that ${listOf(known.signers)} seal, and ${by} says ${listOf(expected.signers)}`,
  )
}

/** Whether they name other signers, each at its own newest block: a vote may lie between the two. */
export const haveVoted = (one: Shown, other: Shown): boolean =>
  one.known.areSignersOfNow &&
  other.known.areSignersOfNow &&
  !isSame(one.known.signers, other.known.signers)

const isSame = (one: Signers, other: Signers): boolean => listOf(one) === listOf(other)

const listOf = (signers: Signers): string => [...signers].toSorted().join(', ')

const signersAt = (node: RpcNode, number: number, signal: AbortSignal) =>
  readSigners(node, number, signal).catch((error: unknown) => {
    if (error instanceof RpcRefusal) return null
    throw error
  })
