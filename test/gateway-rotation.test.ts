import { copyFile, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { dataFolder } from '../gateway/data-folder.ts'
import { initialise } from '../gateway/initialise.ts'
import { createKeyFile } from '../gateway/keys/key-file.ts'
import { readSecret } from '../gateway/keys/secret.ts'
import {
  anchored,
  asked,
  provedSoon,
  publish,
  running,
  verdictOf,
} from './helpers/running-gateway.ts'
import { scratchFolder } from './helpers/scratch.ts'

const config = `
site: test
gateway: rotating
ingest: { mqtt: { listen: "127.0.0.1:0" } }
batch: { maxAge: 1s }
`

test('after a change of keys old and new evidence verify, each with the key of its time', async (t) => {
  await using folder = await scratchFolder()
  const data = dataFolder(join(folder.path, 'data'))
  await initialise(data, undefined, () => config)
  let before: Uint8Array = new Uint8Array()
  let after: Uint8Array = new Uint8Array()
  await running(data, config, async (url, events) => {
    await publish(url, 0, 4)
    await anchored(events, 0)
    before = await provedSoon(data, { stream: 'mqtt/probe', index: '0-4' })
    const { lines } = await asked(data, 'rotate', {})
    t.is(lines[0]?.algorithm, 'SM2')
    t.not(lines[0]?.keyId, lines[0]?.gateway, 'the gateway keeps the name of its first key')
    await publish(url, 5, 9)
    await anchored(events, 2)
  })
  // Started anew, it goes on with the new key.
  await running(data, config, async (url) => {
    await publish(url, 10, 14)
    after = await provedSoon(data, { stream: 'mqtt/probe', index: '0-14' })
  })
  const trust = (await asked(data, 'trust', {})).bytes
  const { keys } = JSON.parse(new TextDecoder().decode(trust)).gateways[0]
  t.is(keys.length, 2)
  t.is(keys[0].to + 1, keys[1].from)
  t.is(verdictOf(before, trust).verdict, 'complete')
  t.is(verdictOf(after, trust).verdict, 'complete')

  const { gateways, ...rest } = JSON.parse(new TextDecoder().decode(trust))
  const oldAlone = { ...rest, gateways: [{ ...gateways[0], keys: [keys[0]] }] }
  const onlyOld = new TextEncoder().encode(JSON.stringify(oldAlone))
  t.is(verdictOf(before, onlyOld).verdict, 'complete')
  t.is(verdictOf(after, onlyOld).verdict, 'invalid', 'who trusts the old key alone is not fooled')
})

test('a key that no header names is taken away at the next start, and the old one goes on', async (t) => {
  await using folder = await scratchFolder()
  const data = dataFolder(join(folder.path, 'data'))
  await initialise(data, undefined, () => config)
  const secret = await readSecret(undefined, data.keys)
  await createKeyFile(join(data.keys, 'device-2.key.next'), secret)
  await copyFile(join(data.keys, 'secret'), join(data.keys, 'rotation-2.json'))
  await running(data, config, async (url, events) => {
    await publish(url, 0, 0)
    await anchored(events, 0)
  })
  const names = await readdir(data.keys)
  t.deepEqual(names.toSorted(), ['device-1.key', 'secret'])
  const trust = (await asked(data, 'trust', {})).bytes
  const { bytes } = await asked(data, 'prove', { stream: 'mqtt/probe', index: '0' })
  t.is(verdictOf(bytes, trust).verdict, 'complete')
})

test('a newer key that is damaged or gone stops the gateway, and nothing of it is thrown away', async (t) => {
  await using folder = await scratchFolder()
  const data = dataFolder(join(folder.path, 'data'))
  await initialise(data, undefined, () => config)
  await running(data, config, async (url, events) => {
    await publish(url, 0, 0)
    await anchored(events, 0)
    await asked(data, 'rotate', {})
  })
  const newer = join(data.keys, 'device-2.key')
  const aside = join(folder.path, 'aside')
  await rename(newer, aside)
  await t.throwsAsync(
    running(data, config, () => Promise.resolve()),
    { code: 'KEY_MISSING' },
  )
  t.true((await readdir(data.keys)).includes('rotation-2.json'))

  await writeFile(`${newer}.next`, (await readFile(aside)).subarray(0, -1))
  await t.throwsAsync(
    running(data, config, () => Promise.resolve()),
    { code: 'KEY_MALFORMED' },
  )
  t.true((await readdir(data.keys)).includes('device-2.key.next'))

  await rename(aside, newer)
  await rm(`${newer}.next`)
  await running(data, config, (url) => publish(url, 1, 1))
  const { bytes } = await asked(data, 'prove', { stream: 'mqtt/probe', index: '0-1' })
  t.regex(verdictOf(bytes, (await asked(data, 'trust', {})).bytes).verdict, /^complete/)
})
