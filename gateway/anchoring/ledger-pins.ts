import { bytesToHex, concat, equalBytes, utf8 } from '../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { LedgerIdentity } from '../../anchor-client/ledgers/ledger.ts'
import { decodePin, encodePin, type Pinned } from './anchor-records.ts'
import { type CheckedRows, decoded } from './checked-rows.ts'

/** Which ledger each entry of the configuration is: what stands there for the first time is believed. */
export interface LedgerPins {
  /** By the name that an entry of the configuration has; undefined before the first use. */
  pinned(name: string): Pinned | 'damaged' | undefined
  pins(): readonly Pinned[]
  /** Pins at first use, and refuses another ledger afterwards: `LEDGER_MISMATCH`. */
  pin(name: string, identity: LedgerIdentity): Promise<void>
}

/** @param kind what the keys of their rows begin with */
export async function openLedgerPins(rows: CheckedRows, kind: Uint8Array): Promise<LedgerPins> {
  const pins = new Map<string, Pinned | 'damaged'>()
  for await (const { key, body } of rows.rows(kind)) {
    const name = new TextDecoder().decode(key.subarray(kind.length))
    pins.set(name, decoded(body, (bytes) => decodePin(name, bytes)) ?? 'damaged')
  }
  const known = (): Pinned[] => Array.from(pins.values()).filter((pin) => pin !== 'damaged')

  return {
    pinned: (name) => pins.get(name),
    pins: known,
    async pin(name, { ledgerId, pin }) {
      const before = pins.get(name)
      const changes = [{ name, ledgerId, pin: JSON.stringify(pin) }]
      if (before !== undefined && before !== 'damaged') {
        if (equalBytes(before.ledgerId, ledgerId)) return
        // The entries may stand in another order now: what was known before is no stranger.
        const other = known().find((one) => equalBytes(one.ledgerId, ledgerId))
        if (other === undefined) throw stranger(name, before.ledgerId, ledgerId)
        changes.push({ ...before, name: other.name })
      }
      const keyOf = (pinned: Pinned) => concat(kind, utf8(pinned.name))
      await rows.write(changes.map((one) => ({ key: keyOf(one), body: encodePin(one) })))
      for (const one of changes) pins.set(one.name, one)
    },
  }
}

function stranger(name: string, pinned: Uint8Array, found: Uint8Array): KedgeError {
  const ids = [pinned, found].map((id) => `${bytesToHex(id).slice(0, 16)}…`)
  return new KedgeError(
    'LEDGER_MISMATCH',
    `${name} is ledger ${ids[1]}, and was ${ids[0]} before`,
    {
      hint: 'Bring back the ledger that stood there, and list a new one after it.',
    },
  )
}
