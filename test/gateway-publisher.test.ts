import { join } from 'node:path'
import test from 'ava'
import { connectAsync, type MqttClient } from 'mqtt'
import { kedge, type Line, newGateway, quickConfig, startKedge, until } from './helpers/gateway.ts'

/** Fewer than the 20,000 where a machine is slow: `KEDGE_TEST_MESSAGES=2000`. */
const messages = Number(process.env.KEDGE_TEST_MESSAGES ?? 20_000)
const kills = 10
const mostUnanswered = 500

const config = quickConfig('killed', 'ingest: { mqtt: { listen: "127.0.0.1:0" } }\n')

test(`of ${messages} numbered messages to a gateway that is killed ${kills} times each that was acknowledged is there once, and proved`, async (t) => {
  t.timeout(900_000)
  await using gateway = await newGateway(config)
  const folder = gateway.data.folder
  let running = startKedge('run', '--data', folder)
  await using _ = { [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() }
  const { mqtt } = await running.event('started')
  const publisher = await openPublisher(mqtt)
  await using __ = publisher

  const publishing = publisher.publishAll(messages)
  for (let kill = 1; kill <= kills; kill++) {
    const enough = Math.floor((messages * kill) / (kills + 1))
    await until(() => publisher.acknowledged.size >= enough, `message ${enough}`)
    await running.stop('SIGKILL')
    running = startKedge('run', '--data', folder)
    t.is((await running.event('started')).mqtt, mqtt, 'the port is kept')
  }
  await publishing
  t.is(publisher.acknowledged.size, messages)
  // Not one of these may be only in memory.
  await running.stop('SIGKILL')

  const { code, lines, stderr } = await kedge(
    'export',
    '--stream',
    'mqtt/counter',
    '--data',
    folder,
  )
  t.is(code, 0, stderr)
  const times = new Map<string, number>()
  for (const { publisherId } of lines) {
    if (publisherId !== undefined) times.set(publisherId, (times.get(publisherId) ?? 0) + 1)
  }
  t.deepEqual(
    Array.from(publisher.acknowledged)
      .filter((id) => times.get(id) !== 1)
      .slice(0, 5),
    [],
    'each once',
  )
  t.is(times.size, messages)
  t.deepEqual(
    lines.map(({ index }) => index),
    lines.map((__, i) => i),
    'no index is missing or there twice',
  )
  t.deepEqual(
    valuesInOrder(lines),
    Array.from({ length: messages }, (__, i) => i),
  )

  running = startKedge('run', '--data', folder)
  await running.event('anchored')
  t.is(await running.stop(), 0)
  const [file, trust] = ['all.kedge', 'trust.json'].map((name) => join(gateway.folder, name)) as [
    string,
    string,
  ]
  const proved = await kedge(
    'prove',
    '--stream',
    'mqtt/counter',
    '--index',
    `0-${lines.length - 1}`,
    '-o',
    file,
    '--data',
    folder,
  )
  t.is(proved.code, 0, proved.stderr)
  t.is((await kedge('trust', '-o', trust, '--data', folder)).code, 0)
  const verdict = await kedge(
    'verify',
    file,
    '--trust',
    trust,
    '--expect',
    `mqtt/counter,0,${lines.length - 1}`,
  )
  t.true([0, 5].includes(verdict.code ?? -1), verdict.stdout)
})

const valuesInOrder = (lines: readonly Line[]): number[] =>
  lines
    .flatMap(({ value }) => (value === undefined ? [] : [Number(value)]))
    .toSorted((a, b) => a - b)

/** Sends again whatever saw no PUBACK, under the same id. */
async function openPublisher(url: string) {
  const client: MqttClient = await connectAsync(url, { reconnectPeriod: 50, connectTimeout: 5000 })
  client.on('error', () => {})
  const acknowledged = new Set<string>()
  let unanswered = 0
  let isOpen = true
  const send = (i: number): void => {
    const id = `message-${i}`
    const payload = JSON.stringify({ kind: 'count', value: i, id })
    client.publish('ingest/counter', payload, { qos: 1 }, (error) => {
      // The library gives up what it was just handing over when the connection broke.
      if (error) {
        if (isOpen) setTimeout(send, 50, i)
        return
      }
      unanswered -= 1
      acknowledged.add(id)
    })
  }
  return {
    acknowledged,
    async publishAll(count: number): Promise<void> {
      for (let i = 0; i < count; i++) {
        unanswered += 1
        send(i)
        if (unanswered >= mostUnanswered)
          await until(() => unanswered < mostUnanswered / 2, 'a PUBACK')
      }
      await until(() => acknowledged.size === count, 'the last PUBACK')
    },
    async [Symbol.asyncDispose]() {
      isOpen = false
      await client.endAsync(true)
    },
  }
}
