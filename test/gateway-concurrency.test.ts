import { join } from 'node:path'
import test from 'ava'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import { type DataFolder, dataFolder } from '../gateway/data-folder.ts'
import { initialise } from '../gateway/initialise.ts'
import { asked, publish, running, until, verdictOf } from './helpers/running-gateway.ts'
import { scratchFolder } from './helpers/scratch.ts'

const configWith = (batch: string) => `
site: test
gateway: busy
devices:
  dock: { driver: rfid-uhf-m100, port: "tcp://127.0.0.1:9" }
ingest: { mqtt: { listen: "127.0.0.1:0" } }
shipments: { dock: { members: [mqtt/probe] } }
batch: { ${batch} }
`

/** As soon as a ledger has taken all of it. */
async function provedShipment(data: DataFolder, shipment: string): Promise<Uint8Array> {
  for (;;) {
    try {
      return (await asked(data, 'prove', { shipment })).bytes
    } catch (error) {
      if (!(error instanceof KedgeError && error.code === 'NOT_ANCHORED')) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

test('a shipment that two people close at once is closed once, and proved', async (t) => {
  await using folder = await scratchFolder()
  const data = dataFolder(join(folder.path, 'data'))
  const config = configWith('maxAge: 1s')
  await initialise(data, undefined, () => config)
  await running(data, config, async (url) => {
    await asked(data, 'shipment', { what: 'open', reader: 'dock', id: 'S1' })
    await publish(url, 0, 3)
    const closes = await Promise.allSettled(
      Array.from({ length: 3 }, () => asked(data, 'shipment', { what: 'close', reader: 'dock' })),
    )
    t.is(closes.filter(({ status }) => status === 'fulfilled').length, 1)
    const bytes = await provedShipment(data, 'S1')
    t.regex(verdictOf(bytes, (await asked(data, 'trust', {})).bytes).verdict, /^complete/)
  })
})

test('what comes while a batch is being sealed is sealed as well, without waiting for more', async (t) => {
  await using folder = await scratchFolder()
  const data = dataFolder(join(folder.path, 'data'))
  const config = configWith('maxAge: 1h, maxReadings: 1')
  await initialise(data, undefined, () => config)
  await running(data, config, async (url, events) => {
    await publish(url, 0, 9)
    const sealed = () =>
      events.reduce((sum, event) => sum + (event.event === 'batch' ? event.count : 0), 0)
    // Ten readings, and what the gateway says of itself.
    await until(() => sealed() >= 10)
    const { lines } = await asked(data, 'export', { stream: 'mqtt/probe' })
    await until(() => events.some((event) => event.event === 'anchored'))
    t.is(lines.length, 10)
    const { lines: status } = await asked(data, 'status', {})
    t.like(status[0], { journal: { unsealed: 0 } })
  })
})

test("the gateway's own stream is proved over every start", async (t) => {
  await using folder = await scratchFolder()
  const data = dataFolder(join(folder.path, 'data'))
  const config = configWith('maxAge: 1s')
  await initialise(data, undefined, () => config)
  for (let start = 0; start < 4; start++) {
    await running(data, config, async (url) => publish(url, start, start))
  }
  const { lines } = await asked(data, 'status', {})
  const [{ streams = [] } = {}] = lines as { streams?: { stream: string; leaves: number }[] }[]
  const control = streams.find(({ stream }) => stream === 'control')
  const index = `0-${(control?.leaves ?? 0) - 1}`
  const { bytes } = await asked(data, 'prove', { stream: 'control', index })
  t.is(verdictOf(bytes, (await asked(data, 'trust', {})).bytes).verdict, 'complete')
})
