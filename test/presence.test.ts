import test from 'ava'
import { loadConfig } from '../config/load.ts'
import { registry } from '../config/registry.ts'
import { openHealth } from '../gateway/health.ts'
import { planDevices } from '../gateway/plans.ts'
import { openPresence } from '../gateway/presence.ts'
import { bytesOf } from './helpers/config.ts'

const site = `
site: test
gateway: test
devices:
  fridge: { driver: cold-ds18b20, address: 28-0316a2794fff, everyMs: 5000, toleranceMs: 1000 }
  dock: { driver: rfid-uhf-m100, port: /dev/uhf, source: uhf/dock }
ingest: { mqtt: { sources: { glove: { promise: { every: 5s, tolerance: 1s } }, idle: {} } } }
`
const fridge = 'w1/28-0316a2794fff'

function watched() {
  const loaded = loadConfig(bytesOf(site), 'kedge.yaml', '/data', registry)
  if (loaded.faults) throw new Error(loaded.faults[0]?.error.message)
  const { config } = loaded
  const alarms: string[] = []
  const health = openHealth(({ matter, why }, isOver) =>
    alarms.push(`${matter}: ${isOver ? 'over' : why}`),
  )
  let nowMs = 0
  const presence = openPresence(config, planDevices(config), health, () => nowMs)
  /** Every second something is said, and somebody looks. */
  const pass = (seconds: number, said: () => void) => {
    for (let i = 0; i < seconds; i++) {
      nowMs += 1000
      said()
      presence.look()
    }
  }
  return { presence, health, alarms, pass }
}

test('a probe that answers and gives no value is an alarm, and another one than a probe that says nothing', (t) => {
  const { presence, alarms, pass } = watched()
  const others = () => {
    presence.gaveValue('mqtt/glove')
    presence.wasHeard('uhf/dock')
  }
  pass(30, () => {
    others()
    presence.gaveValue(fridge)
  })
  t.deepEqual(alarms, [])
  pass(30, () => {
    others()
    presence.wasHeard(fridge)
  })
  t.is(alarms.length, 1)
  t.regex(
    alarms[0] ?? '',
    /^source w1\/28-0316a2794fff: it answers, and has given no value for more than 18 s/,
  )
  pass(30, others)
  t.is(alarms.length, 2)
  t.regex(alarms[1] ?? '', /nothing was heard of it for more than 18 s/)
  pass(1, () => {
    others()
    presence.gaveValue(fridge)
  })
  t.deepEqual(alarms.slice(2), ['source w1/28-0316a2794fff: over'])
})

test('a reader with nothing to read is well as long as it answers', (t) => {
  const { presence, alarms, pass } = watched()
  pass(600, () => {
    presence.gaveValue(fridge)
    presence.gaveValue('mqtt/glove')
    presence.wasHeard('uhf/dock')
  })
  t.deepEqual(alarms, [])
  const dock = presence.list().find(({ source }) => source === 'uhf/dock')
  t.deepEqual(dock, {
    source: 'uhf/dock',
    device: 'dock',
    valueAgeSeconds: null,
    contactAgeSeconds: 0,
  })
})

test('a publisher that promised to send and does not is an alarm; one that promised nothing is none', (t) => {
  const { presence, alarms, pass } = watched()
  pass(30, () => {
    presence.gaveValue(fridge)
    presence.wasHeard('uhf/dock')
  })
  t.is(alarms.length, 1)
  t.regex(alarms[0] ?? '', /^source mqtt\/glove: nothing was heard/)
})

test('a device that cannot be opened is told once, with what to do about it', (t) => {
  const { presence, health, alarms, pass } = watched()
  health.degraded('device fridge', 'no DS18B20 answers')
  pass(60, () => {
    presence.gaveValue('mqtt/glove')
    presence.wasHeard('uhf/dock')
  })
  t.deepEqual(alarms, ['device fridge: no DS18B20 answers'])
})

test('while the disk is full nobody is sent to look after probes whose readings it does not take', (t) => {
  const { health, alarms, pass } = watched()
  health.degraded('room', 'the disk has less than 512 MiB left')
  pass(60, () => {})
  t.deepEqual(alarms, ['room: the disk has less than 512 MiB left'])
  health.well('room')
  pass(60, () => {})
  t.true(alarms.some((alarm) => alarm.startsWith(`source ${fridge}: nothing was heard of it`)))
})
