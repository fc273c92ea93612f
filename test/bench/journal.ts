import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { scratchFolder } from '../helpers/scratch.ts'
import { ingestRows } from './journal-ingest.ts'
import { filePath, journalPath, type Path, packagesPath } from './journal-paths.ts'
import { volumeRow } from './journal-volume.ts'
import { atMost, measured, type Row } from './row.ts'

const batchReadings = 1000
const runs = 5

/** The durability rows: readings that are on the disk, hashed, sealed and signed before anyone hears of it. */
export async function* benchJournal(): AsyncIterable<Row> {
  await using folder = await scratchFolder()
  yield* batchRows(folder.path)
  yield await oneRow(folder.path)
  yield* ingestRows(folder.path)
  yield await volumeRow(folder.path)
}

async function* batchRows(folder: string): AsyncIterable<Row> {
  await using ours = await at(folder, 'ours', journalPath)
  await using file = await at(folder, 'file', filePath)
  await using packages = await at(folder, 'packages', packagesPath)
  const rates = { ours: [] as number[], file: [] as number[], packages: [] as number[] }
  const latenciesMs: number[] = []
  for (let run = 0; run <= runs; run++) {
    const times: number[] = []
    const found = {
      ours: await rateOf(ours, 100, times),
      file: await rateOf(file, 100, []),
      packages: await rateOf(packages, 8, []),
    }
    // The first run is for the engine to warm up.
    if (run === 0) continue
    latenciesMs.push(percentile(times, 0.99))
    for (const name of ['ours', 'file', 'packages'] as const) rates[name].push(found[name])
  }
  const { median, spread } = measured(rates.ours)
  const beside = (peer: number, peerName: string): Row => ({
    topic: 'journal',
    what: `durable, hashed, sealed, signed, batches of ${batchReadings}`,
    ours: median,
    unit: 'readings/s',
    peer,
    peerName,
    better: 'higher',
    runs,
    spread,
  })
  yield beside(measured(rates.file).median, 'a bare fsynced append file of the same records')
  yield beside(measured(rates.packages).median, 'level and sm-crypto alone')
  yield beside(300_000, 'goal on a quiet machine')
  const p99 = measured(latenciesMs)
  const what = `a batch of ${batchReadings}, from its first reading to its signature, p99`
  yield { ...atMost('journal', what, p99.median, 'ms', 10), runs, spread: p99.spread }
}

async function oneRow(folder: string): Promise<Row> {
  await using ours = await at(folder, 'one', journalPath)
  const times: number[] = []
  for (let i = 0; i < 300; i++) {
    const startMs = performance.now()
    await ours.batch(1)
    if (i >= 100) times.push(performance.now() - startMs)
  }
  const what = 'one reading committed, sealed and signed, p50'
  return { ...atMost('journal', what, percentile(times, 0.5), 'ms', 2), runs: times.length }
}

async function at(folder: string, name: string, open: (path: string) => Promise<Path>) {
  const path = join(folder, name)
  await mkdir(path)
  return open(path)
}

/** Readings a second; the next batch is on its way while one is written. */
async function rateOf(path: Path, batches: number, latenciesMs: number[]): Promise<number> {
  let left = batches
  const startMs = performance.now()
  const work = async () => {
    while (left-- > 0) {
      const beganMs = performance.now()
      await path.batch(batchReadings)
      latenciesMs.push(performance.now() - beganMs)
    }
  }
  await Promise.all([work(), work()])
  return (1000 * batches * batchReadings) / (performance.now() - startMs)
}

function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] as number
}
