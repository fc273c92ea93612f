import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import { contactGpio } from '../drivers/contact-gpio.ts'
import {
  getArguments,
  lineSplitter,
  monitorArguments,
  parseChips,
  parseEdge,
  parseLevel,
  parseVersion,
} from '../drivers/transports/gpiod.ts'
import { gpioMachine } from '../hardware/sim/gpio-chip.ts'
import { driverSuite, started, until } from './driver-suite.ts'
import { scratchFolder } from './helpers/scratch.ts'
import { run } from './helpers/spawn.ts'

const versions = ['1.6.3', '2.2.1'] as const

/** A door on line 17 of the header; `speak` opens and closes it again and again. */
async function openBench({
  version = '2.2.1' as (typeof versions)[number],
  ...more
}: { version?: (typeof versions)[number] } & Record<string, unknown> = {}) {
  const folder = await scratchFolder()
  const machine = gpioMachine(folder.path, version)
  machine.chip('gpiochip0', 'raspberrypi-exp-gpio', 8)
  const chip = machine.chip('gpiochip4', 'pinctrl-rp1', 54)
  const line = 17
  chip.set(line, false)
  let isMoving = false
  let isHigh = false
  const moving = setInterval(() => {
    if (!isMoving) return
    isHigh = !isHigh
    chip.set(line, isHigh)
  }, 30)
  return {
    machine,
    chip,
    line,
    options: contactGpio.options.parse({
      ...{ line, tools: machine.tools, debounceMs: 0, checkMs: 400, silentMs: 60_000 },
      ...more,
    }),
    speak: async () => {
      chip.set(line, isHigh)
      isMoving = true
    },
    garble: async () => chip.says(line, 'perhaps'),
    hush: async () => chip.hang(line, true),
    unplug: async () => {
      isMoving = false
      chip.unplug()
    },
    replug: async () => chip.replug(),
    opened: async () => machine.running(),
    async [Symbol.asyncDispose]() {
      clearInterval(moving)
      await until(() => machine.running() === 0)
      await folder[Symbol.asyncDispose]()
    },
  }
}

for (const version of versions) {
  driverSuite(`contact by libgpiod ${version}`, {
    driver: contactGpio,
    module: 'drivers/contact-gpio.ts',
    refusedFor: /neither 0 nor 1/,
    openBench: () => openBench({ version }),
  })

  test(`libgpiod ${version}: a door that is opened and closed is recorded with both, and its state before`, async (t) => {
    await using bench = await openBench({ version, checkMs: 30_000, source: 'back-door' })
    await using reading = started(contactGpio, bench.options)
    const value = async () => (await reading.samples.next()).value
    t.deepEqual(await value(), { source: 'back-door', kind: 'contact', value: false })
    const opened = value()
    await until(() => bench.chip.isWatched(bench.line))
    bench.chip.set(bench.line, true)
    t.deepEqual(await opened, { source: 'back-door', kind: 'contact', value: true })
    bench.chip.set(bench.line, false)
    t.deepEqual(await value(), { source: 'back-door', kind: 'contact', value: false })
    t.is(bench.machine.pull(), 'pull-up')
    t.deepEqual(reading.refused, [])
  })
}

test('a contact that is low while it is open says so', async (t) => {
  await using bench = await openBench({ activeLow: true, pull: 'down' })
  await using reading = started(contactGpio, bench.options)
  t.is((await reading.samples.next()).value?.value, true)
  t.is(bench.machine.pull(), 'pull-down')
})

test('a contact where nothing changes is heard at every look, and records nothing more', async (t) => {
  await using bench = await openBench({ checkMs: 100 })
  await using reading = started(contactGpio, bench.options)
  t.false((await reading.samples.next()).done)
  const next = reading.samples.next()
  await until(() => reading.heard.length > 2)
  t.deepEqual(new Set(reading.heard), new Set(['gpio/17']))
  reading.stop()
  t.true((await next).done)
})

test('the bouncing of a contact is no opening, and one that lasts is, however late its edges arrive', async (t) => {
  await using bench = await openBench({ checkMs: 50_000, debounceMs: 5000 })
  await using reading = started(contactGpio, bench.options)
  t.is((await reading.samples.next()).value?.value, false)
  const next = reading.samples.next()
  await until(() => bench.chip.isWatched(bench.line))
  // 3 ms of bouncing, then an opening of nine seconds that bounces too: by the kernel's clock, all at once.
  bench.chip.edges(bench.line, [
    [true, 0],
    [false, 3],
    [true, 10_000],
    [false, 10_001],
    [true, 10_002],
    [false, 19_002],
  ])
  t.like((await next).value, { value: true })
  t.is((await next).value?.quality, undefined)
  t.like((await reading.samples.next()).value, { value: false })
})

test('a change that came without its edge is found by the next look, and marked', async (t) => {
  await using bench = await openBench({ checkMs: 200 })
  await using reading = started(contactGpio, bench.options)
  t.is((await reading.samples.next()).value?.quality, undefined)
  bench.chip.slip(bench.line, true)
  t.like((await reading.samples.next()).value, { value: true, quality: 'suspect: edge missed' })
})

test('a closing without an opening before it is an opening that was missed', async (t) => {
  await using bench = await openBench({ checkMs: 30_000 })
  await using reading = started(contactGpio, bench.options)
  t.is((await reading.samples.next()).value?.value, false)
  const next = reading.samples.next()
  await until(() => bench.chip.isWatched(bench.line))
  bench.chip.edges(bench.line, [[false, 0]])
  t.like((await next).value, { value: true, quality: 'suspect: edge missed' })
  const closed = (await reading.samples.next()).value
  t.is(closed?.value, false)
  t.is(closed?.quality, undefined)
})

test('what gpiomon prints besides edges is refused with its bytes, and the next edge is read', async (t) => {
  await using bench = await openBench({ checkMs: 30_000 })
  await using reading = started(contactGpio, bench.options)
  t.is((await reading.samples.next()).value?.value, false)
  const next = reading.samples.next()
  await until(() => bench.chip.isWatched(bench.line))
  bench.chip.prints(bench.line, 'rising 1.5')
  bench.chip.prints(bench.line, 'x'.repeat(300))
  bench.chip.set(bench.line, true)
  t.is((await next).value?.value, true)
  t.deepEqual(
    reading.refused.map(({ reason, bytes }) => [reason, bytes.length]),
    [
      ['no edge: not a line of gpiomon', 10],
      ['no edge: not a line of gpiomon', 129],
    ],
  )
})

for (const [what, chosen, message] of [
  [
    'a chip that is not there',
    { chip: 'pinctrl-bcm2711' },
    /no GPIO chip pinctrl-bcm2711 \(gpiochip0 \[rasp.*gpiochip4/,
  ],
  ['a line that the chip does not have', { line: 54 }, /gpiochip4 has no line 54, only 54/],
  ['commands that are not installed', { tools: '/nowhere' }, /contacts need the command gpiomon/],
] as const) {
  test(`${what} is told in one sentence`, async (t) => {
    await using bench = await openBench(chosen)
    await using reading = started(contactGpio, bench.options)
    const error = await t.throwsAsync(reading.samples.next(), { code: 'SENSOR_ABSENT', message })
    t.truthy((error as KedgeError).hint)
  })
}

test('a line that another program holds, and a chip that the gateway may not use, are told with what to do', async (t) => {
  await using bench = await openBench()
  await using other = started(contactGpio, { ...bench.options, checkMs: 30_000 })
  await other.samples.next()
  const watching = other.samples.next()
  await until(() => bench.chip.isWatched(bench.line))
  await using second = started(contactGpio, bench.options)
  const busy = await t.throwsAsync(second.samples.next(), { message: /busy/ })
  t.regex((busy as KedgeError).hint ?? '', /Another program/)
  other.stop()
  await watching
  bench.chip.deny(true)
  await using third = started(contactGpio, bench.options)
  const denied = await t.throwsAsync(third.samples.next(), { message: /Permission denied/ })
  t.regex((denied as KedgeError).hint ?? '', /group gpio/)
})

test('a chip that does not answer in time counts as gone, and nothing is left running', async (t) => {
  await using bench = await openBench({ silentMs: 3000 })
  await bench.hush()
  await using reading = started(contactGpio, bench.options)
  await t.throwsAsync(reading.samples.next(), { code: 'SENSOR_ABSENT', message: /within 3000 ms/ })
  t.is(bench.machine.running(), 0)
})

/** A gpiomon that knows its version, and then does this. */
const falseMonitor = (folder: string, script: string) =>
  writeFileSync(
    `${folder}/gpiomon`,
    `#!/bin/sh\n[ "$1" = --version ] && echo 'gpiomon (libgpiod) v2.2.1' && exit\n${script}\n`,
  )

test('told to stop, a contact lets go of a gpiomon that leaves a program of its own behind', async (t) => {
  await using bench = await openBench({ checkMs: 30_000 })
  const mark = `${bench.machine.tools}/sleeping`
  falseMonitor(bench.machine.tools, `sh -c 'echo $$ > ${mark}; exec setsid sleep 600'`)
  await using reading = started(contactGpio, bench.options)
  t.false((await reading.samples.next()).done)
  const next = reading.samples.next()
  await until(() => existsSync(mark) && readFileSync(mark, 'utf8').endsWith('\n'))
  reading.stop()
  const ended = await Promise.race([next, sleep(10_000, null, { ref: false })])
  process.kill(Number(readFileSync(mark, 'utf8')))
  t.true(ended?.done)
})

/** A gateway of its own, that reads a contact until it fails or is killed. */
function gateway(
  { line, tools, checkMs }: { line: number; tools?: string | undefined; checkMs: number },
  path = '',
) {
  const script = `
    const { contactGpio } = await import('./drivers/contact-gpio.ts')
    const options = contactGpio.options.parse({ ...JSON.parse(process.argv[1]), debounceMs: 0 })
    const { signal } = new AbortController()
    const nothing = () => {}
    const told = { signal, refuse: nothing, heard: nothing, clock: nothing, warn: nothing }
    try {
      for await (const _ of contactGpio.read(options, told));
    } catch (error) {
      console.log(error.code, error.message)
    }`
  const options = JSON.stringify({ line, tools, checkMs })
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script, options]
  return spawn(process.execPath, args, {
    env: { PATH: `${path}:${process.env.PATH}` },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

test('a gpiomon that says nothing more and goes on is told by name, and ended', async (t) => {
  await using bench = await openBench({ checkMs: 30_000 })
  const { tools } = bench.machine
  // Behind a timeout of coreutils nobody sees that it says nothing more.
  writeFileSync(`${tools}/timeout`, '#!/bin/sh\necho another timeout\n', { mode: 0o755 })
  falseMonitor(tools, `echo $$ > ${tools}/sleeping; exec sleep 600 >&-`)
  const child = gateway(bench.options, tools)
  const said = await Promise.race([text(child.stdout), sleep(30_000, 'nothing', { ref: false })])
  child.kill('SIGKILL')
  t.regex(said, /SENSOR_ABSENT line 17 of gpiochip4 cannot be watched: gpiomon .* goes on/)
  const sleeping = Number(readFileSync(`${tools}/sleeping`, 'utf8'))
  t.throws(() => process.kill(sleeping, 'SIGKILL'), { code: 'ESRCH' })
})

test('a gateway that is killed outright holds the line for a little while only', async (t) => {
  const { stdout } = await run('timeout', ['--version']).catch(() => ({ stdout: '' }))
  if (!stdout.includes('(GNU coreutils)')) {
    t.log('there is no timeout of coreutils: nothing ends gpiomon')
    t.pass()
    return
  }
  await using bench = await openBench({ checkMs: 1000 })
  const child = gateway(bench.options)
  await until(() => bench.chip.isWatched(bench.line))
  child.kill('SIGKILL')
  await until(() => bench.machine.running() === 0)
  await using reading = started(contactGpio, bench.options)
  t.is((await reading.samples.next()).value?.value, false)
})

test('a chip may be named by its label or its name', async (t) => {
  for (const chip of ['pinctrl-rp1', 'gpiochip4', '/dev/gpiochip4']) {
    await using bench = await openBench({ chip })
    await using reading = started(contactGpio, bench.options)
    t.is((await reading.samples.next()).value?.source, `gpio/${chip.replaceAll('/', '-')}-17`)
  }
})

test('what the commands print is taken to the letter', (t) => {
  t.is(parseVersion('gpiomon (libgpiod) v1.6.3\nCopyright …'), 1)
  t.is(parseVersion('gpiomon (libgpiod) v2.2.1'), 2)
  for (const text of ['', 'gpiomon v1.6', 'gpiomon (libgpiod) v3.0', 'gpiomon (libgpiod) v10.1']) {
    t.throws(() => parseVersion(text), { instanceOf: KedgeError })
  }
  t.deepEqual(
    parseChips('gpiochip0 [pinctrl-bcm2711] (58 lines)\nnoise\ngpiochip9 [] (1 line)\n'),
    [
      { name: 'gpiochip0', label: 'pinctrl-bcm2711', lines: 58 },
      { name: 'gpiochip9', label: '', lines: 1 },
    ],
  )
  t.is(parseLevel('1\n'), true)
  t.is(parseLevel('0\n'), false)
  for (const text of ['', '1', '2\n', '0 1\n', '"17"=active\n', '1\n1\n']) {
    t.throws(() => parseLevel(text), { code: 'SENSOR_GARBLED' })
  }
  // The number of a falling edge is 0 in the one and 2 in the other.
  t.deepEqual(parseEdge(1, '0 12 5'), { isHigh: false, atNs: 12_000_000_005n })
  t.deepEqual(parseEdge(2, 'rising 12.000000005'), { isHigh: true, atNs: 12_000_000_005n })
  for (const line of ['2 12 5', '1 12', 'rising 1.5', '-1 2 3', '1 1234567890123 5', '']) {
    t.throws(() => parseEdge(1, line), { code: 'SENSOR_GARBLED' })
  }
  const split = lineSplitter()
  t.deepEqual(
    ['a', 'b\nc', '\n\n', 'y'.repeat(1000), 'y\nd\n'].map(
      (text) => split(Buffer.from(text)).map(String).length,
    ),
    [0, 1, 2, 1, 1],
  )
})

const place = { chip: 'gpiochip0', line: 3, pull: 'none' } as const

test('the options that are used are those of the installed gpiod', async (t) => {
  const { stdout: version } = await run('gpiomon', ['--version']).catch(() => ({ stdout: '' }))
  if (version === '' && !process.env.KEDGE_REQUIRE_TOOLS) {
    t.log('gpiomon is not installed: nothing to compare with')
    t.pass()
    return
  }
  const major = parseVersion(version)
  for (const [command, args] of [
    ['gpiomon', monitorArguments(major, place)],
    ['gpioget', getArguments(major, place)],
  ] as const) {
    const help = (await run(command, ['--help'])).stdout
    for (const arg of args) {
      const [option = ''] = arg.split('=')
      if (option.startsWith('-'))
        t.true(help.includes(`${option}:`) || help.includes(option), option)
    }
    // An option that it does not know is told before anything else is looked at.
    const { stderr } = await run(command, args)
    t.notRegex(stderr, /unrecognized|invalid|usage/i)
    t.regex(stderr, /gpiochip0|No such (file|device)|not permitted|busy|error|unable|cannot/i)
  }
})
