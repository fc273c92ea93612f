import { decodeHeader, interimMessage } from '../../anchor-client/evidence/seal.ts'
import type { GatewayEvent } from '../events.ts'
import type { Journal } from '../journal/journal.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import { openSm2 } from '../keys/sm2.ts'

/**
 * Batches sealed since the last checkpoint that bear no interim signature of ours: whoever had the card in hand
 * could have put them there. The last one may lack it, as a crash may come between a seal and its signature.
 */
export async function unsignedBatches(
  journal: Journal,
  keys: KeyRing,
  onEvent: (event: GatewayEvent) => void,
): Promise<number[]> {
  const { identity, opened, reader, size } = journal
  const { verify, why } = openSm2()
  if (why) onEvent({ event: 'warning', message: `SM2 by OpenSSL is not used: ${why}` })
  const unsigned: number[] = []
  for (let of = (opened.checkpoint?.size ?? 0) + 1; of < size; of++) {
    const signed = opened.interim.get(of)
    const root = await reader.historyRootAt(of)
    const message = interimMessage({ ...identity, size: of, root })
    const isGood =
      signed && keys.isOurs(signed.key) && verify(signed.key, message, signed.signature)
    if (!isGood) {
      unsigned.push(decodeHeader((await reader.seal(of - 1)).header).seq)
    }
  }
  return unsigned
}
