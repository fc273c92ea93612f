import { existsSync } from 'node:fs'
import { copyFile, mkdir, readdir, readFile, rename, utimes, writeFile } from 'node:fs/promises'
import test from 'ava'
import { scratchFolder } from './helpers/scratch.ts'
import { run } from './helpers/spawn.ts'

/** Stands in for npm: notes each call, takes a moment, then leaves behind what `npm ci` leaves. */
const npm = `
  const fs = require('node:fs')
  fs.appendFileSync('calls', process.argv.slice(2).join(' ') + '\\n')
  console.log('words of npm')
  if (fs.existsSync('fail')) process.exit(7)
  setTimeout(() => {
    fs.mkdirSync('node_modules', { recursive: true })
    fs.writeFileSync('node_modules/.package-lock.json', '{}')
  }, 300)
`

async function emptyClone() {
  const folder = await scratchFolder()
  await mkdir(`${folder.path}/gateway`)
  await copyFile('gateway/install.mjs', `${folder.path}/gateway/install.mjs`)
  await writeFile(`${folder.path}/package-lock.json`, '{}')
  await writeFile(`${folder.path}/npm.js`, npm)
  return {
    ...folder,
    install: () =>
      run(process.execPath, ['gateway/install.mjs'], {
        cwd: folder.path,
        env: { npm_execpath: `${folder.path}/npm.js` },
      }),
    calls: async () =>
      existsSync(`${folder.path}/calls`)
        ? (await readFile(`${folder.path}/calls`, 'utf8')).trim().split('\n')
        : [],
  }
}

test('a fresh clone is installed once, with one line, and nothing on standard output', async (t) => {
  await using clone = await emptyClone()
  const first = await clone.install()
  t.is(first.code, 0)
  t.is(first.stdout, '')
  t.is(first.stderr, 'kedge: installing what is missing (npm ci)\nwords of npm\n')
  t.deepEqual(await clone.install(), { code: 0, stdout: '', stderr: '' })
  t.is((await clone.calls()).length, 1)
})

test('a lock file that is newer than the install is installed, and one from the future only once', async (t) => {
  await using clone = await emptyClone()
  await clone.install()
  const tomorrow = new Date(Date.now() + 86_400_000)
  await utimes(`${clone.path}/package-lock.json`, tomorrow, tomorrow)
  await clone.install()
  await clone.install()
  t.is((await clone.calls()).length, 2)
})

test('of scripts started at once one installs and the others wait', async (t) => {
  await using clone = await emptyClone()
  const ended = await Promise.all([clone.install(), clone.install(), clone.install()])
  t.deepEqual(
    ended.map(({ code }) => code),
    [0, 0, 0],
  )
  t.is((await clone.calls()).length, 1)
  t.deepEqual(await leftovers(clone.path), [])
})

test('the lock of an install that was killed holds nobody up', async (t) => {
  await using clone = await emptyClone()
  await mkdir(`${clone.path}/.installing`)
  const dead = await run(process.execPath, ['-p', 'process.pid'])
  await writeFile(`${clone.path}/.installing/pid`, dead.stdout.trim())
  t.is((await clone.install()).code, 0)
  t.is((await clone.calls()).length, 1)
  t.deepEqual(await leftovers(clone.path), [])
})

test('when npm fails, a line says so, the script does not start, and the next try installs', async (t) => {
  await using clone = await emptyClone()
  await writeFile(`${clone.path}/fail`, '')
  const { code, stdout, stderr } = await clone.install()
  t.is(code, 1)
  t.is(stdout, '')
  t.regex(stderr, /\nkedge: npm ci failed \(exit 7\); [^\n]+\n$/)
  await clone.install()
  t.is((await clone.calls()).length, 2)
  t.deepEqual(await leftovers(clone.path), [])
})

const leftovers = async (folder: string) =>
  (await readdir(folder)).filter((name) => name.startsWith('.installing'))

test('packages are not exchanged under a gateway that runs from this clone', async (t) => {
  await using clone = await emptyClone()
  await writeFile(`${clone.path}/.running-${process.pid}`, '')
  const refused = await clone.install()
  t.is(refused.code, 75)
  t.regex(refused.stderr, new RegExp(`process ${process.pid} runs a gateway from this clone`))
  t.is((await clone.calls()).length, 0)

  await rename(`${clone.path}/.running-${process.pid}`, `${clone.path}/.running-4194305`)
  t.is((await clone.install()).code, 0, 'one that is gone holds nobody up')
})
