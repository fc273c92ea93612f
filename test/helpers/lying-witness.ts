import { join } from 'node:path'
import { keyId } from '../../anchor-client/evidence/sm2.ts'
import { openKeeper } from '../../anchor-client/ledgers/witness/keeper.ts'
import { openHttpServer } from '../../gateway/witness/http-server.ts'
import { usualLimits } from '../../gateway/witness/limits.ts'
import type { Witness } from '../../gateway/witness/open-witness.ts'
import { type Question, type Reply, replyTo } from '../../gateway/witness/replies.ts'
import { host } from './embedded.ts'
import type { Signer } from './signer.ts'

/** Says instead of the true reply what a liar says; undefined for what it leaves as it is. */
export type Lie = (question: Question, truth: () => Promise<Reply>) => Promise<Reply> | undefined

/** A book with a witness's rules and key before it, to be served or not. */
export async function bookWith(folder: string, name: string, key?: Signer): Promise<Witness> {
  const owner = host({ isFirstUse: true, ...key })
  const keeper = await openKeeper(join(folder, name), owner)
  return {
    publicKey: owner.publicKey,
    ledgerId: keyId(owner.publicKey),
    sign: (message) => owner.sign(message) as Uint8Array,
    keeper: async () => keeper,
    [Symbol.asyncDispose]: () => keeper[Symbol.asyncDispose](),
  }
}

/** Serves whichever witness it is told to, behind one address. */
export async function serveLies(first: Witness) {
  let told = { witness: first, lie: undefined as Lie | undefined }
  const limits = { ...usualLimits, peer: { perSecond: 1e6, burst: 1e6 } }
  const listen = { host: '127.0.0.1', port: 0, isLoopback: true }
  const reply = (question: Question) => {
    const truth = () => replyTo(told.witness, question)
    return told.lie?.(question, truth) ?? truth()
  }
  const server = await openHttpServer(listen, undefined, limits, reply, () => undefined)
  return {
    url: server.url,
    tell(witness: Witness, lie?: Lie): void {
      told = { witness, lie }
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}
