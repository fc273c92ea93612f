// Alone in its file: while a program is being started, it holds every port that is open at that moment.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { gnssNmea } from '../drivers/gnss-nmea.ts'
import { descriptorsInto, watch } from './driver-suite.ts'
import { testWith } from './helpers/tools.ts'
import { vectors } from './helpers/vectors.ts'

const { sentences } = vectors('drivers/nmea.json') as { sentences: [string, string, string] }
const [, rmc] = sentences

testWith('python3')(
  'a receiver on a serial line is read, told by name when unplugged, and let go of',
  async (t) => {
    await using line = await openLine()
    const options = gnssNmea.options.parse({ port: line.path, everyMs: 0 })
    const stop = new AbortController()
    const { samples } = watch(gnssNmea, options, stop.signal)
    t.is((await samples.next()).value?.kind, 'position')
    t.is(await descriptorsInto(line.path), 1)
    stop.abort()
    t.true((await samples.next()).done)
    t.is(await descriptorsInto(line.path), 0)

    const again = watch(gnssNmea, options, AbortSignal.timeout(60_000))
    t.is((await again.samples.next()).value?.kind, 'position')
    line.unplug()
    await t.throwsAsync(
      async () => {
        for await (const _ of again.samples);
      },
      { code: 'SENSOR_ABSENT', message: /unplugged/ },
    )
    t.is(await descriptorsInto(line.path), 0)
  },
)

/** A virtual serial line with a receiver on it, that ends with its standard input. */
async function openLine() {
  const script = `
import os, pty, select, sys, tty
master, slave = pty.openpty()
tty.setraw(slave)
os.set_blocking(master, False)
print(os.ttyname(slave), flush=True)
while not select.select([sys.stdin], [], [], 0.03)[0]:
    if select.select([], [master], [], 0)[1]: os.write(master, b'${rmc}\\r\\n')
`
  const child = spawn('python3', ['-c', script])
  const path = String((await once(child.stdout, 'data'))[0]).trim()
  const unplug = () => void child.stdin.end()
  return { path, unplug, [Symbol.asyncDispose]: async () => unplug() }
}
