import type { Query } from './query.ts'

/** Reads everything, and names what is not there any more as exact ranges. */
export const check: Query = async function* ({ store, live }) {
  await live?.store.journal.flush()
  const { reader, journal } = store
  const { damagedTables, damage } = await journal.scrub()
  if (damagedTables.length > 0) {
    // Nothing in it is read before it is mended, which the next start does.
    yield { line: { ok: false, damagedTables } }
    yield { exit: 1 }
    return
  }
  let readings = 0
  const damaged: { stream: string; from: number; to: number }[] = []
  for await (const { number, descriptor, size } of reader.streams()) {
    let last: { stream: string; from: number; to: number } | undefined
    for await (const { index, leaf } of reader.leaves(number, 0, size)) {
      if (leaf !== null) {
        readings += 1
        continue
      }
      if (last?.to === index) {
        last.to = index + 1
        continue
      }
      last = { stream: descriptor.source, from: index, to: index + 1 }
      damaged.push(last)
    }
  }
  const seals = await badSeals(reader, journal.size)
  const isWell = damaged.length === 0 && seals.length === 0
  const undeclared = damage.reduce((sum, { from, to }) => sum + to - from, 0)
  yield {
    line: {
      ok: isWell,
      readings,
      bytes: await journal.bytes(),
      damaged: damaged.map(({ stream, from, to }) => ({ stream, from, to: to - 1 })),
      damagedSeals: seals,
      /** Leaves that no record names so far: the next start of the gateway puts them on record. */
      undeclared,
    },
  }
  if (!isWell) yield { exit: 1 }
}

async function badSeals(
  reader: { seal(seq: number): Promise<unknown> },
  size: number,
): Promise<number[]> {
  const bad: number[] = []
  for (let seq = 0; seq < size; seq++) await reader.seal(seq).catch(() => bad.push(seq))
  return bad
}
