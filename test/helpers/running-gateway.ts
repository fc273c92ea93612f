import { connectAsync } from 'mqtt'
import { concat } from '../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { parseTrust } from '../../anchor-client/evidence/trust.ts'
import { verifyEvidence } from '../../anchor-client/evidence/verify.ts'
import { loadConfig } from '../../config/load.ts'
import { registry } from '../../config/registry.ts'
import type { DataFolder } from '../../gateway/data-folder.ts'
import type { GatewayEvent } from '../../gateway/events.ts'
import { runGateway } from '../../gateway/flow.ts'
import type { Asked } from '../../gateway/queries/query.ts'
import { ask } from '../../gateway/serving/ask.ts'

/** A gateway in this process, from its start to its clean stop after `during`. */
export async function running(
  data: DataFolder,
  config: string,
  during: (url: string, events: readonly GatewayEvent[]) => Promise<void>,
): Promise<readonly GatewayEvent[]> {
  const loaded = loadConfig(new TextEncoder().encode(config), 'kedge.yaml', data.folder, registry)
  if (loaded.faults) throw new Error(loaded.faults[0]?.error.message)
  const stop = new AbortController()
  const events: GatewayEvent[] = []
  let done: Promise<void> | undefined
  const onRunning = (_: unknown, url: string | null) => {
    done = during(url ?? '', events).finally(() => stop.abort())
  }
  await runGateway({ data, loaded, onEvent: (event) => events.push(event), onRunning }, stop.signal)
  await done
  return events
}

/** Numbered readings, each acknowledged. */
export async function publish(
  url: string,
  first: number,
  last: number,
  source = 'probe',
): Promise<void> {
  const client = await connectAsync(url)
  for (let i = first; i <= last; i++) {
    const payload = JSON.stringify({ kind: 'temperature', value: i, unit: 'Cel', id: `n${i}` })
    await client.publishAsync(`ingest/${source}`, payload, { qos: 1 })
  }
  await client.endAsync()
}

/** Resolves once there is an event for which this holds. */
export async function until(isThere: () => boolean): Promise<void> {
  while (!isThere()) await new Promise((resolve) => setTimeout(resolve, 20))
}

export const anchored = (events: readonly GatewayEvent[], seq: number): Promise<void> =>
  until(() => events.some((event) => event.event === 'anchored' && event.seq >= seq))

/** What a verb would get, from the running gateway or from the store alone. */
export async function asked(data: DataFolder, query: string, of: Asked) {
  const lines: Readonly<Record<string, unknown>>[] = []
  let bytes: Uint8Array = new Uint8Array()
  for await (const answer of ask(data, query, of)) {
    if ('line' in answer) lines.push(answer.line)
    if ('bytes' in answer) bytes = concat(bytes, answer.bytes)
  }
  return { lines, bytes }
}

/** Evidence from the running gateway, as soon as what is asked for lies under an anchor. */
export async function provedSoon(data: DataFolder, of: Asked): Promise<Uint8Array> {
  for (;;) {
    try {
      return (await asked(data, 'prove', of)).bytes
    } catch (error) {
      const isEarly = error instanceof KedgeError && /^NOT_(ANCHORED|SIGNED)$/.test(error.code)
      if (!isEarly) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

export const verdictOf = (evidence: Uint8Array, trust: Uint8Array) =>
  verifyEvidence(evidence, parseTrust(new TextDecoder().decode(trust)), {
    expect: [],
    maxLagMs: null,
  })
