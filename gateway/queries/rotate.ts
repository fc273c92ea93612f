import { bytesToHex } from '../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { keyId } from '../../anchor-client/evidence/sm2.ts'
import type { Query } from './query.ts'

/** Goes over to a new device key; only the running gateway can, as it alone seals. */
export const rotate: Query = async function* ({ live }) {
  if (live === null) {
    throw new KedgeError('STORE_MISSING', 'no gateway runs on this data folder', {
      hint: 'Start it with kedge run: the next header must name the new key.',
    })
  }
  const { newKey } = await live.sealing.rotate()
  // The ledgers hear of it as soon as each answers.
  void live.anchoring.rotated()
  yield {
    line: {
      gateway: bytesToHex(live.store.identity.gateway),
      keyId: bytesToHex(keyId(newKey)),
      algorithm: 'SM2',
      publicKey: bytesToHex(newKey),
    },
  }
}
