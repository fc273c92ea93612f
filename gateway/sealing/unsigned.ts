import { decodeHeader, interimMessage } from '../../anchor-client/evidence/seal.ts'
import type { Journal } from '../journal/journal.ts'

/**
 * Batches sealed since the last checkpoint that bear no interim signature of ours: whoever had the card in hand
 * could have put them there. The last one may lack it, as a crash may come between a seal and its signature.
 */
export async function unsignedBatches(
  journal: Journal,
  verify: (message: Uint8Array, key: Uint8Array, signature: Uint8Array) => boolean,
): Promise<number[]> {
  const { identity, opened, reader, size } = journal
  const unsigned: number[] = []
  for (let of = (opened.checkpoint?.size ?? 0) + 1; of < size; of++) {
    const signed = opened.interim.get(of)
    const root = await reader.historyRootAt(of)
    const message = interimMessage({ ...identity, size: of, root })
    if (signed === undefined || !verify(message, signed.key, signed.signature)) {
      unsigned.push(decodeHeader((await reader.seal(of - 1)).header).seq)
    }
  }
  return unsigned
}
