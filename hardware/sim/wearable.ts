/** A wrist band that says heart rate and oxygen saturation to an MQTT broker each second. */
import { randomUUID } from 'node:crypto'
import type { MqttClient } from 'mqtt'
import { chanceFrom, wandering } from './chance.ts'

interface Wearable extends AsyncDisposable {
  /** From now on it speaks to this broker, and comes back to it by itself. */
  publishTo(brokerUrl: string): void
}

interface WearableOptions {
  readonly seed: number
  readonly onSay: (line: string) => void
  readonly everyMs?: number
  readonly source?: string
}

/** A small device forgets: so many readings wait for a receipt, and no more. */
const mostWaiting = 600

export async function openWearable(options: WearableOptions): Promise<Wearable> {
  const { seed, onSay, everyMs = 1000, source = 'wearable' } = options
  const { connect } = await import('mqtt')
  const random = chanceFrom(seed)
  const vitals = [
    {
      kind: 'heart-rate',
      unit: '/min',
      next: wandering(random, { middle: 72, reach: 14, step: 2 }),
    },
    { kind: 'spo2', unit: '%', next: wandering(random, { middle: 97, reach: 2, step: 0.4 }) },
  ]
  // No id is ever said twice, whoever starts this and how often.
  const start = randomUUID()
  let count = 0
  let line: { readonly client: MqttClient; waiting: number } | null = null

  const measure = () => {
    for (const { kind, unit, next } of vitals) {
      const value = Math.round(next())
      const [id, time] = [`${start}-${++count}`, new Date().toISOString()]
      const to = line
      if (to === null || to.waiting >= mostWaiting) continue
      to.waiting++
      const said = JSON.stringify({ kind, value, unit, id, time })
      to.client.publish(`ingest/${source}`, said, { qos: 1 }, () => void to.waiting--)
    }
  }
  const timer = setInterval(measure, everyMs)
  const leave = async () => {
    const left = line
    line = null
    await left?.client.endAsync(true).catch(() => {})
  }
  return {
    publishTo: (brokerUrl) => {
      void leave()
      const client = connect(brokerUrl, { clientId: `${source}-${start}`, reconnectPeriod: 1000 })
      line = { client, waiting: 0 }
      let isConnected: boolean | null = null
      const change = (connected: boolean, what: string) => {
        if (isConnected !== connected && line?.client === client) onSay(what)
        isConnected = connected
      }
      client.on('connect', () => change(true, 'the wearable speaks to the broker'))
      client.on('close', () => change(false, 'the wearable lost the broker, and tries again'))
      // `close` says it, once, however often it is tried.
      client.on('error', () => {})
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await leave()
    },
  }
}
