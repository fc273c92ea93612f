import test from 'ava'
import { bytesOf, faultsOf, load, names, told } from './helpers/config.ts'

test('site and gateway are enough, and every default is filled in', (t) => {
  const text = `${names}# a remark\n`
  const loaded = load(text)
  if (loaded.faults) return t.fail(JSON.stringify(loaded.faults))
  t.like(loaded.config, {
    site: 'ward-3',
    gateway: 'gw-1',
    commit: { holdMs: 200 },
    batch: { maxAge: 60_000, maxBytes: 1024 ** 2 },
    journal: { maxBytes: 4 * 1024 ** 3 },
    anchor: [{ ledger: 'embedded', path: '/data/ledger' }],
  })
  // They are a leaf of the control stream: remarks and all.
  t.deepEqual(loaded.bytes, bytesOf(text))
})

test('a path that begins with ./ is taken from the data folder, any other stays as it is', (t) => {
  const { config } = load(`${names}keys: {secret: {file: /etc/kedge/secret}}
devices: {dock: {driver: reader, port: ./dev/uhf}}
anchor: [{ledger: embedded, path: ../ledger}]`) as { config?: object }
  t.like(config, {
    keys: { secret: { file: '/etc/kedge/secret' } },
    devices: { dock: { port: '/data/dev/uhf' } },
    anchor: [{ path: '/ledger' }],
  })
})

for (const [title, text, ...faults] of [
  [
    'an unknown key is named with its place and the key that was meant',
    `${names}batch:\n  maxAgee: 60s\n`,
    '4:3 | there is no key maxAgee in batch | did you mean maxAge?',
  ],
  [
    'an unknown key like no other is answered with those that there are',
    `${names}commit: {everything: 1}`,
    '3:10 | there is no key everything in commit | there are holdMs',
  ],
  [
    'a slip in a key that is wanted is told once, not as a missing and an unknown key',
    'site: ward-3\ngatway: gw-1\n',
    '2:1 | there is no key gatway in the configuration | did you mean gateway?',
  ],
  [
    'a missing key is named where it belongs',
    `${names}devices:\n  fridge:\n    driver: probe\n`,
    '4:3 | devices.fridge.address is missing: expected text like 28-[0-9a-f]{12}',
  ],
  [
    'a word where a number belongs is told with both',
    `${names}batch: {maxReadings: many}`,
    '3:22 | batch.maxReadings: expected a whole number from 1 to 65536; found the text "many"',
  ],
  [
    'a duration without its unit is refused',
    `${names}batch: {maxAge: 60}`,
    '3:17 | batch.maxAge: expected a duration with its unit, 1s to 24h; found the number 60 | a number needs its unit here: units are ms, s, m, h, d',
  ],
  [
    'a size without its unit, or with one of another size, is refused',
    `${names}journal:\n  maxBytes: 4000000000\n  minFree: 512MB\n`,
    '4:13 | journal.maxBytes: expected a size with its unit, 64MiB to 16TiB; found the number 4000000000 | a number needs its unit here: units are B, KiB, MiB, GiB, TiB',
    '5:12 | journal.minFree: expected a size with its unit, 0B to 16TiB; found the text "512MB" | units are B, KiB, MiB, GiB, TiB',
  ],
  [
    'a duration out of its range is refused with the range',
    `${names}batch: {maxAge: 25h}`,
    '3:17 | batch.maxAge: expected a duration with its unit, 1s to 24h; found the text "25h" | units are ms, s, m, h, d',
  ],
  [
    'a unit after a key that names its own is refused',
    `${names}commit: {holdMs: 200ms}`,
    '3:18 | commit.holdMs: expected milliseconds as a whole number from 0 to 1000; found the text "200ms" | the key says its unit already: a number of milliseconds is wanted',
  ],
  [
    'readings may not wait longer than a second',
    `${names}commit: {holdMs: 1001}`,
    '3:18 | commit.holdMs: expected milliseconds as a whole number from 0 to 1000; found the number 1001',
  ],
  [
    'a name that looks like a number is told to stand in quotes',
    'site: 7\ngateway: gw-1\n',
    '1:7 | site: expected a name of small letters, digits and dashes, at most 32; found the number 7 | in quotes it is text: "7"',
  ],
  [
    'no and yes are words in YAML 1.2, not false and true',
    `${names}ingest: {mqtt: {sources: {w: {private: yes}}}}`,
    '3:40 | ingest.mqtt.sources.w.private: expected true or false; found the text "yes"',
  ],
  [
    'a key that stands twice is refused, where many programs take the last',
    `${names}batch: {maxAge: 60s}\ncommit: {}\nbatch: {maxAge: 5s}\n`,
    '5:1 | this key stands here twice | keep one',
  ],
  [
    'a line indented with a tab is refused',
    `${names}batch:\n\tmaxAge: 60s\n`,
    '4:1 | a tab stands where the line is indented | YAML takes only spaces',
  ],
  [
    'a quote that is never closed is shown where it opens, not at the end of the file',
    `site: "ward-3\ngateway: gw-1\nbatch:\n  maxAge: 5s\n`,
    '1:7 | this " is never closed',
  ],
  [
    'a brace that is never closed is shown where it opens',
    `${names}batch: {maxAge: 5s\ncommit: {}\n`,
    '3:8 | this { is never closed',
  ],
  [
    'a driver with a slip in its name is answered with the one that was meant',
    `${names}devices:\n  fridge: {driver: prob, address: 28-000000000001}\n  dock: {drivr: reader}\n`,
    '4:20 | devices.fridge.driver: expected one of probe, board, reader; found the text "prob" | did you mean probe?',
    '5:10 | there is no key drivr in devices.dock | did you mean driver?',
  ],
  [
    'the options of a device are those of its own driver',
    `${names}devices:\n  fridge: {driver: probe, address: 28-1, readPower: 3}\n`,
    '4:36 | devices.fridge.address: expected 28- and twelve hexadecimal digits; found the text "28-1"',
    '4:42 | there is no key readPower in devices.fridge | there are address, everyMs, driver, simulated',
  ],
  [
    'a name of a device that would not fit a topic is refused',
    `${names}devices: {"Fridge 1": {driver: probe, address: 28-000000000001}}`,
    '3:11 | devices: this key is not a name of small letters, digits and dashes, at most 32',
  ],
  [
    'two devices with one address are one too many',
    `${names}devices:\n  a: {driver: probe, address: 28-000000000001}\n  b: {driver: probe, address: 28-000000000001}\n`,
    '5:3 | devices.b: the stream 28-000000000001 is already fed by a | check the address, or give one of them another source',
  ],
  [
    'more streams than can be open at once are refused, with the device that is too many and the number that fits',
    `${names}devices:
  a: {driver: board, probes: 1000, source: a}
  b: {driver: board, probes: 21, source: b}
  c: {driver: board, probes: 2, source: c}
ingest: {mqtt: {sources: {w: {}}}}
shipments: {a: {members: [b]}}`,
    '6:3 | devices.c: with its 2 streams the devices have 1023, and 1021 are allowed | of 1024 the gateway, each publisher listed and each reader of shipments have one',
  ],
  [
    'as many streams as can be open at once are not too many',
    `${names}devices: {a: {driver: board, probes: 1023}}`,
  ],
  [
    'a section left empty is told how to be empty',
    `${names}http:\n`,
    '3:6 | http: expected a section; found nothing | write {} after it for its defaults, or take the line out',
  ],
  [
    'nobody from outside this machine is let in without a password',
    `${names}ingest: {mqtt: {listen: 0.0.0.0:1883}}`,
    '3:25 | ingest.mqtt.listen: expected an address of this machine alone and a port, such as 127.0.0.1:1883; found the text "0.0.0.0:1883" | 127.0.0.1, [::1] or localhost; port 0 takes a free one, and keeps it',
  ],
  [
    'one address cannot answer twice',
    `${names}ingest: {mqtt: {listen: 127.0.0.1:8470}}\nhttp: {listen: 127.0.0.1:8470}`,
    '4:16 | http.listen: ingest.mqtt.listen has this address already',
  ],
  [
    'two devices cannot read one serial port, and may share a server',
    `${names}devices:
  dock: {driver: reader, port: /dev/uhf}
  gate: {driver: reader, port: /dev/uhf}`,
    '5:32 | devices.gate.port: dock has this port already | several transmitters on one line are one device',
  ],
  [
    'a shipment names devices that there are',
    `${names}devices: {dock: {driver: reader, port: /dev/uhf}}\nshipments: {dock: {members: [dok, mqtt/w]}, dck: {members: [dock]}}`,
    '4:30 | shipments: there is no device dok | did you mean dock?',
    '4:35 | shipments: there is no device mqtt/w | there are dock',
    '4:45 | shipments: there is no device dck | did you mean dock?',
  ],
  [
    'a promise is one of two',
    `${names}ingest: {mqtt: {sources: {w: {promise: {every: 5s}}}}}`,
    '3:40 | ingest.mqtt.sources.w.promise: expected either every and tolerance, or atLeastEvery',
  ],
  [
    'no kind at all is not a list of kinds',
    `${names}ingest: {mqtt: {sources: {w: {kinds: {}}}}}`,
    '3:38 | ingest.mqtt.sources.w.kinds: expected 1 to 32 kinds',
  ],
  ['a value without a key is refused', `${names}batch:\n  : 5\n`, '4:3 | a key must be plain text'],
  [
    'a type of YAML that is not plain is refused',
    `site: !!binary aGk=\ngateway: gw-1\n`,
    '1:16 | a type written with ! is not wanted here | put a value that begins with ! in quotes',
  ],
  [
    'an empty file is told what is missing',
    '',
    '1:1 | site is missing: expected a name of small letters, digits and dashes, at most 32',
    '1:1 | gateway is missing: expected a name of small letters, digits and dashes, at most 32',
  ],
] as const) {
  test(title, (t) => {
    t.deepEqual(told(text), faults)
  })
}

test('thirty faults are told at once, in the order of the file', (t) => {
  const sources = Array.from({ length: 30 }, (_, i) => `      w${i}: {privat: true}`)
  const faults = faultsOf(`${names}ingest:\n  mqtt:\n    sources:\n${sources.join('\n')}\n`)
  t.deepEqual(
    faults.map(({ at }) => at),
    sources.map((line, i) => `kedge.yaml:${6 + i}:${line.indexOf('privat') + 1}`),
  )
  t.true(faults.every(({ error }) => error.hint === 'did you mean private?'))
})

test('of endless faults the first hundred are told, and how many more there are', (t) => {
  const lines = Array.from({ length: 1000 }, (_, i) => `k${i}: 1`)
  const messages = told(`${names}${lines.join('\n')}`)
  t.is(messages.length, 101)
  t.is(messages.at(-1), '103:1 | and 900 more faults')
})

test('columns count characters, as editors do', (t) => {
  t.deepEqual(told(`${names}batch: {"病房": 1}`)[0]?.slice(0, 5), '3:9 |')
  t.regex(told(`${names}http: {"🧊": 1, x: 2}`)[1] ?? '', /^3:16 /)
})
