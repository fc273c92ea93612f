import { once } from 'node:events'
import { mkdir, open } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { Aedes } from 'aedes'
import persistence from 'aedes-persistence-level'
import { Level } from 'level'
import { connectAsync } from 'mqtt'
import { generate } from 'mqtt-packet'
import { dataFolder } from '../../gateway/data-folder.ts'
import { openBroker } from '../../gateway/ingest/broker.ts'
import { initialise } from '../../gateway/initialise.ts'
import { hello, publish } from '../helpers/mqtt.ts'
import { running } from '../helpers/running-gateway.ts'
import { measured, type Row } from './row.ts'

const messages = 20_000
const inFlight = 400
const runs = 3

const config = `
site: bench
gateway: ingest
ingest: { mqtt: { listen: "127.0.0.1:0" } }
batch: { maxReadings: 4096, maxAge: 10s }
journal: { minFree: 0B, reserve: 1MiB }
`

/** Messages a second at QoS 1, each acknowledged after its commit: through the whole gateway, and beside it aedes, and our broker alone on a file. */
export async function* ingestRows(folder: string): AsyncIterable<Row> {
  const data = dataFolder(join(folder, 'gateway'))
  await initialise(data, undefined, () => config)
  const ours: number[] = []
  const peer: number[] = []
  const aedesRates: number[] = []
  await running(data, config, async (url) => {
    await using plain = await plainBroker(join(folder, 'plain'))
    await using aedes = await aedesBroker(join(folder, 'aedes'))
    for (let run = 0; run <= runs; run++) {
      const rates = [
        await rateOf(Number(new URL(url).port), run),
        await rateOf(plain.port, run),
        await rateOf(aedes.port, run),
      ]
      // The first run is for the engine to warm up.
      if (run === 0) continue
      ours.push(rates[0] as number)
      peer.push(rates[1] as number)
      aedesRates.push(rates[2] as number)
    }
  })
  const { median, spread } = measured(ours)
  const row = {
    topic: 'journal',
    what: 'MQTT QoS 1 ingest, acknowledged after the commit',
    ours: median,
    unit: 'messages/s',
    better: 'higher',
    runs,
    spread,
  } as const
  const aedesName = 'aedes on LevelDB, which does not wait for an fsync'
  yield { ...row, peer: measured(aedesRates).median, peerName: aedesName }
  const peerName = 'the same broker on a bare fsynced append file'
  yield { ...row, peer: measured(peer).median, peerName }
  yield { ...row, peer: 20_000, peerName: 'goal on a quiet machine' }
}

/** What came while the disk wrote goes with the next write. */
async function plainBroker(folder: string) {
  await mkdir(folder)
  const file = await open(join(folder, 'messages'), 'a')
  let waiting: { payload: Uint8Array; resolve: () => void }[] = []
  let isBusy = false
  async function write(): Promise<void> {
    if (isBusy) return
    isBusy = true
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      await file.write(Buffer.concat(batch.map(({ payload }) => payload)))
      await file.datasync()
      for (const { resolve } of batch) resolve()
    }
    isBusy = false
  }
  const take = ({ payload }: { payload: Uint8Array }) =>
    new Promise<void>((resolve) => {
      waiting.push({ payload, resolve })
      setImmediate(() => void write())
    })
  const broker = await openBroker({ host: '127.0.0.1', port: 0 }, { take, warn() {} })
  return {
    port: broker.port,
    async [Symbol.asyncDispose]() {
      await broker[Symbol.asyncDispose]()
      await file.close()
    },
  }
}

/** aedes as people run it: what it takes for a subscriber who is away lies in LevelDB. */
async function aedesBroker(folder: string) {
  const db = new Level(folder, { valueEncoding: 'json' })
  const broker = await Aedes.createBroker({ persistence: persistence(db) })
  const server = createServer(broker.handle)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const options = { clientId: 'away', clean: false } as const
  const subscriber = await connectAsync(`mqtt://127.0.0.1:${port}`, options)
  await subscriber.subscribeAsync('ingest/#', { qos: 1 })
  await subscriber.endAsync()
  return {
    port,
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => broker.close(() => resolve()))
      await new Promise((resolve) => server.close(resolve))
      await db.close()
    },
  }
}

/** A publisher that has its packets ready, so that its own work counts for little. */
async function rateOf(port: number, run: number): Promise<number> {
  const packets = Array.from({ length: messages }, (_, i) => {
    const payload = JSON.stringify({
      kind: 'temperature',
      value: 4.25,
      unit: 'Cel',
      id: `r${run}-${i}`,
    })
    return generate(publish((i % 60_000) + 1, payload))
  })
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  socket.write(generate(hello()))
  await once(socket, 'data')
  let sent = 0
  let heardBytes = 0
  const startMs = performance.now()
  await new Promise<void>((resolve, reject) => {
    const more = () => {
      // A PUBACK has four bytes.
      const acknowledged = Math.floor(heardBytes / 4)
      const upTo = Math.min(messages, acknowledged + inFlight)
      if (upTo > sent) socket.write(Buffer.concat(packets.slice(sent, upTo)))
      sent = Math.max(sent, upTo)
      if (acknowledged === messages) resolve()
    }
    socket.on('data', (chunk: Buffer) => {
      heardBytes += chunk.length
      more()
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('the broker hung up')))
    more()
  })
  const tookMs = performance.now() - startMs
  socket.removeAllListeners('close')
  socket.destroy()
  return (1000 * messages) / tookMs
}
