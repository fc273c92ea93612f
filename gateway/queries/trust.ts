import { bytesToHex } from '../../anchor-client/evidence/bytes.ts'
import { formatTime } from '../../anchor-client/evidence/rfc3339.ts'
import { keyRanges } from '../keys/rotations.ts'
import type { Store } from '../store.ts'
import type { Query } from './query.ts'

export const trust: Query = async function* ({ store }) {
  yield { bytes: new TextEncoder().encode(await trustFileOf(store)) }
}

const mostBlocks = 1024

/** The blocks that hold the newest anchors, lowest first. */
async function blocksOf(anchors: Store['anchors'], ledgerId: Uint8Array) {
  const blocks = new Map<number, string>()
  for await (const { place } of anchors.list(ledgerId, true)) {
    blocks.set(place.height, bytesToHex(place.hash))
    if (blocks.size === mostBlocks) break
  }
  return Array.from(blocks, ([height, hash]) => ({ height, hash })).toReversed()
}

/** This gateway's own view: a regulator takes the keys from elsewhere, or compares them. */
export async function trustFileOf({ identity, data, anchors }: Store): Promise<string> {
  const { incarnation } = identity
  const ranges = await keyRanges(data.keys, incarnation)
  const keys = ranges.map(({ publicKey, from, to }) => {
    return { publicKey: bytesToHex(publicKey), incarnation, from, to, compromisedAfter: null }
  })
  const ledgers = await Promise.all(
    anchors.pins().map(async ({ name, ledgerId, pin }) => {
      const known = JSON.parse(pin)
      // Without signers a block is believed by its hash alone: a regulator compares these with a node of their own.
      const isByHash = known.blocks !== undefined && known.signers.length === 0
      return { ...known, ...(isByHash && { blocks: await blocksOf(anchors, ledgerId) }), name }
    }),
  )
  const file = {
    asOf: formatTime(Date.now()),
    gateways: [{ gateway: bytesToHex(identity.gateway), keys }],
    ledgers,
    controllers: [],
  }
  return `${JSON.stringify(file, null, 2)}\n`
}
