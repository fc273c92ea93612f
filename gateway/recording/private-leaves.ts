/**
 * A private reading as it is kept: its fields under the key of its epoch, and its commit in clear. Without the
 * key the commit still stands in its tree, and nothing can be opened any more.
 */
import { createCipheriv, createHmac, randomBytes } from 'node:crypto'
import { concat, equalBytes } from '../../anchor-client/evidence/bytes.ts'
import { decodeWhole, readArray, readBytes } from '../../anchor-client/evidence/codec.ts'
import { encode } from '../../anchor-client/evidence/encode.ts'
import { decodeField, encodeField } from '../../anchor-client/evidence/fields.ts'
import { commitField, commitLeaf } from '../../anchor-client/evidence/leaves.ts'
import type { Field, OpenedLeaf, Opening } from '../../anchor-client/evidence/model.ts'
import { commitmentsOfPrivate } from '../../anchor-client/evidence/record-codes.ts'
import { encodeRecord } from '../../anchor-client/evidence/records.ts'
import type { StoredLeaf } from '../journal/frame.ts'

export const epochKeyBytes = 32
const nonceBytes = 16
const saltBytes = 16
/** A leaf's salt, then for each field a salt and, should the field be absent, what stands in its place. */
const secretBytes = saltBytes + commitmentsOfPrivate * (saltBytes + 32)

export function sealPrivate(key: Uint8Array, fields: readonly Field[]): StoredLeaf {
  const nonce = Uint8Array.from(randomBytes(nonceBytes))
  const encoded = fields.map(encodeField)
  const { secrets, rest: enciphered } = keystream(key, nonce, encode(encoded))
  const { salt, record } = recordOf(secrets, encoded)
  return { form: 'private', head: commitLeaf(salt, record), body: concat(nonce, enciphered) }
}

/** The leaf with all its fields opened, or null where the key is another or the bytes are damaged. */
export function openPrivate(key: Uint8Array, { head, body }: StoredLeaf): OpenedLeaf | null {
  const nonce = body.subarray(0, nonceBytes)
  const { secrets, rest } = keystream(key, nonce, body.subarray(nonceBytes))
  try {
    const encoded = decodeWhole(rest, (at) =>
      Array.from({ length: readArray(at) }, () => readBytes(at)),
    )
    const { salt, record, openings } = recordOf(secrets, encoded)
    if (!equalBytes(commitLeaf(salt, record), head)) return null
    const commitments = record.subarray(-32 * commitmentsOfPrivate)
    return {
      form: 'opened',
      salt,
      bytes: record,
      record: { type: 'private', commitments },
      openings,
    }
  } catch {
    return null
  }
}

function recordOf(secrets: Uint8Array, encoded: readonly Uint8Array[]) {
  const salt = secrets.slice(0, saltBytes)
  const openings: Opening[] = []
  const commitments = new Uint8Array(32 * commitmentsOfPrivate)
  const given = new Map(encoded.map((bytes) => [decodeField(bytes).number, bytes]))
  for (let number = 0; number < commitmentsOfPrivate; number++) {
    const at = saltBytes + number * (saltBytes + 32)
    const fieldSalt = secrets.slice(at, at + saltBytes)
    const bytes = given.get(number)
    const filler = secrets.subarray(at + saltBytes, at + saltBytes + 32)
    commitments.set(bytes ? commitField(fieldSalt, bytes) : filler, 32 * number)
    if (bytes) openings.push({ salt: fieldSalt, bytes, ...decodeField(bytes) })
  }
  return { salt, record: encodeRecord({ type: 'private', commitments }), openings }
}

/** SM4-CTR under a key of this reading alone: its first bytes are the salts, the rest hides the fields. */
function keystream(key: Uint8Array, nonce: Uint8Array, text: Uint8Array) {
  const own = createHmac('sm3', key).update('kedge private reading').update(nonce).digest()
  const cipher = createCipheriv('sm4-ctr', own.subarray(0, 16), own.subarray(16))
  const all = Uint8Array.from(cipher.update(concat(new Uint8Array(secretBytes), text)))
  return { secrets: all.subarray(0, secretBytes), rest: all.slice(secretBytes) }
}
