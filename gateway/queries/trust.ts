import { bytesToHex } from '../../anchor-client/evidence/bytes.ts'
import { formatTime } from '../../anchor-client/evidence/rfc3339.ts'
import { keyRanges } from '../keys/rotations.ts'
import type { Store } from '../store.ts'
import type { Query } from './query.ts'

export const trust: Query = async function* ({ store }) {
  yield { bytes: new TextEncoder().encode(await trustFileOf(store)) }
}

/** This gateway's own view: a regulator takes the keys from elsewhere, or compares them. */
export async function trustFileOf({ identity, data, anchors }: Store): Promise<string> {
  const { incarnation } = identity
  const ranges = await keyRanges(data.keys, incarnation)
  const keys = ranges.map(({ publicKey, from, to }) => {
    return { publicKey: bytesToHex(publicKey), incarnation, from, to, compromisedAfter: null }
  })
  const ledgers = anchors.pins().map(({ name, pin }) => ({ ...JSON.parse(pin), name }))
  const file = {
    asOf: formatTime(Date.now()),
    gateways: [{ gateway: bytesToHex(identity.gateway), keys }],
    ledgers,
    controllers: [],
  }
  return `${JSON.stringify(file, null, 2)}\n`
}
