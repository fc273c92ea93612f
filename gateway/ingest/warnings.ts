import type { Limits } from './limits.ts'

export type Rule = 'topic' | 'malformed' | 'too large' | 'taken over' | 'not stored' | 'crowded'

/** Says each rule once to each publisher, and never so often that the log drowns. */
export function openWarnings(limits: Limits, warn: (message: string) => void) {
  const said = new Set<string>()
  let minuteMs = Number.NEGATIVE_INFINITY
  let left = 0

  return (rule: Rule, clientId: string | null): void => {
    const key = `${rule} ${clientId}`
    if (said.has(key)) return
    const nowMs = performance.now()
    if (nowMs > minuteMs + 60_000) {
      minuteMs = nowMs
      left = mostAMinute
    }
    if (left === 0) return
    left -= 1
    if (said.size === mostRemembered) said.clear()
    said.add(key)
    warn(`MQTT: ${who(clientId)} ${sentences(limits)[rule]}`)
  }
}

const mostAMinute = 20
const mostRemembered = 1024

/** A client id is whatever a publisher likes: it is repeated only where it cannot be mistaken for anything else. */
const who = (clientId: string | null): string =>
  clientId !== null && /^[A-Za-z0-9._:/-]{1,64}$/.test(clientId)
    ? `the publisher ${clientId}`
    : 'a publisher'

const sentences = (limits: Limits): Readonly<Record<Rule, string>> => ({
  topic:
    'sent to a topic that is not taken; topics are ingest/ and a name of 1 to 64 letters, digits, dots, dashes and _',
  malformed: 'sent what is no MQTT 3.1.1 or 5; its connection was closed',
  'too large': `sent more than ${limits.payloadBytes} bytes at once; its connection was closed`,
  'taken over': 'connected while an older connection had its client id; the older one was closed',
  'not stored':
    'sent what could not be stored; its connection was closed, so that it sends it again',
  crowded: `was turned away: ${limits.connections} are connected`,
})
