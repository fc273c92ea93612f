import { KedgeError } from '../../evidence/errors.ts'

/** What a node says and cannot be: nobody who asks again would hear the truth from it. */
export const lies = (node: string, what: string): KedgeError =>
  new KedgeError('LEDGER_LIES', `the node ${node} ${what}`, {
    hint: 'Nothing is lost: what waits stays here. Ask whoever runs the node, and try another one.',
  })

/** Another chain, another contract: not the ledger that is meant. */
export const mismatch = (what: string, hint: string): KedgeError =>
  new KedgeError('LEDGER_MISMATCH', what, { hint })
