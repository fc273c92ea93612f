/** A gateway's request to be registered: a file that its device key has signed, for the registrar of a ledger. */
import { z } from 'zod'
import {
  bytesToHex,
  concat,
  equalBytes,
  hexToBytes,
  u32,
  utf8,
} from '../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { isPublicKey, keyId, verifySm2 } from '../../anchor-client/evidence/sm2.ts'
import { sm3 } from '../../anchor-client/evidence/sm3.ts'
import { maxUint32 } from '../../anchor-client/evidence/values.ts'
import type { Admission } from '../../anchor-client/ledgers/ledger.ts'
import type { Key } from '../keys/key-file.ts'

export const maxEnrolmentBytes = 16 * 1024

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`))

const fileSchema = z.strictObject({
  format: z.literal('kedge-enrolment'),
  version: z.literal(1),
  gateway: hex(32),
  incarnation: z.int().min(0).max(maxUint32),
  hashId: z.literal([1, 2]),
  /** The key to be registered, and its signature over all of this. */
  publicKey: hex(65),
  signature: hex(64),
  /** The address of its account, where it asks for a place on a chain. */
  account: hex(20).optional(),
  /** Where that key was rotated: the first one, which names the gateway, and its signature over the same. */
  firstKey: hex(65).optional(),
  firstSignature: hex(64).optional(),
})

const prefix = utf8('kedge/enrol/v1\0')

const enrolmentMessage = (asked: Admission): Uint8Array => {
  const { gateway, incarnation, hashId, key, account = new Uint8Array() } = asked
  return sm3(concat(prefix, gateway, u32(incarnation), Uint8Array.of(hashId), key, account))
}

/** `first` is the gateway's first key, which is often the one to be registered. */
export function encodeEnrolment(asked: Omit<Admission, 'key'>, current: Key, first: Key): string {
  const message = enrolmentMessage({ ...asked, key: current.publicKey })
  const isRotated = !equalBytes(current.publicKey, first.publicKey)
  const content: z.input<typeof fileSchema> = {
    format: 'kedge-enrolment',
    version: 1,
    gateway: bytesToHex(asked.gateway),
    incarnation: asked.incarnation,
    hashId: asked.hashId,
    publicKey: bytesToHex(current.publicKey),
    signature: bytesToHex(current.sign(message)),
    ...(asked.account && { account: bytesToHex(asked.account) }),
    ...(isRotated && {
      firstKey: bytesToHex(first.publicKey),
      firstSignature: bytesToHex(first.sign(message)),
    }),
  }
  return `${JSON.stringify(content, null, 2)}\n`
}

/** What is asked for, if the gateway itself asks for it. */
export function decodeEnrolment(bytes: Uint8Array): Admission {
  const { data: file } = fileSchema.safeParse(parsed(bytes))
  if (file === undefined) throw refused('this is no enrolment request of version 1')
  const key = hexToBytes(file.publicKey)
  const gateway = hexToBytes(file.gateway)
  const asked: Admission = {
    gateway,
    incarnation: file.incarnation,
    hashId: file.hashId,
    key,
    ...(file.account !== undefined && { account: hexToBytes(file.account) }),
  }
  const message = enrolmentMessage(asked)
  const first = hexToBytes(file.firstKey ?? file.publicKey)
  const isOurs = (one: Uint8Array, signature: string) =>
    isPublicKey(one) && verifySm2(one, message, hexToBytes(signature))
  if (!equalBytes(keyId(first), gateway))
    throw refused('its key is not the one that names this gateway')
  if (!isOurs(key, file.signature)) throw refused('the key that it names did not sign it')
  if (!isOurs(first, file.firstSignature ?? file.signature)) {
    throw refused('the first key of this gateway did not sign it')
  }
  return asked
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return undefined
  }
}

export const refused = (
  message: string,
  hint = 'Make it anew on the gateway: kedge enrol request -o FILE',
) => new KedgeError('ENROLMENT_REFUSED', message, { hint })
