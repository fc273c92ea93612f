import test from 'ava'
import { z } from 'zod'
import { defineDriver, type Surroundings } from '../drivers/driver.ts'
import { type Device, type DeviceHost, runDevice } from '../gateway/devices.ts'
import { until } from './helpers/gateway.ts'

const line = ['line/fridge', 'line/freezer'] as const

/** A line with two probes, and what becomes of what it says. */
async function readLine(said: (surroundings: Surroundings) => void) {
  const driver = defineDriver({
    summary: 'two probes on one line',
    options: z.strictObject({}),
    sources: () =>
      line.map((source) => ({ source, kinds: ['temperature'], promise: null, erasable: false })),
    async *read(_, surroundings) {
      said(surroundings)
      yield { source: line[0], kind: 'temperature', value: [4, 0] }
    },
  })
  const device: Device = {
    ...{ name: 'bus', driver: driver as unknown as Device['driver'], options: {} },
    isSimulated: true,
  }
  const stop = new AbortController()
  const [refused, garbled, heard]: [string[], string[][], string[]] = [[], [], []]
  let taken = 0
  const host: DeviceHost = {
    take: () => void taken++,
    settled: async () => {},
    garbled: (_, sources) => void garbled.push([...sources]),
    refuse: (source, reason) => void refused.push(`${source}: ${reason}`),
    heard: (_, source) => void heard.push(source),
    clock() {},
    trouble() {},
    warn() {},
  }
  const running = runDevice(device, host, stop.signal)
  await until(async () => taken > 0)
  stop.abort()
  await running
  return { refused, garbled, heard }
}

test('a probe that only talks nonsense does not hide what is wrong with its neighbour', async (t) => {
  const { refused, garbled } = await readLine(({ refuse }) => {
    for (let i = 0; i < 1000; i++) refuse('beyond its range', Uint8Array.of(1), [line[0]])
    refuse('no probe', Uint8Array.of(2), [line[1]])
  })
  t.is(refused.filter((one) => one.startsWith(line[0])).length, 10)
  t.deepEqual(refused.slice(10), ['line/freezer: no probe'])
  t.is(garbled.length, 1001)
  t.deepEqual(garbled.at(-1), ['line/freezer'])
})

test('noise that may have been any probe is on record under the device, and each of them spoke', async (t) => {
  const { refused, garbled } = await readLine(({ refuse }) => refuse('noise', Uint8Array.of(1)))
  t.deepEqual(refused, ['bus: noise'])
  t.deepEqual(garbled, [[...line]])
})

test('what is no reading of anybody blames nobody', async (t) => {
  const { refused, garbled } = await readLine(({ refuse }) =>
    refuse('a word', Uint8Array.of(1), []),
  )
  t.deepEqual(refused, ['bus: a word'])
  t.deepEqual(garbled, [[]])
})
