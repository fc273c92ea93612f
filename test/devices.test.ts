import test from 'ava'
import { z } from 'zod'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import { defineDriver, type Surroundings } from '../drivers/driver.ts'
import { type Device, type DeviceHost, runDevice } from '../gateway/devices.ts'
import { pause } from '../gateway/retry.ts'
import { until } from './helpers/gateway.ts'

const line = ['line/fridge', 'line/freezer'] as const

/** A line with two probes, one of which says one reading. */
function lineOf(said: (surroundings: Surroundings) => void): Device {
  const driver = defineDriver({
    summary: 'two probes on one line',
    options: z.strictObject({}),
    sources: () =>
      line.map((source) => ({ source, kinds: ['temperature'], promise: null, erasable: false })),
    async *read(_, surroundings) {
      said(surroundings)
      yield { source: line[0], kind: 'temperature', value: [4, 0] }
      await pause(3_600_000, surroundings.signal)
    },
  })
  return {
    ...{ name: 'bus', driver: driver as unknown as Device['driver'], options: {} },
    isSimulated: true,
  }
}

const quiet: DeviceHost = {
  take: () => true,
  settled: async () => {},
  garbled() {},
  refuse() {},
  heard() {},
  clock() {},
  trouble() {},
  warn() {},
}

/** What becomes of what a line says. */
async function readLine(said: (surroundings: Surroundings) => void) {
  const stop = new AbortController()
  const [refused, garbled, heard]: [string[], string[][], string[]] = [[], [], []]
  let taken = 0
  const host: DeviceHost = {
    ...quiet,
    take() {
      taken += 1
      return true
    },
    garbled: (_, sources) => void garbled.push([...sources]),
    refuse: (source, reason) => void refused.push(`${source}: ${reason}`),
    heard: (_, source) => void heard.push(source),
  }
  const running = runDevice(lineOf(said), host, stop.signal)
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

const noMore = (): never => {
  throw new KedgeError('STORE_FULL', 'no more streams are opened')
}

test('where the gateway cannot even put a failure on record it warns, goes on, and tries the device again', async (t) => {
  const stop = new AbortController()
  const warnings: string[] = []
  let tries = 0
  const device = lineOf(() => {
    tries += 1
    throw new KedgeError('SENSOR_ABSENT', 'no line')
  })
  const host = { ...quiet, trouble: noMore, warn: (_: Device, why: string) => warnings.push(why) }
  const running = runDevice(device, host, stop.signal)
  await Promise.race([running, until(async () => tries > 1)])
  stop.abort()
  await t.notThrowsAsync(running)
  t.deepEqual(warnings, ['no more streams are opened'])
})

test('what a device says while the gateway can open no stream for it is warned of once, and its readings go on', async (t) => {
  const stop = new AbortController()
  const warnings: string[] = []
  const troubles: unknown[] = []
  let taken = 0
  const device = lineOf(({ heard, refuse }) => {
    for (let i = 0; i < 100; i++) heard(line[0])
    refuse('noise', Uint8Array.of(1))
  })
  const running = runDevice(
    device,
    {
      ...quiet,
      ...{ heard: noMore, garbled: noMore },
      take() {
        taken += 1
        return true
      },
      trouble: (_, error) => void troubles.push(error),
      warn: (_, why) => void warnings.push(why),
    },
    stop.signal,
  )
  await until(async () => taken > 0 || troubles.length > 0)
  stop.abort()
  await running
  t.deepEqual([warnings, troubles], [['no more streams are opened'], []])
})

test('a device whose reading finds no room is let go of and asked again, and nobody says that it is absent', async (t) => {
  const stop = new AbortController()
  const troubles: unknown[] = []
  let [begun, taken] = [0, 0]
  const running = runDevice(
    lineOf(() => void begun++),
    {
      ...quiet,
      take() {
        taken += 1
        return taken > 1
      },
      trouble: (_, error) => void troubles.push(error),
    },
    stop.signal,
  )
  await until(async () => taken > 1)
  stop.abort()
  await running
  t.deepEqual([begun, troubles], [2, []])
})
