import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkpointMessage } from '../../anchor-client/evidence/seal.ts'
import { dataFolder } from '../../gateway/data-folder.ts'
import { initialise } from '../../gateway/initialise.ts'
import { openStore } from '../../gateway/store.ts'
import { readingLeaf, sealNow, testStreams } from '../helpers/journal.ts'
import { asked } from '../helpers/running-gateway.ts'
import { celsiusAt } from './journal-paths.ts'
import { atMost, type Row } from './row.ts'

const probes = 5
const readings = 36_000
/** What `commit.holdMs` gathers at ten readings a second. */
const perFrame = 2
/** As many as a minute has. */
const perBatch = 600

/** An hour at ten readings a second, its time driven by hand: what is handed to write calls, by what `export` prints. */
export async function volumeRow(folder: string): Promise<Row> {
  const data = dataFolder(join(folder, 'volume'))
  await initialise(data, undefined, () => 'site: bench\ngateway: volume\n')
  const before = writtenBytes()
  {
    await using store = await openStore(data)
    const { journal, identity } = store
    const streams = testStreams(journal)
    for (let i = 0; i < readings; i++) {
      const leaf = readingLeaf(celsiusAt(i), 100 * i)
      journal.add({ stream: streams.open(`cold-room/probe-${i % probes}`), leaf })
      if (i % perFrame === perFrame - 1) await journal.flush()
      if (i % perBatch < perBatch - 1) continue
      const { size, historyRoot } = await sealNow(journal)
      const message = checkpointMessage({ ...identity, size, root: historyRoot })
      // As long as a signature is.
      const signed = {
        key: new Uint8Array(65),
        signature: new Uint8Array(64).fill(message[0] ?? 0),
      }
      await journal.keepSignature({ size, isInterim: false, ...signed })
    }
  }
  const written = writtenBytes() - before
  let exported = 0
  for (let probe = 0; probe < probes; probe++) {
    const { lines } = await asked(data, 'export', { stream: `cold-room/probe-${probe}` })
    for (const line of lines) exported += JSON.stringify(line).length + 1
  }
  const what = 'bytes written in an hour at 10 readings/s, by byte of export, compactions included'
  return atMost('journal', what, written / exported, 'bytes', 2)
}

/** Of this process, whatever it wrote to. */
function writtenBytes(): number {
  return Number(/^wchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1])
}
