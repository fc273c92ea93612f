import { backup as parts } from '../backup/backup.ts'
import type { Query } from './query.ts'

export const backup: Query = async function* ({ store, live }) {
  await live?.store.journal.flush()
  let bytes = 0
  for await (const piece of parts(store)) {
    bytes += piece.length
    yield { bytes: piece }
  }
  let readings = 0
  for await (const { size } of store.reader.streams()) readings += size
  yield { line: { readings, bytes } }
}
