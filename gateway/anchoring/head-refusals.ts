/** Why nothing may be signed, in the words of whoever stands before the box. */
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { HeadComparison } from './heads.ts'

/** Null where this ledger is no reason to wait. */
export function refusalOf(comparison: HeadComparison): KedgeError | null {
  const { ledger } = comparison
  switch (comparison.state) {
    case 'absent':
    case 'ours':
      return null
    case 'ahead':
      return behind(
        `${ledger} holds ${comparison.size} batches of this gateway, and this store only ${comparison.ours}: ` +
          'it was restored from an older copy, or a copy of it runs elsewhere',
      )
    case 'other':
      return behind(
        `${ledger} holds other batches of this gateway than this store (up to batch ${comparison.size - 1}): ` +
          'two copies of it have both gone on',
      )
    case 'closed':
      return behind(
        `${ledger} says that a newer incarnation of this gateway has taken the place of this one, ` +
          `which ended there with ${comparison.size} batches`,
      )
    case 'frozen':
      return behind(
        `${ledger} was shown two different histories that this gateway's key has signed, and takes no more of either`,
      )
    case 'other-key':
      return new KedgeError('NOT_SIGNED', `${ledger} has another key registered for this gateway`, {
        hint: 'Compare "kedge keys show" with what the registrar of this ledger has. Rotate the key there, or register it.',
      })
    case 'other-hash':
      return new KedgeError(
        'NOT_SIGNED',
        `${ledger} has another history hash registered for this gateway than its own`,
        { hint: 'Ask the registrar of this ledger for a new incarnation.' },
      )
    case 'unknown':
      return new KedgeError(
        'NOT_SIGNED',
        `${ledger} has not said what it holds of this gateway (for ${minutes(comparison.silentMs)}): ${comparison.why}`,
        {
          hint: 'Bring the ledger or the network back. Readings are kept meanwhile, and signed as soon as it answers.',
        },
      )
    case 'fault':
      return comparison.error
  }
}

const behind = (message: string): KedgeError =>
  new KedgeError('STORE_BEHIND', message, {
    hint: 'Stop every copy but this one. Then begin anew: kedge init --new-incarnation (the registrar must grant it; what this store holds and no ledger does is committed again).',
  })

function minutes(ms: number): string {
  const whole = Math.floor(ms / 60_000)
  if (whole < 1) return 'less than a minute'
  return whole < 120 ? `${whole} min` : `${Math.floor(whole / 60)} h`
}
