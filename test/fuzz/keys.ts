import { randomBytes } from 'node:crypto'
import { hexToBytes } from '../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { sm2CiphertextFromDer, sm2Decrypt } from '../../anchor-client/evidence/sm2-cipher.ts'
import { signatureFromDer } from '../../anchor-client/evidence/sm2-der.ts'
import { openEnvelope, sealEnvelope } from '../../anchor-client/evidence/sm2-envelope.ts'
import { parseKeyFile } from '../../gateway/keys/key-format.ts'
import { openSm2 } from '../../gateway/keys/sm2.ts'
import { wrap } from '../../gateway/keys/wrapping.ts'
import type { Random } from './random.ts'
import type { Target } from './target.ts'

/** Altered signatures, ciphertexts, envelopes and key files: refused by name or by `undefined`, and none opens. */
export const keys: Target = {
  summary: 'signatures in DER, SM2 ciphertexts and envelopes, and key files, altered',

  async run(random, isTimeUp) {
    const sm2 = openSm2()
    const d = sm2.generate()
    const publicKey = sm2.publicKeyOf(d)
    const secret = new TextEncoder().encode('a message that must stay as it is')
    const envelope = sealEnvelope([publicKey], secret, (count) =>
      Uint8Array.from(randomBytes(count)),
    )
    const keyFile = JSON.stringify(await wrap(d, publicKey, new TextEncoder().encode('secret')))
    let tried = 0
    let slowestMs = 0
    const attempt = (run: () => void): void => {
      const start = performance.now()
      try {
        run()
      } catch (error) {
        if (!(error instanceof KedgeError)) throw error
      }
      slowestMs = Math.max(slowestMs, performance.now() - start)
      tried += 1
    }
    while (!isTimeUp()) {
      attempt(() => {
        const bytes = altered(random, envelope)
        const opened = openEnvelope(d, publicKey, bytes)
        const isSame = Buffer.from(bytes).equals(envelope)
        if (opened.state === 'opened' && !isSame) throw new Error('an altered envelope was opened')
      })
      attempt(() => {
        const signature = signatureFromDer(altered(random, derSignature))
        if (signature !== undefined && signature.length !== 64) throw new Error('not r and s')
      })
      attempt(() => {
        const ciphertext = sm2CiphertextFromDer(altered(random, derSignature))
        if (ciphertext !== undefined) sm2Decrypt(d, ciphertext)
      })
      attempt(() => {
        const text = new TextDecoder().decode(
          altered(random, new TextEncoder().encode(`${keyFile}\n`)),
        )
        parseKeyFile(text, 'a key file')
      })
    }
    return { tried, worst: [{ what: 'the slowest', ms: Math.round(slowestMs * 10) / 10 }] }
  },
}

const derSignature = hexToBytes(`30440220${'5a'.repeat(32)}0220${'6b'.repeat(32)}`)

/** A flipped bit, a cut, a doubled piece, a length that lies. */
function altered(random: Random, bytes: Uint8Array): Uint8Array {
  const at = random.below(bytes.length)
  switch (random.below(5)) {
    case 0:
      return bytes.slice(0, at)
    case 1:
      return Uint8Array.from([...bytes, ...bytes.subarray(at)])
    case 2:
      return Uint8Array.from([
        ...bytes.subarray(0, at),
        ...bytes.subarray(at + 1 + random.below(4)),
      ])
    default: {
      const changed = Uint8Array.from(bytes)
      changed[at] = random.below(256)
      return changed
    }
  }
}
