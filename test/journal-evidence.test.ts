import { cp, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { bytesToHex } from '../anchor-client/evidence/bytes.ts'
import { dataFolder } from '../gateway/data-folder.ts'
import { initialise } from '../gateway/initialise.ts'
import { rowsInLog } from '../gateway/journal/saved-rows.ts'
import { asked, publish, running, verdictOf } from './helpers/running-gateway.ts'
import { scratchFolder } from './helpers/scratch.ts'

const config = `
site: test
gateway: damaged
ingest: { mqtt: { listen: "127.0.0.1:0" } }
batch: { maxReadings: 25, maxAge: 1s }
journal: { minFree: 0B, reserve: 1MiB }
`

test('readings that decay on the disk are declared, and everything beside them is proved as before', async (t) => {
  await using folder = await scratchFolder()
  const whole = dataFolder(join(folder.path, 'whole'))
  await initialise(whole, undefined, () => config)
  await running(whole, config, async (url) => {
    await publish(url, 0, 49, 'other')
    await publish(url, 0, 99)
  })

  const verdicts: string[] = []
  for (const [i, part] of [0.15, 0.3, 0.45, 0.6, 0.75, 0.9].entries()) {
    const data = dataFolder(join(folder.path, `damaged-${i}`))
    await cp(whole.folder, data.folder, { recursive: true })
    await spoilFrame(data.store(0).journal, part)
    // The next start finds it out and puts it on record; readings go on without a break.
    await running(data, config, (url) => publish(url, 100, 119))

    const { lines } = await asked(data, 'check', {})
    for (const stream of ['mqtt/probe', 'mqtt/other']) {
      const { leaves } = await streamOf(data, stream)
      const { bytes } = await asked(data, 'prove', { stream, index: `0-${leaves - 1}` })
      const { verdict, lines: judged } = verdictOf(bytes, (await asked(data, 'trust', {})).bytes)
      const isDamaged = JSON.stringify(lines[0]?.damaged).includes(stream)
      t.is(verdict, isDamaged ? 'complete-with-declared-gaps' : 'complete', JSON.stringify(judged))
      verdicts.push(verdict)
    }
  }
  t.true(verdicts.includes('complete-with-declared-gaps'))
  t.true(verdicts.includes('complete'))
})

/** One bit of a leaf in the frame that lies about there in the log. */
async function spoilFrame(journal: string, part: number): Promise<void> {
  const name = (await readdir(journal)).find((of) => of.endsWith('.log')) as string
  const bytes = Buffer.from(await readFile(join(journal, name)))
  const frames = rowsInLog(Uint8Array.from(bytes)).rows.filter(({ kind }) => kind === 'frame')
  const { body } = frames[Math.floor(part * frames.length)] as (typeof frames)[number]
  const at = bytes.indexOf(Buffer.from(body.subarray(-40)))
  if (at < 0) throw new Error(`${bytesToHex(body)} is not in one piece in the log`)
  bytes[at + 20] = (bytes[at + 20] as number) ^ 4
  await writeFile(join(journal, name), bytes)
}

async function streamOf(data: ReturnType<typeof dataFolder>, stream: string) {
  const { lines } = await asked(data, 'status', {})
  const streams = lines[0]?.streams as { stream: string; leaves: number }[]
  const found = streams.find((of) => of.stream === stream)
  if (found === undefined) throw new Error(JSON.stringify(streams))
  return found
}
