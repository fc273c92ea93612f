/** A signature over the history, as it is kept beside the seals. */
import {
  decodeWhole,
  readFixedBytes,
  readTuple,
  readUint,
} from '../../anchor-client/evidence/codec.ts'
import { encode } from '../../anchor-client/evidence/encode.ts'

export interface SignedSize {
  readonly size: number
  /** Interim: signed before the ledgers were heard, never evidence. */
  readonly isInterim: boolean
  readonly key: Uint8Array
  readonly signature: Uint8Array
}

export const encodeSignature = ({ size, isInterim, key, signature }: SignedSize): Uint8Array =>
  encode([size, isInterim ? 1 : 0, key, signature])

export const decodeSignature = (bytes: Uint8Array): SignedSize =>
  decodeWhole(bytes, (at) => {
    readTuple(at, 4, 'a signature')
    return {
      size: readUint(at),
      isInterim: readUint(at, 1) === 1,
      key: readFixedBytes(at, 65),
      signature: readFixedBytes(at, 64),
    }
  })
