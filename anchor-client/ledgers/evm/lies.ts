import { KedgeError } from '../../evidence/errors.ts'

/** What a node says and cannot be: nobody who asks again would hear the truth from it. */
class NodeLies extends KedgeError {
  readonly node: string
  constructor(node: string, what: string) {
    super('LEDGER_LIES', `the node ${node} ${what}`, {
      hint: 'Nothing is lost: what waits stays here. Ask whoever runs the node, and try another one.',
    })
    this.node = node
  }
}

export const lies = (node: string, what: string): KedgeError => new NodeLies(node, what)

/** The name of the node that was found to lie, or undefined where it is another error. */
export const liarIn = (error: unknown): string | undefined =>
  error instanceof NodeLies ? error.node : undefined

/** Another chain, another contract: not the ledger that is meant. */
export const mismatch = (what: string, hint: string): KedgeError =>
  new KedgeError('LEDGER_MISMATCH', what, { hint })

export const otherFirstBlock = (node: string, found: string, expected: string): KedgeError =>
  mismatch(
    `the node ${node} is on a chain that begins with ${found}, not with ${expected}`,
    'Ask whoever runs the node. Another chain is another entry of the configuration.',
  )
