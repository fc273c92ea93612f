import { bytesToHex, utf8 } from './bytes.ts'
import { KedgeError } from './errors.ts'
import { parseJson } from './json.ts'
import { type Fields, fieldsOf } from './json-fields.ts'
import { proofKinds } from './proofs/index.ts'
import type { Pin } from './proofs/proof.ts'
import { maxUint32 } from './values.ts'

/** What the regulator already believes (FORMAT.md section 9). It never comes out of an evidence file. */
export interface Trust {
  readonly asOfMs: number
  /** By gateway id in hex. */
  readonly gateways: ReadonlyMap<string, readonly TrustedKey[]>
  /** By ledger id in hex. */
  readonly ledgers: ReadonlyMap<string, TrustedLedger>
  /** Public keys in hex, with the controller's name. */
  readonly controllers: ReadonlyMap<string, string | null>
}

export interface TrustedKey {
  readonly publicKey: string
  readonly incarnation: number
  readonly fromSize: number
  readonly toSize: number | null
  readonly compromisedAfterMs: number | null
}

export interface TrustedLedger extends Pin {
  readonly kind: string
  readonly name: string
  readonly independent: boolean
  readonly required: boolean
  readonly clockToleranceMs: number
}

export const maxTrustBytes = 1024 * 1024

export function parseTrust(text: string): Trust {
  if (utf8(text).length > maxTrustBytes) {
    throw new KedgeError('TRUST_INVALID', `a trust file has at most ${maxTrustBytes} bytes`)
  }
  const fields = fieldsOf(parseJson(text), '')
  const trust = {
    asOfMs: fields.time('asOf'),
    gateways: unique(fields.list('gateways'), 'gateway', readGateway),
    ledgers: unique(fields.list('ledgers'), 'ledger', readLedger),
    controllers: unique(fields.list('controllers'), 'controller', readController),
  }
  fields.end()
  return trust
}

/** One ledger as it stands in a trust file: what a ledger itself says that pins it. */
export function parsePinnedLedger(text: string): TrustedLedger {
  const fields = fieldsOf(parseJson(text), '')
  const [, ledger] = readLedger(fields)
  fields.end()
  return ledger
}

function unique<T>(
  list: readonly Fields[],
  what: string,
  read: (fields: Fields) => readonly [name: string, entry: T],
): Map<string, T> {
  const entries = new Map<string, T>()
  for (const fields of list) {
    const [name, entry] = read(fields)
    fields.end()
    if (entries.has(name)) {
      throw new KedgeError('TRUST_INVALID', `${fields.path}: this ${what} stands here twice`)
    }
    entries.set(name, entry)
  }
  return entries
}

function readGateway(fields: Fields) {
  const gateway = fields.text('gateway', /^[0-9a-f]{64}$/, '64 lower-case hex digits')
  const keys = unique(fields.list('keys'), 'key of this incarnation', readKey)
  return [gateway, [...keys.values()]] as const
}

function readKey(fields: Fields) {
  const key: TrustedKey = {
    publicKey: bytesToHex(fields.publicKey('publicKey')),
    incarnation: fields.uint('incarnation', 0, undefined, maxUint32),
    fromSize: fields.uint('from', 1, 1),
    toSize: fields.optionalUint('to', fields.uint('from', 1, 1)),
    compromisedAfterMs: fields.optionalTime('compromisedAfter'),
  }
  return [`${key.incarnation} ${key.publicKey}`, key] as const
}

function readLedger(fields: Fields) {
  const kindName = fields.oneOf(
    'kind',
    proofKinds.map(({ name }) => name),
  )
  const kind = proofKinds.find(({ name }) => name === kindName) as (typeof proofKinds)[number]
  const pin = kind.readPin(fields)
  const { ledgerId } = pin
  const ledger: TrustedLedger = {
    ...pin,
    kind: kindName,
    name: fields.optionalText('name') ?? `${kindName} ${ledgerId.slice(0, 8)}`,
    independent: fields.flag('independent'),
    required: fields.flag('required'),
    clockToleranceMs: fields.uint('clockToleranceMs', 0, 0),
  }
  return [ledgerId, ledger] as const
}

function readController(fields: Fields) {
  return [bytesToHex(fields.publicKey('publicKey')), fields.optionalText('name')] as const
}
