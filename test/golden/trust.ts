// Trust files (section 9). Only what a case names is written: the defaults are tested by leaving out.
import { hex } from './bytes.ts'
import type { Key } from './keys.ts'
import { start } from './records.ts'
import type { Gateway } from './streams.ts'

export type Trust = { readonly name: string; readonly text: string }

export type KeyTrust = {
  readonly key: Key
  readonly incarnation?: number
  readonly from?: number
  readonly to?: number | null
  /** Milliseconds from `start`. */
  readonly compromisedAfter?: number
}

export type LedgerTrust = {
  readonly key: Key
  readonly name?: string | null
  readonly rules?: 'extensions' | 'any'
  readonly independent?: boolean
  readonly required?: boolean
  readonly clockToleranceMs?: number
}

export type Believed = {
  readonly gateways: readonly (readonly [Gateway, readonly KeyTrust[]])[]
  readonly ledgers?: readonly LedgerTrust[]
  readonly controllers?: readonly (readonly [Key, name: string])[]
}

export const trust = (name: string, believed: Believed): Trust => ({
  name,
  text: `${JSON.stringify(
    {
      asOf: '2026-06-01T00:00:00Z',
      gateways: believed.gateways.map(([{ id }, keys]) => ({
        gateway: hex(id),
        keys: keys.map(keyTrust),
      })),
      ledgers: (believed.ledgers ?? []).map(({ key, ...rest }) => ({
        kind: 'witness',
        publicKey: hex(key.publicKey),
        ...rest,
      })),
      controllers: (believed.controllers ?? []).map(([key, called]) => ({
        publicKey: hex(key.publicKey),
        name: called,
      })),
    },
    null,
    1,
  )}\n`,
})

const keyTrust = ({ key, incarnation, compromisedAfter, ...sizes }: KeyTrust) => ({
  publicKey: hex(key.publicKey),
  incarnation: incarnation ?? 0,
  ...sizes,
  ...(compromisedAfter === undefined
    ? {}
    : { compromisedAfter: new Date(start + compromisedAfter).toISOString() }),
})
