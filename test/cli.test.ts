import { mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import test from 'ava'
import { scratchFolder } from './helpers/scratch.ts'
import { run } from './helpers/spawn.ts'
import { testWith } from './helpers/tools.ts'

const golden = `${process.cwd()}/test/golden/files`
const trust = `${golden}/usual.trust.json`
const genuine = `${golden}/one-reading-independent.kedge`
const forged = `${golden}/reading-changed.kedge`

/** The real command, as npm starts it: in the folder of the clone, told where the person stands. */
const kedge = (args: readonly string[], { standing = '', lang = 'C' } = {}) =>
  run(process.execPath, ['--import=tsx', 'gateway/cli.ts', ...args], {
    env: { LC_ALL: lang, ...(standing && { INIT_CWD: standing }) },
  })

const objectsIn = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

test('an auditor reads the verdict in one sentence, then sixteen lines', async (t) => {
  const { code, stdout, stderr } = await kedge(['verify', genuine, '--trust', trust])
  t.is(stderr, '')
  t.is(code, 0)
  const [sentence = '', ...lines] = stdout.trimEnd().split('\n')
  t.true(sentence.startsWith(`${genuine}: COMPLETE: nothing is missing and nothing was changed`))
  t.is(lines.length, 16)
  t.regex(lines[0] ?? '', /^ {3}PASS {9}file {10}the file is whole/)
  // No terminal, no colour.
  t.false(stdout.includes('\u001b'))
})

test('a Chinese system is answered in Chinese', async (t) => {
  const { code, stdout } = await kedge(['verify', forged, '--trust', trust], {
    lang: 'zh_CN.UTF-8',
  })
  t.is(code, 4)
  t.regex(stdout, /无效：请勿采信此文件/)
  t.regex(stdout, /不通过 {2}stream {8}读数仍在封存时的位置和次序/)
})

test('of several files each gets its line and the worst decides, from where the person stands', async (t) => {
  const files = ['one-reading-independent.kedge', 'reading-changed.kedge', 'one-reading.kedge']
  const { code, stdout, stderr } = await kedge(
    ['verify', ...files, '--trust', 'usual.trust.json', '--json'],
    { standing: golden },
  )
  t.is(stderr, '')
  t.is(code, 4)
  const reports = objectsIn(stdout)
  t.deepEqual(
    reports.map(({ file, verdict }) => [file, verdict]),
    files.map((file, i) => [file, i === 1 ? 'invalid' : 'complete']),
  )
  for (const { claim, lines } of reports) {
    t.is(typeof claim, 'string')
    t.is(lines.length, 16)
    t.deepEqual(Object.keys(lines[0]), ['property', 'result', 'reason'])
  }
})

test('without trust nothing is complete', async (t) => {
  const { code, stdout } = await kedge(['verify', genuine, '--json'])
  t.is(code, 1)
  t.is(objectsIn(stdout)[0].verdict, 'undetermined')
})

test('what cannot be read is said file by file, and the others are judged all the same', async (t) => {
  await using folder = await scratchFolder()
  await run('mkfifo', [`${folder.path}/pipe`])
  await mkdir(`${folder.path}/folder`)
  await writeFile(`${folder.path}/huge`, '')
  await truncate(`${folder.path}/huge`, 64 * 1024 * 1024 + 1)
  const { code, stdout, stderr } = await kedge(
    ['verify', 'pipe', 'folder', 'huge', 'missing', genuine, '--trust', trust, '--json'],
    { standing: folder.path },
  )
  t.is(code, 2)
  t.deepEqual(
    objectsIn(stdout).map(({ file, verdict, lines }) => [file, verdict, lines[0].result]),
    [
      ['huge', 'invalid', 'FAIL'],
      [genuine, 'complete', 'PASS'],
    ],
  )
  t.deepEqual(objectsIn(stderr), [
    refusal('pipe', 'this is neither a file nor a folder'),
    refusal('folder', 'this is a folder, not a file'),
    refusal('missing', 'no such file'),
  ])
})

const refusal = (at: string, message: string) => ({
  error: { code: 'FILE_UNREADABLE', message, at },
})

test('a trust file that says nothing is an error of the person, not of the evidence', async (t) => {
  await using folder = await scratchFolder()
  await writeFile(`${folder.path}/trust.json`, '{}')
  const { code, stdout, stderr } = await kedge(
    ['verify', genuine, '--trust', 'trust.json', '--json'],
    {
      standing: folder.path,
    },
  )
  t.is(code, 2)
  t.is(stdout, '')
  t.like(objectsIn(stderr)[0].error, { code: 'TRUST_INVALID', at: 'trust.json' })
})

test('a word that is no verb is answered with the one that was meant', async (t) => {
  const { code, stdout, stderr } = await kedge(['verfy'])
  t.is(code, 2)
  t.is(stdout, '')
  t.is(stderr, 'kedge: there is no verb verfy (USAGE)\nkedge: hint: did you mean verify?\n')
})

test('help names every verb, and every verb has its page', async (t) => {
  const { code, stdout } = await kedge(['help', '--json'])
  t.is(code, 0)
  const [{ verbs }] = objectsIn(stdout)
  t.deepEqual(
    verbs.map(({ verb }: { verb: string }) => verb),
    [
      ...[
        'simulate',
        'demo',
        'init',
        'run',
        'status',
        'shipment',
        'prove',
        'verify',
        'show',
        'trust',
        'export',
      ],
      ...[
        'import',
        'store',
        'keys',
        'enrol',
        'anchor',
        'witness',
        'config',
        'decode',
        'encode',
        'help',
      ],
    ],
  )
  for (const { verb, options } of verbs.filter((of: { verb: string }) => of.verb.startsWith('s'))) {
    const page = await kedge([verb, '--help'])
    for (const option of Object.keys(options)) t.true(page.stdout.includes(`--${option}`))
  }
})

test('readings are shown one a line, and a reader that goes away ends it quietly', async (t) => {
  const shown = await kedge(['show', `${golden}/range-of-2000.kedge`, '--json'])
  t.is(shown.code, 0)
  const readings = objectsIn(shown.stdout)
  t.is(readings.length, 2000)
  t.is(typeof readings[0].stream, 'string')
  const command = '"$0" --import=tsx gateway/cli.ts show "$1" | head -n 1'
  const piped = await run('sh', ['-c', command, process.execPath, `${golden}/range-of-2000.kedge`])
  t.is(piped.stderr, '')
  t.is(piped.stdout.trimEnd().split('\n').length, 1)
})

test('bytes that are no evidence cannot be shown', async (t) => {
  const { code, stderr } = await kedge(['show', 'package.json', '--json'])
  t.is(code, 4)
  t.like(objectsIn(stderr)[0].error, { code: 'EVIDENCE_MALFORMED', at: 'package.json' })
})

test('extracting into a folder with odd things in it ends, and says what is in the way', async (t) => {
  await using folder = await scratchFolder()
  const standing = folder.path
  const args = ['verify', genuine, '--trust', trust, '--extract', 'out', '--json']
  const [{ extracted }] = objectsIn((await kedge(args, { standing })).stdout)
  const message = `${standing}/${extracted[0].dir}/M.bin`
  await rm(message)
  // Whoever waits for a pipe that nobody writes to, or reads a device, never ends.
  await symlink('/dev/zero', message)
  const { code, stderr } = await kedge(args, { standing })
  t.is(code, 2)
  t.regex(stderr, /is there already, and is another/)
})

testWith('openssl')('OpenSSL agrees with every signature that is extracted', async (t) => {
  await using folder = await scratchFolder()
  const standing = folder.path
  const args = ['verify', genuine, '--trust', trust, '--extract', "an auditor's folder", '--json']
  const { code, stdout } = await kedge(args, { standing })
  t.is(code, 0)
  const [{ extracted }] = objectsIn(stdout)
  t.true(extracted.length > 0)
  for (const { dir, openssl } of extracted) {
    t.deepEqual((await readdir(`${standing}/${dir}`)).sort(), ['M.bin', 'key.pem', 'sig.der'])
    const checked = await run('sh', ['-c', openssl], { cwd: standing })
    t.is(checked.stdout, 'Signature Verified Successfully\n')
  }

  t.is((await kedge(args, { standing })).code, 0, 'the same files again are no conflict')
  const message = `${standing}/${extracted[0].dir}/M.bin`
  await writeFile(message, 'something else')
  const refused = await kedge(args, { standing })
  t.is(refused.code, 2)
  t.is(objectsIn(refused.stdout)[0].verdict, 'complete', 'the verdict is printed all the same')
  t.regex(refused.stderr, /is there already, and is another/)
  t.is(await readFile(message, 'utf8'), 'something else')
})
