import { bytesToHex, equalBytes } from '../../evidence/bytes.ts'
import { readChain, sealerOf } from '../../evidence/proofs/evm-headers.ts'
import { type Block, readBlockAt } from './blocks.ts'
import type { EvmOptions } from './options.ts'
import { NoAnswer } from './rpc/failures.ts'
import type { RpcNode } from './rpc/node.ts'
import { hexOf } from './rpc/values.ts'

/** Blocks by their links: from a block down to one that it builds on. */
export interface Blocks {
  remember(block: Block): Block
  /** All blocks from `number` to `head`, ascending, each the parent of the next. */
  under(node: RpcNode, head: Block, number: number, signal: AbortSignal): Promise<readonly Block[]>
}

const mostRemembered = 1024

/** @param isOwnHash see `readBlock` */
export function rememberBlocks(isOwnHash: (node: RpcNode) => boolean): Blocks {
  const known = new Map<string, Block>()
  const remember = (block: Block): Block => {
    const name = bytesToHex(block.hash)
    const before = known.get(name)
    if (before) return before
    const oldest = known.size < mostRemembered ? undefined : known.keys().next().value
    if (oldest !== undefined) known.delete(oldest)
    known.set(name, block)
    return block
  }
  return {
    remember,
    async under(node, head, number, signal) {
      const blocks = [head]
      for (let child = head; child.number > number; ) {
        const parent =
          known.get(bytesToHex(child.parentHash)) ??
          remember(await readBlockAt(node, child.number - 1, isOwnHash(node), signal))
        if (!equalBytes(parent.hash, child.parentHash)) {
          throw new NoAnswer(`${node.name} changed over to another branch at block ${child.number}`)
        }
        blocks.unshift(parent)
        child = parent
      }
      return blocks
    },
  }
}

/** Who may seal, in hex: only where `finality` is clique. */
export type Signers = ReadonlySet<string>

export const finalityWords = ({ finality, confirmations }: EvmOptions): string =>
  ({
    instant: 'a block is final once it is there',
    depth: `a block is final under ${confirmations} others`,
    clique: `a block is final under ${confirmations} others, with more than half of the signers among those that sealed them`,
  })[finality]

/** The newest block that counts as final under this head; block 0 where none does. */
export async function finalUnder(
  node: RpcNode,
  head: Block,
  blocks: Blocks,
  { finality, confirmations }: EvmOptions,
  signers: Signers,
  signal: AbortSignal,
): Promise<Block> {
  if (finality === 'instant') return head
  const deep = Math.max(0, head.number - confirmations)
  const [final = head, ...over] = await blocks.under(node, head, deep, signal)
  if (finality === 'depth') return final
  const sealers = new Set(over.flatMap((block) => sealerIn(signers, block) ?? []))
  const needed = Math.floor(signers.size / 2) + 1
  const lowest = final.number - mostUnsealed(signers)
  for (let block = final; ; ) {
    sealers.add(sealerIn(signers, block) ?? '')
    sealers.delete('')
    if (sealers.size >= needed || block.number === 0) return block
    if (block.number <= lowest) {
      throw new NoAnswer(
        `${node.name} shows no more than half of the ${signers.size} signers that it names in blocks ${block.number} to ${head.number}: where those of block 0 do not seal any more, switch on the clique API of the node, or name a node that has it`,
      )
    }
    const [parent] = await blocks.under(node, block, block.number - 1, signal)
    block = parent as Block
  }
}

/** A signer seals again within as many blocks as there are signers; whoever has not by then does not seal any more. */
const mostUnsealed = ({ size }: Signers): number => 2 * size + 16

/** As many as a trust file may ask for. */
export const pinnedConfirmations = (confirmations: number): number => Math.min(confirmations, 64)

/** The block and those over it that a verifier needs to believe that it stays: no more than it takes. */
export function confirming(
  blocks: readonly Block[],
  { finality, confirmations }: EvmOptions,
  signers: Signers,
): readonly Block[] | null {
  // Without seals a verifier believes one block alone: the one that trust pins.
  if (finality !== 'clique') return blocks.slice(0, 1)
  const needed = Math.floor(signers.size / 2) + 1
  const sealers = new Set<string>()
  for (const [i, block] of blocks.entries()) {
    const sealer = sealerIn(signers, block)
    if (sealer === null) continue
    sealers.add(sealer)
    if (sealers.size < needed) continue
    const enough = Math.max(i, pinnedConfirmations(confirmations)) + 1
    return blocks.length < enough ? null : blocks.slice(0, enough)
  }
  return null
}

const sealed = new WeakMap<Block, string | null>()

function sealerIn(signers: Signers, block: Block): string | null {
  if (block.raw === null || block.number === 0) return null
  let sealer = sealed.get(block)
  if (sealer === undefined) {
    const [header] = readChain([block.raw])
    sealer = header ? sealerOf(header) : null
    sealed.set(block, sealer)
  }
  return sealer !== null && signers.has(sealer) ? sealer : null
}

/** The addresses in the extra data of a block that lists its signers: of block 0, and of each epoch. */
export function signersIn({ extraData, hash }: Block): Signers {
  const list = extraData.subarray(32, extraData.length - 65)
  if (extraData.length < 97 || list.length === 0 || list.length % 20 !== 0) {
    throw new NoAnswer(`block ${hexOf(hash)} lists no signers: is this a Clique chain?`)
  }
  const at = (i: number) => bytesToHex(list.subarray(20 * i, 20 * i + 20))
  return new Set(Array.from({ length: list.length / 20 }, (_, i) => at(i)))
}
