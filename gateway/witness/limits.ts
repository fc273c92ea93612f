/** How much one peer or one gateway may ask for: a burst, and then so much a second. */

interface Limit {
  readonly perSecond: number
  readonly burst: number
}

export interface WitnessLimits {
  /** Questions and requests of one address. */
  readonly peer: Limit
  /** New entries of one gateway; what is already there is answered beyond it. */
  readonly gateway: Limit
  readonly connections: number
  readonly connectionsOfPeer: number
  /** A request's head and body must be there within this time, an answer be taken within it. */
  readonly slowestMs: number
}

/** A gateway asks a few times a minute; after an outage it reads its anchors, 64 a page. */
export const usualLimits: WitnessLimits = {
  peer: { perSecond: 50, burst: 200 },
  gateway: { perSecond: 1, burst: 30 },
  connections: 512,
  connectionsOfPeer: 32,
  slowestMs: 10_000,
}

/** Names are forgotten beyond this; whoever uses so many addresses is not stopped by counting them. */
const mostNames = 10_000

/** True while this name may have one more. */
export function openLimiter({ perSecond, burst }: Limit): (name: string) => boolean {
  const left = new Map<string, { count: number; atMs: number }>()
  return (name) => {
    const atMs = performance.now()
    const before = left.get(name) ?? { count: burst, atMs }
    const grown = ((atMs - before.atMs) / 1000) * perSecond
    const count = Math.min(burst, before.count + grown)
    const isAllowed = count >= 1
    left.delete(name)
    left.set(name, { count: isAllowed ? count - 1 : count, atMs })
    const oldest = left.size > mostNames ? left.keys().next().value : undefined
    if (oldest !== undefined) left.delete(oldest)
    return isAllowed
  }
}

/** An IPv6 host has a whole /64 to itself. */
export function peerName(address: string | undefined): string {
  const plain = (address ?? '').replace(/^::ffff:(?=\d+\.)/, '')
  if (!plain.includes(':')) return plain
  const [front = '', back = ''] = plain.split('::')
  const parts = front.split(':').filter((part) => part !== '')
  const rest = plain.includes('::') ? back.split(':').filter((part) => part !== '') : []
  const zeros = Array.from({ length: Math.max(0, 8 - parts.length - rest.length) }, () => '0')
  return [...parts, ...zeros, ...rest].slice(0, 4).join(':')
}
