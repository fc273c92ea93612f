import type { AnchorEvent } from './anchoring/outbox.ts'

/** What the gateway tells while it runs: a line each. */
export type GatewayEvent =
  | {
      readonly event: 'started'
      readonly gateway: string
      readonly data: string
      readonly mqtt: string | null
      readonly http: string | null
      readonly pid: number
    }
  | {
      readonly event: 'batch'
      readonly seq: number
      readonly count: number
      readonly root: string
      readonly streams: number
      /** From the batch's first commit to its signature. */
      readonly lagMs: number
      /** False while the ledgers have not said what they hold. */
      readonly signed: boolean
    }
  | {
      readonly event: 'anchored'
      readonly ledger: string
      readonly seq: number
      readonly block: number
      readonly hash: string
    }
  | { readonly event: 'gap'; readonly stream: string; readonly cause: string }
  | {
      readonly event: 'alarm'
      readonly matter: string
      readonly why: string
      readonly over: boolean
    }
  | { readonly event: 'refused'; readonly source: string; readonly reason: string }
  | { readonly event: 'warning'; readonly message: string }
  | { readonly event: 'stopped' }

/** As others script against it: a batch is called by its number, which is one below the size that was anchored. */
export function anchoredEvent(event: AnchorEvent): GatewayEvent | null {
  if (event.event !== 'anchored') return null
  const { ledger, size, height, hash } = event
  return { event: 'anchored', ledger, seq: size - 1, block: height, hash }
}
