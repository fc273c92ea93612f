/** What an outbox waits for after a step. */

export type Rest =
  | { readonly rest: 'none' }
  /** Nothing to do before there is a checkpoint of more than `size`. */
  | { readonly rest: 'idle'; readonly size: number }
  /** `again`: nobody answers. `poll`: it is being taken. `slow`: only a person changes it. */
  | { readonly rest: 'again' | 'poll' | 'slow'; readonly state: string; readonly why: string }
  /** Never asked again in this run: a fork, or another ledger. */
  | { readonly rest: 'end'; readonly state: OutboxEnd; readonly why: string }

/** `ahead`, `other` and `conflict`: another history of this gateway is there. */
export type OutboxEnd = 'conflict' | 'ahead' | 'other' | 'mismatch'

export const none: Rest = { rest: 'none' }
export const idle = (size: number): Rest => ({ rest: 'idle', size })
export const slow = (state: string, why: string): Rest => ({ rest: 'slow', state, why })
export const again = (state: string, why: string): Rest => ({ rest: 'again', state, why })

export const elsewhere = (state: 'ahead' | 'other', size: number): Rest => ({
  rest: 'end',
  state,
  why:
    state === 'ahead'
      ? `${size} batches of this gateway are anchored, which is more than its store has`
      : `other batches of this gateway are anchored, up to batch ${size - 1}`,
})
