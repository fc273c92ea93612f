/** What only whoever has the witness's folder may do: register gateways, and list them. Never over the network. */
import { bytesToHex } from '../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { formatTime } from '../../anchor-client/evidence/rfc3339.ts'
import { keyId } from '../../anchor-client/evidence/sm2.ts'
import type { Admission } from '../../anchor-client/ledgers/ledger.ts'
import type { WitnessBook } from '../../anchor-client/ledgers/witness/book.ts'
import type { WitnessKeeper } from '../../anchor-client/ledgers/witness/keeper.ts'
import { headOf, type Incarnation, standing } from '../../anchor-client/ledgers/witness/rules.ts'
import { decodeEnrolment, refused } from '../enrolling/enrolment.ts'

/** An object a gateway and incarnation. */
export type EnrolledRow = {
  readonly gateway: string
  readonly incarnation: number
  readonly keyId: string
  readonly publicKey: string
  readonly hashId: number
  readonly state: 'open' | 'closed' | 'frozen'
  /** Batches that are anchored. */
  readonly size: number
  /** The entry by which it was registered. */
  readonly entry: number
  readonly at: string | null
}

export async function* listEnrolled({ book }: WitnessKeeper): AsyncGenerator<EnrolledRow, void> {
  for (const lives of book.register.values()) {
    for (const of of lives) yield await rowOf(book, of)
  }
}

/**
 * Registers what the file asks for. A new incarnation closes the one before for ever, so that its number must be
 * said by whoever grants it.
 */
export async function approve(
  keeper: WitnessKeeper,
  file: Uint8Array,
  granted: number | undefined,
): Promise<EnrolledRow> {
  const admission = decodeEnrolment(file)
  const { book } = keeper
  const name = bytesToHex(admission.gateway)
  const lives = () => book.register.get(name) ?? []
  const of = () => lives().find((one) => one.admission.incarnation === admission.incarnation)
  if (of() === undefined) mustBeGranted(admission, granted, lives().at(-1))
  const answer = await keeper.admit(admission)
  const enrolled = of()
  if (answer.state === 'taken' && enrolled) return rowOf(book, enrolled)
  if (answer.state === 'unknown') {
    throw new KedgeError('STORE_FAILED', `the witness could not write: ${answer.why}`, {
      hint: 'Make room on its disk, and approve once more.',
    })
  }
  throw refused(
    'why' in answer ? answer.why : `the witness answers ${answer.state}`,
    'kedge enrol status --data DIR lists what is registered.',
  )
}

function mustBeGranted(
  { incarnation }: Admission,
  granted: number | undefined,
  before: Incarnation | undefined,
): void {
  if (granted !== undefined && granted !== incarnation) {
    throw refused(`incarnation ${incarnation} is asked for, and ${granted} is granted`)
  }
  if (granted !== undefined || (incarnation === 0 && before === undefined)) return
  const closes = before
    ? `: it closes incarnation ${before.admission.incarnation} at ${headOf(before).size} batches, for ever`
    : ', although nothing of this gateway is known here'
  throw refused(
    `a new incarnation is asked for${closes}`,
    `If that is meant, grant it: kedge enrol approve FILE --incarnation ${incarnation} --data DIR`,
  )
}

async function rowOf(book: WitnessBook, of: Incarnation): Promise<EnrolledRow> {
  const { admission, admittedAs, key } = of
  const { wallMs } = (await book.read(admittedAs)).entry
  return {
    gateway: bytesToHex(admission.gateway),
    incarnation: admission.incarnation,
    keyId: bytesToHex(keyId(key)),
    publicKey: bytesToHex(key),
    hashId: admission.hashId,
    state: standing(book.register, of),
    size: headOf(of).size,
    entry: admittedAs,
    at: wallMs === null ? null : formatTime(wallMs),
  }
}
