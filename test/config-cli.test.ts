import { readFile, writeFile } from 'node:fs/promises'
import test from 'ava'
import { gatewaySchema } from '../config/registry.ts'
import { scratchFolder } from './helpers/scratch.ts'
import { run } from './helpers/spawn.ts'

/** The real command, as npm starts it. */
const kedge = (args: readonly string[], standing: string) =>
  run(process.execPath, ['--import=tsx', 'gateway/cli.ts', ...args], {
    env: { LC_ALL: 'C', INIT_CWD: standing },
  })

async function folderWith(text: string) {
  const folder = await scratchFolder()
  await writeFile(`${folder.path}/kedge.yaml`, text)
  return folder
}

const names = 'site: ward-3\ngateway: gw-1\n'
const broken = `${names}batch:\n  maxAge: 60\nhtp: {}\n`

test('a good configuration is ok, by its name, by --config or in the data folder', async (t) => {
  await using folder = await folderWith(names)
  for (const where of [['kedge.yaml'], ['--config', 'kedge.yaml'], ['--data', '.']]) {
    const { code, stdout, stderr } = await kedge(
      ['config', 'check', ...where, '--json'],
      folder.path,
    )
    t.deepEqual([code, stdout, stderr], [0, '{"ok":true}\n', ''])
  }
  // Never rewritten.
  t.is(await readFile(`${folder.path}/kedge.yaml`, 'utf8'), names)
})

test('each fault is one object on one line of standard error', async (t) => {
  await using folder = await folderWith(broken)
  const { code, stdout, stderr } = await kedge(
    ['config', 'check', 'kedge.yaml', '--json'],
    folder.path,
  )
  t.is(code, 2)
  t.is(stdout, '')
  t.deepEqual(
    stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
    [
      {
        error: {
          code: 'CONFIG_INVALID',
          message:
            'batch.maxAge: expected a duration with its unit, 1s to 24h; found the number 60',
          at: 'kedge.yaml:4:11',
          hint: 'a number needs its unit here: units are ms, s, m, h, d',
        },
      },
      {
        error: {
          code: 'CONFIG_INVALID',
          message: 'there is no key htp in the configuration',
          at: 'kedge.yaml:5:1',
          hint: 'did you mean http?',
        },
      },
    ],
  )
})

test('a person reads a fault in one line and what to do in the next', async (t) => {
  await using folder = await folderWith(`${names}htp: {}\n`)
  const { code, stderr } = await kedge(['config', 'check', 'kedge.yaml'], folder.path)
  t.is(code, 2)
  t.is(
    stderr,
    'kedge: kedge.yaml:3:1: there is no key htp in the configuration (CONFIG_INVALID)\n' +
      'kedge: hint: did you mean http?\n',
  )
})

test('a file that is not there, or is no file, is said in one line', async (t) => {
  await using folder = await folderWith(names)
  for (const [file, message] of [
    ['missing.yaml', 'no such file'],
    ['.', 'this is a folder, not a file'],
  ] as const) {
    const { code, stdout, stderr } = await kedge(['config', 'check', file, '--json'], folder.path)
    t.deepEqual([code, stdout], [2, ''])
    t.like(JSON.parse(stderr).error, { code: 'FILE_UNREADABLE', message, at: file })
  }
})

test('a key is explained with its default and with what the file says', async (t) => {
  await using folder = await folderWith(`${names}batch: {maxAge: 5s}\n`)
  const { code, stdout } = await kedge(
    ['config', 'explain', 'batch.maxAge', '--config', 'kedge.yaml'],
    folder.path,
  )
  t.is(code, 0)
  t.is(
    stdout,
    `batch.maxAge
  means     Seal and sign when the oldest reading is this old
  expected  a duration with its unit, 1s to 24h
  default   60s
  set       5s, kedge.yaml:3:9
`,
  )
  const json = await kedge(['config', 'explain', 'batch', '--data', '.', '--json'], folder.path)
  t.like(JSON.parse(json.stdout)[0], { key: 'batch', set: { at: 'kedge.yaml:3:1' } })
  const unknown = await kedge(['config', 'explain', 'batch.maxage'], folder.path)
  t.is(unknown.code, 2)
  t.regex(unknown.stderr, /did you mean batch\.maxAge\?/)
})

test('an editor gets the JSON Schema', async (t) => {
  const { code, stdout } = await kedge(['config', 'schema'], '.')
  t.is(code, 0)
  t.deepEqual(JSON.parse(stdout), JSON.parse(JSON.stringify(gatewaySchema)))
})

test('a part that config does not have is answered with the one that was meant', async (t) => {
  const { code, stderr } = await kedge(['config', 'chek'], '.')
  t.is(code, 2)
  t.regex(stderr, /did you mean config check\?/)
})
