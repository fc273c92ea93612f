/** Mosquitto's own publisher against the gateway's broker. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { dataFolder } from '../../gateway/data-folder.ts'
import { initialise } from '../../gateway/initialise.ts'
import { asked, running } from '../helpers/running-gateway.ts'
import { scratchFolder } from '../helpers/scratch.ts'
import { type Ended, run } from '../helpers/spawn.ts'
import type { Engine } from './engine.ts'

const config = `
site: test
gateway: engines
ingest: { mqtt: { listen: "127.0.0.1:0" } }
`

const publisher = 'mosquitto_pub'

/** A gateway for as long as `during` takes; gives what it then has of the source. */
async function published(during: (at: readonly string[]) => Promise<void>) {
  await using folder = await scratchFolder()
  const data = dataFolder(join(folder.path, 'data'))
  await initialise(data, undefined, () => config)
  let lines: readonly Readonly<Record<string, unknown>>[] = []
  await running(data, config, async (url) => {
    const { hostname, port } = new URL(url)
    await during(['-h', hostname, '-p', port])
    lines = (await asked(data, 'export', { stream: 'mqtt/probe' })).lines
  })
  return lines
}

const publish = async (args: readonly string[]): Promise<Ended> => {
  const ended = await run(publisher, args)
  assert.equal(ended.code, 0, ended.stderr)
  return ended
}

const payload = (value: number, id: string) =>
  JSON.stringify({ kind: 'temperature', value, unit: 'Cel', id })

export const mqtt: Engine = {
  async missing() {
    const help = await run(publisher, ['--help']).catch(() => null)
    return help === null ? 'mosquitto_pub is not installed (Debian: mosquitto-clients)' : null
  },
  checks: [
    ...['mqttv311', 'mqttv5'].map((version) => ({
      title: `a reading by ${version} with QoS 1 is on the disk when it is acknowledged`,
      async run() {
        const lines = await published(async (at) => {
          const topic = ['-V', version, '-q', '1', '-t', 'ingest/probe']
          await publish([...at, ...topic, '-m', payload(4.25, 'a')])
        })
        assert.deepEqual(
          lines.map(({ value, publisherId }) => [value, publisherId]),
          [['4.25', 'a']],
        )
      },
    })),
    {
      title: 'QoS 2 is stored once',
      async run() {
        const lines = await published(async (at) => {
          const topic = ['-q', '2', '-t', 'ingest/probe']
          await publish([...at, ...topic, '-m', payload(5, 'b')])
          await publish([...at, ...topic, '-m', payload(5, 'b')])
        })
        assert.equal(lines.length, 1)
      },
    },
  ],
}
