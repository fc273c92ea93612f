import { readdir, readlink } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import type { z } from 'zod'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import type { ClockFix, Driver, Sample } from '../drivers/driver.ts'
import { run } from './helpers/spawn.ts'

/** A device on the bench: the far side of the driver's wire, told by a test what to do. */
interface Bench<Options> extends AsyncDisposable {
  readonly options: Options
  /** From now on the device says good readings, one after the other. */
  speak(): Promise<void>
  /** From now on what it says has a bad checksum. */
  garble(): Promise<void>
  /** It stays connected and says no word more. */
  hush(): Promise<void>
  /** It answers, and has nothing to report. */
  idle?(): Promise<void>
  unplug(): Promise<void>
  replug(): Promise<void>
  /** How many files or connections of the device are open at the moment. */
  opened(): Promise<number>
}

interface Suite<Schema extends z.ZodObject> {
  readonly driver: Driver<Schema>
  /** Its module, from the root of the repository. */
  readonly module: string
  /** The device answers when it has nothing to report, so that silence and absence are not the same. */
  readonly saysWhenIdle?: boolean
  /** What it is refused for where its frames have no checksum. */
  readonly refusedFor?: RegExp
  openBench(): Promise<Bench<z.output<Schema>>>
}

interface Watched {
  readonly refused: { readonly reason: string; readonly bytes: Uint8Array }[]
  /** Sources whose device answered and had nothing to report, once for every time. */
  readonly heard: string[]
  readonly fixes: ClockFix[]
  readonly warnings: string[]
}

/** Starts a driver as the gateway does, and notes what it tells besides samples. */
export function watch<Schema extends z.ZodObject>(
  driver: Driver<Schema>,
  options: z.output<Schema>,
  signal: AbortSignal,
) {
  const watched: Watched = { refused: [], heard: [], fixes: [], warnings: [] }
  const samples = driver.read(options, {
    signal,
    refuse: (reason, bytes) => void watched.refused.push({ reason, bytes }),
    heard: (source) => void watched.heard.push(source),
    clock: (fix) => void watched.fixes.push(fix),
    warn: (message) => void watched.warnings.push(message),
  })
  return { samples, ...watched }
}

/** A driver that is told to stop, and has closed what it opened, when the test is over. */
export function started<Schema extends z.ZodObject>(
  driver: Driver<Schema>,
  options: z.output<Schema>,
) {
  const stop = new AbortController()
  const watched = watch(driver, options, stop.signal)
  return {
    ...watched,
    stop: () => stop.abort(),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await watched.samples.return()
    },
  }
}

/** What every driver must keep; a new one adds a line to its own test file. */
export function driverSuite<Schema extends z.ZodObject>(
  name: string,
  { driver, module, saysWhenIdle, refusedFor = /checksum|CRC/, openBench }: Suite<Schema>,
): void {
  /** A test on a bench of its own; whatever it leaves open is the driver's fault. */
  const onBench = (
    title: string,
    body: (t: ExecutionContext, bench: Bench<z.output<Schema>>) => Promise<void>,
  ) =>
    test(`${name}: ${title}`, async (t) => {
      await using bench = await openBench()
      await body(t, bench)
      await closed(bench)
      t.is(await bench.opened(), 0, 'everything that was opened is closed')
    })

  test(`${name}: loading the program opens no device`, async (t) => {
    const script = `const before = process.getActiveResourcesInfo().length
      await import('./${module}')
      const native = process.report.getReport().sharedObjects.filter((at) => at.endsWith('.node'))
      const more = process.getActiveResourcesInfo().length - before
      console.log(JSON.stringify([Math.max(0, more), native]))`
    const { stdout, stderr } = await run(process.execPath, [
      '--import=tsx',
      '--input-type=module',
      '-e',
      script,
    ])
    t.is(stdout.trim(), '[0,[]]', stderr)
  })

  onBench('what it records belongs to the streams that it named beforehand', async (t, bench) => {
    const named = driver.sources(bench.options)
    await bench.speak()
    const samples = await take(3, bench.options)
    t.is(samples.length, 3)
    for (const { source, kind } of samples) {
      t.true(named.some((one) => one.source === source && one.kinds.includes(kind)))
    }
  })

  onBench('it stops when it is told to, and can be started again', async (t, bench) => {
    await bench.speak()
    for (let round = 0; round < 3; round++) {
      t.is((await take(2, bench.options)).length, 2)
      await closed(bench)
      t.is(await bench.opened(), 0)
    }
  })

  onBench('it stops even while the device says nothing', async (t, bench) => {
    await bench.hush()
    const stop = new AbortController()
    const { samples, heard } = watch(driver, bench.options, stop.signal)
    const next = samples.next()
    await setTimeout(50)
    stop.abort()
    t.deepEqual(await next, { done: true, value: undefined })
    t.deepEqual(heard, [], 'a device that says nothing gives no sign of life')
  })

  if (saysWhenIdle) {
    onBench('a device that has nothing to report is heard', async (t, bench) => {
      await bench.idle?.()
      const stop = new AbortController()
      const { samples, heard } = watch(driver, bench.options, stop.signal)
      const next = samples.next()
      await until(() => heard.length > 1)
      stop.abort()
      t.true((await next).done, 'and records nothing')
      t.true(heard.length > 1)
      const named = driver.sources(bench.options).map(({ source }) => source)
      t.true(heard.every((source) => named.includes(source)))
    })
  }

  onBench('told to stop before it began, it opens nothing', async (t, bench) => {
    const { samples } = watch(driver, bench.options, AbortSignal.abort())
    t.deepEqual(await samples.next(), { done: true, value: undefined })
  })

  onBench('after the stop not one reading more is recorded', async (t, bench) => {
    await bench.speak()
    const stop = new AbortController()
    const { samples } = watch(driver, bench.options, stop.signal)
    t.false((await samples.next()).done)
    await setTimeout(50)
    const next = samples.next()
    stop.abort()
    t.true((await next).done)
    t.true((await samples.next()).done)
  })

  onBench('whoever stops listening leaves nothing open', async (t, bench) => {
    await bench.speak()
    const { signal } = new AbortController()
    for await (const sample of watch(driver, bench.options, signal).samples) {
      t.truthy(sample)
      break
    }
  })

  onBench(
    `${refusedFor.test('bad checksum') ? 'a bad checksum' : 'what is no reading'} is refused with its reason, and the next good reading is read`,
    async (t, bench) => {
      await bench.garble()
      const stop = new AbortController()
      const { samples, refused } = watch(driver, bench.options, stop.signal)
      const next = samples.next()
      await until(() => refused.length > 0)
      t.regex(refused[0]?.reason ?? '', refusedFor)
      t.true((refused[0]?.bytes.length ?? 0) > 0)
      await bench.speak()
      t.false((await next).done)
      stop.abort()
      t.true((await samples.next()).done)
    },
  )

  onBench(
    'an unplugged device is told by name, and read again when it is back',
    async (t, bench) => {
      await bench.speak()
      const { signal } = new AbortController()
      const { samples } = watch(driver, bench.options, signal)
      t.false((await samples.next()).done)
      await bench.unplug()
      const failure = await t.throwsAsync(async () => {
        for await (const _ of samples);
      })
      t.true(failure instanceof KedgeError && failure.code.startsWith('SENSOR_'))
      await closed(bench)
      t.is(await bench.opened(), 0)

      const absent = watch(driver, bench.options, signal).samples.next()
      const error = await t.throwsAsync(absent, { code: 'SENSOR_ABSENT' })
      t.truthy((error as KedgeError).hint, 'a person is told what to check')
      await bench.replug()
      await bench.speak()
      t.is((await take(1, bench.options)).length, 1)
    },
  )

  async function take(count: number, options: z.output<Schema>): Promise<readonly Sample[]> {
    const stop = new AbortController()
    const taken: Sample[] = []
    for await (const sample of watch(driver, options, stop.signal).samples) {
      if (taken.push(sample) === count) stop.abort()
    }
    return taken
  }
}

/** Waits until something is so, or half a minute. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 3000 && !(await isSo()); tries++) await setTimeout(10)
}

/** The far side of a wire learns of the end a moment later. */
const closed = (bench: Pick<Bench<unknown>, 'opened'>) =>
  until(async () => (await bench.opened()) === 0)

/** How many descriptors of this process lead into a folder; 0 where the system does not say. */
export async function descriptorsInto(folder: string): Promise<number> {
  const names = await readdir('/proc/self/fd').catch(() => [])
  const targets = names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => ''))
  return (await Promise.all(targets)).filter((target) => target.startsWith(folder)).length
}
