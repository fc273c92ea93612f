import { equalBytes, hexToBytes } from '../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { type Algorithm, openCurve } from './curve.ts'
import { readKeyFile, writeKeyFile } from './key-format.ts'
import type { Signer } from './sm2.ts'
import { unwrap, wrap } from './wrapping.ts'

/** A private key that was unwrapped. Disposing of it overwrites what can be overwritten. */
export interface Key extends Disposable {
  readonly publicKey: Uint8Array
  /** r‖s, 64 bytes, over standard SM2 with id 1234567812345678; of another curve as `secp256k1.ts` says. */
  sign(message: Uint8Array): Uint8Array
}

/** Makes a key that is wrapped before it touches the disk, and gives its public part. */
export async function createKeyFile(
  path: string,
  secret: Uint8Array,
  algorithm: Algorithm = 'SM2',
): Promise<Uint8Array> {
  const curve = await openCurve(algorithm)
  const d = curve.generate()
  try {
    const publicKey = curve.publicKeyOf(d)
    if (await writeKeyFile(path, await wrap(d, publicKey, secret, algorithm))) return publicKey
  } finally {
    d.fill(0)
  }
  throw new KedgeError('KEY_EXISTS', `there is a key already: ${path}`, {
    hint: 'Keep it: what it signed can be continued by no other. Change keys with `kedge keys rotate`.',
  })
}

export async function openKeyFile(
  path: string,
  secret: Uint8Array,
  algorithm: Algorithm = 'SM2',
): Promise<Key> {
  const file = await readKeyFile(path)
  if (file.algorithm !== algorithm) {
    throw new KedgeError(
      'KEY_MALFORMED',
      `${path} is a key of ${file.algorithm}, not ${algorithm}`,
      {
        hint: 'Name the folder of the right key, or an empty one for a new key. Nothing was changed.',
      },
    )
  }
  const curve = await openCurve(algorithm)
  const d = await unwrap(file, secret)
  try {
    const publicKey = hexToBytes(file.publicKey)
    if (d === undefined || !equalBytes(curve.publicKeyOf(d), publicKey)) throw locked(path)
    return keyOf(publicKey, curve.signer(d))
  } finally {
    d?.fill(0)
  }
}

/** 04‖x‖y of a key file, which needs no secret. */
export async function readPublicKey(path: string): Promise<Uint8Array> {
  return hexToBytes((await readKeyFile(path)).publicKey)
}

function keyOf(publicKey: Uint8Array, signer: Signer): Key {
  let sign: Signer | undefined = signer
  return {
    publicKey,
    sign(message) {
      if (sign === undefined) throw new TypeError('this key was disposed of')
      return sign(message)
    },
    [Symbol.dispose]() {
      sign?.[Symbol.dispose]()
      sign = undefined
    },
  }
}

const locked = (path: string) =>
  new KedgeError(
    'KEY_LOCKED',
    `the secret does not open ${path}: it is another secret, or the file comes from another machine or was changed`,
    { hint: 'Name the secret that this key was made with (keys.secret). Nothing was changed.' },
  )
