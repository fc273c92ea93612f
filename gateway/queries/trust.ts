import { bytesToHex } from '../../anchor-client/evidence/bytes.ts'
import { formatTime } from '../../anchor-client/evidence/rfc3339.ts'
import { deviceKeyNumbers, deviceKeyPath } from '../keys/device-keys.ts'
import { readPublicKey } from '../keys/key-file.ts'
import type { Store } from '../store.ts'
import type { Query } from './query.ts'

export const trust: Query = async function* ({ store }) {
  yield { bytes: new TextEncoder().encode(await trustFileOf(store)) }
}

/** This gateway's own view: a regulator takes the keys from elsewhere, or compares them. */
export async function trustFileOf({ identity, data, anchors }: Store): Promise<string> {
  const keys = []
  for (const number of await deviceKeyNumbers(data.keys)) {
    const publicKey = bytesToHex(await readPublicKey(deviceKeyPath(data.keys, number)))
    keys.push({
      publicKey,
      incarnation: identity.incarnation,
      from: 1,
      to: null,
      compromisedAfter: null,
    })
  }
  const ledgers = anchors.pins().map(({ name, pin }) => ({ ...JSON.parse(pin), name }))
  const file = {
    asOf: formatTime(Date.now()),
    gateways: [{ gateway: bytesToHex(identity.gateway), keys }],
    ledgers,
    controllers: [],
  }
  return `${JSON.stringify(file, null, 2)}\n`
}
