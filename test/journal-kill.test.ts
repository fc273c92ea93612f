import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { build } from 'esbuild'
import { bytesToHex } from '../anchor-client/evidence/bytes.ts'
import { openTestJournal } from './helpers/journal.ts'
import { scratchFolder } from './helpers/scratch.ts'

const folders = 10
const killsInEach = 20

/** One file, so that a life begins in a moment. */
async function childProgram(folder: string): Promise<string> {
  await symlink(resolve('node_modules'), join(folder, 'node_modules'))
  const outfile = join(folder, 'child.mjs')
  await build({
    entryPoints: ['test/helpers/journal-child.ts'],
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    outfile,
    logLevel: 'silent',
  })
  return outfile
}

test(`a gateway that is killed ${folders * killsInEach} times has every reading that it acknowledged, at its one index`, async (t) => {
  await using scratch = await scratchFolder()
  const child = await childProgram(scratch.path)
  let acknowledged = 0
  let sealed = 0
  for (let folder = 0; folder < folders; folder++) {
    const path = join(scratch.path, String(folder))
    await mkdir(path)
    // Made by an init that came to its end: from here on it is there.
    await (await openTestJournal(path, { mayCreate: true }))[Symbol.asyncDispose]()
    const told = new Map<string, string>()
    let size = 0
    for (let kill = 0; kill < killsInEach; kill++) {
      const output = await lifeOf(child, path, `life-${kill % 3}`)
      for (const line of output.split('\n').slice(0, -1)) {
        const [stream, index, body] = line.split(' ') as [string, string, string]
        if (stream === 'sealed') {
          size = Number(index)
          continue
        }
        const name = `${stream} ${index}`
        if (told.has(name)) return t.fail(`${name} was given away twice`)
        told.set(name, body)
      }
      await using journal = await openTestJournal(path)
      t.true(journal.size >= size, 'what was sealed is sealed')
      t.deepEqual(journal.opened.lost, [])
      t.deepEqual(journal.opened.damage, [])
      t.deepEqual(journal.opened.damagedRows, [])
    }
    await using journal = await openTestJournal(path)
    t.deepEqual(await journal.scrub(), { damage: [], damagedRows: [], damagedTables: [] })
    const there = new Map<string, string>()
    for await (const { number, size: leaves } of journal.reader.streams()) {
      for await (const { index, leaf } of journal.reader.leaves(number, 0, leaves)) {
        if (leaf) there.set(`${number} ${index}`, bytesToHex(leaf.body))
      }
    }
    t.deepEqual(
      Array.from(told).filter(([name, body]) => there.get(name) !== body),
      [],
    )
    acknowledged += told.size
    sealed += size
  }
  t.log({ acknowledged, sealed })
  t.true(acknowledged > 2000)
  t.true(sealed > 100)
})

/** What it said until it was killed: while it opens, or in the middle of its work. */
async function lifeOf(program: string, path: string, source: string): Promise<string> {
  const child = spawn(process.execPath, [program, path, source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  let hasBegun = () => {}
  const begun = new Promise<void>((resolve) => {
    hasBegun = resolve
  })
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    hasBegun()
  })
  const closed = once(child, 'close')
  if (Math.random() < 0.1) await sleep(Math.random() * 200)
  else {
    await Promise.race([begun, closed])
    await sleep(Math.random() * 40)
  }
  child.kill('SIGKILL')
  const [code] = await closed
  if (code !== null) throw new Error(`it ended by itself, with ${code}`)
  return output
}
