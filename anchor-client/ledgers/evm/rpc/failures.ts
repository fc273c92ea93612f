/** How a question to a node ends without an answer. Both are caught before they leave a ledger's session. */

/** Nobody answered in a form that says anything: an outage, a portal page, a node that is starting. */
export class NoAnswer extends Error {
  override readonly name: string = 'NoAnswer'
}

/** There is an answer, and more of it than is read here: less is to be asked for at once. */
export class TooLong extends NoAnswer {
  override readonly name = 'TooLong'
}

/** The node itself said no. `reverted` is what the contract gave as its reason, where it was the contract. */
export class RpcRefusal extends Error {
  override readonly name = 'RpcRefusal'
  readonly code: number
  readonly reverted: Uint8Array | null

  constructor(code: number, message: string, reverted: Uint8Array | null) {
    super(message)
    this.code = code
    this.reverted = reverted
  }
}

/** Whether the node does not offer this method at all. */
export const isMissingMethod = (error: unknown): boolean =>
  error instanceof RpcRefusal &&
  (error.code === methodNotFound ||
    error.code === methodNotEnabled ||
    /method .*(?:not found|does not exist|not available|not supported|not enabled)/i.test(
      error.message,
    ))

const methodNotFound = -32601
/** Besu's, for a method of an API that is not switched on. */
const methodNotEnabled = -32604

/** Nobody answered, or not to this question. */
export const isOutage = (error: unknown): error is NoAnswer | RpcRefusal =>
  error instanceof NoAnswer || error instanceof RpcRefusal
