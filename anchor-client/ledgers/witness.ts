import { z } from 'zod'
import { hexToBytes } from '../evidence/bytes.ts'
import { KedgeError } from '../evidence/errors.ts'
import { isPublicKey } from '../evidence/sm2.ts'
import { certificatesIn } from './files.ts'
import { defineLedger } from './ledger.ts'
import { openWitnessSession } from './witness/session.ts'
import { openWire } from './witness/wire.ts'

/** HTTPS everywhere, but for this machine itself, where nobody else listens. */
const witnessUrl =
  /^(?:https:\/\/(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]{1,253})|http:\/\/(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]))(?::\d{1,5})?\/?$/

/** A witness that somebody else runs. It vouches for order and time; we believe what it has signed. */
export const witness = defineLedger({
  summary: 'A witness that a hospital, a partner or a regulator runs: an independent anchor',
  options: z.object({
    url: z
      .string()
      .regex(witnessUrl)
      .meta({ title: 'https://HOST:PORT (http:// only on this machine)' })
      .describe('Where the witness answers'),
    publicKey: z
      .string()
      .regex(/^04[0-9a-f]{128}$/)
      .meta({ title: 'a public key, 04 and 128 small hexadecimal digits' })
      .optional()
      .describe("The witness's key; without it the first one that it shows is kept for ever"),
    ca: z
      .string()
      .min(1)
      .optional()
      .describe('Certificates (PEM) that its certificate must come from, instead of the usual'),
    fingerprint: z
      .string()
      .regex(/^(?:[0-9a-fA-F]{2}:?){31}[0-9a-fA-F]{2}$/)
      .meta({ title: 'a SHA-256 fingerprint, as openssl x509 -fingerprint -sha256 prints it' })
      .optional()
      .describe('Of its own certificate, which then need be signed by nobody'),
    timeoutMs: z
      .int()
      .min(100)
      .max(60_000)
      .default(10_000)
      .describe('How long one answer may take, before it counts as an outage'),
  }),
  account: 'none',
  hashIds: [1, 2],
  async connect({ publicKey, ca, ...place }, { pinned }) {
    const key = publicKey === undefined ? null : hexToBytes(publicKey)
    if (key && !isPublicKey(key)) {
      throw new KedgeError('LEDGER_MISMATCH', "the witness's publicKey is no key of SM2", {
        hint: 'Copy it again from what kedge witness printed when it started.',
      })
    }
    const certificates = ca === undefined ? undefined : await certificatesIn(ca)
    return openWitnessSession(openWire({ ...place, ca: certificates }), { key, id: pinned })
  },
})
