import { decodeError } from '../../contracts/abi.ts'
import { readArtefact } from '../../contracts/artefact.ts'
import type { Outcome, Refusal } from '../ledger.ts'
import type { RpcRefusal } from './rpc/failures.ts'
import { hexOf } from './rpc/values.ts'

/** What nodes and the contract say instead of yes, as outcomes. */

const { abi } = readArtefact()

/** Whether a call that was only tried has failed in the EVM; a node may refuse to try it for reasons of its own. */
export const isRevert = ({ reverted, message }: RpcRefusal): boolean =>
  reverted !== null || /revert|out of gas|opcode|gas limit|intrinsic gas/i.test(message)

/** What the contract said to a call that was only tried. */
export function outcomeOfRevert({ reverted, message }: RpcRefusal): Outcome {
  if (reverted === null || reverted.length < 4) {
    const why = `the contract cannot take it: ${message} (is gasLimit enough?)`
    return { state: 'refused', reason: 'not-permitted', why }
  }
  const name = nameOf(reverted)
  const reason = reasons[name]
  if (reason !== undefined) return { state: 'refused', reason, why: words[name] ?? name }
  if (name === 'Lapsed' || name === 'RotationLapsed') {
    return { state: 'lapsed', why: 'another request came between' }
  }
  // What lies against it is not final: it may go away again.
  return { state: 'unknown', why: `${name}, in a block that is not final` }
}

function nameOf(reverted: Uint8Array): string {
  try {
    return decodeError(abi, reverted).name
  } catch {
    return hexOf(reverted.subarray(0, 4))
  }
}

const reasons: Readonly<Record<string, Refusal>> = {
  Unregistered: 'unregistered',
  IncarnationUnknown: 'incarnation-unknown',
  IncarnationClosed: 'incarnation-closed',
  IncarnationRevoked: 'incarnation-closed',
  IncarnationPassed: 'incarnation-closed',
  IncarnationFrozen: 'frozen',
  HashNotComputed: 'other-hash',
  AdmittedOtherwise: 'other-key',
  KeyInUse: 'other-key',
  NotAKey: 'other-key',
  NoExtension: 'no-extension',
  NotASize: 'malformed',
  NotAFork: 'malformed',
  NotTheAccount: 'not-permitted',
  NotTheRegistrar: 'not-permitted',
  NotAnAccount: 'not-permitted',
  RotationNotOffered: 'not-permitted',
}

const words: Readonly<Record<string, string>> = {
  IncarnationRevoked: 'the registrar has revoked this incarnation',
  IncarnationPassed: 'a later incarnation is there',
  AdmittedOtherwise: 'it is admitted with another key, hash or account',
  HashNotComputed: 'the chain does not compute this hash',
  NotTheAccount: 'another account is registered for this gateway',
  NotTheRegistrar: 'this account is not the registrar of the contract',
  RotationNotOffered: 'the key was not offered to this account',
}

/** What a node said to signed bytes. */
export type Reply =
  | { readonly reply: 'taken' }
  /** Its number is used up, or kept by other bytes: the state will say by what. */
  | { readonly reply: 'superseded'; readonly why: string }
  | { readonly reply: 'refused'; readonly why: string }
  | { readonly reply: 'unknown'; readonly why: string }

/** Each engine has its own words; those of geth, anvil, Besu and Nethermind. */
export function replyOf(name: string, { message }: RpcRefusal): Reply {
  if (/already known|already imported|known transaction|alreadyknown|already exists/i.test(message))
    return { reply: 'taken' }
  const why = `${name} says: ${message}`
  if (/nonce.{0,8}too low|nonce_too_low|oldnonce|nonce.{0,20}below/i.test(message)) {
    return { reply: 'superseded', why: `${why} (its number is used)` }
  }
  if (/replacement|replace/i.test(message)) {
    return { reply: 'superseded', why: `${why} (another transaction of this account waits)` }
  }
  if (/insufficient (?:funds|balance)|insufficientfunds|upfront.?cost/i.test(message)) {
    return { reply: 'refused', why: `the account cannot pay for it: ${why}` }
  }
  if (/base ?fee|basefee|maxfeepergas|max fee per gas/i.test(message)) {
    return { reply: 'refused', why: `it pays less than the base fee: ${why}` }
  }
  if (/underpriced|gas.?price|feetoolow|fee too low|min(?:imum)? .{0,12}fee|tip/i.test(message)) {
    return { reply: 'refused', why: `it pays too little for this node: ${why}` }
  }
  if (/gas limit|intrinsic gas|exceeds block gas/i.test(message)) {
    return { reply: 'refused', why: `gasLimit does not fit: ${why}` }
  }
  if (/chain ?id|invalid sender|not authorized|not permitted|permission/i.test(message)) {
    return { reply: 'refused', why }
  }
  return { reply: 'unknown', why }
}
