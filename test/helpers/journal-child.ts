import { writeSync } from 'node:fs'
import { openTestJournal, readingLeaf, sealNow, testStreams } from './journal.ts'

// A gateway that commits and seals without an end, until it is killed. What is acknowledged is said at once.
const [path = '', source = ''] = process.argv.slice(2)
const journal = await openTestJournal(path)
const streams = testStreams(journal)
const any = (limit: number): number => Math.floor(Math.random() * limit)
let made = 0

for (;;) {
  for (let left = any(40); left > 0; left--) {
    const stream = streams.open(`${source}-${any(4)}`)
    const leaf = readingLeaf(any(9999), made++)
    const committed = (index: number) => {
      writeSync(1, `${stream.number} ${index} ${Buffer.from(leaf.body).toString('hex')}\n`)
    }
    journal.add({ stream, leaf, committed }, any(3) === 0 ? 5 : 0)
  }
  if (any(3) > 0) await journal.flush()
  else await new Promise((resolve) => setImmediate(resolve))
  if (any(8) > 0) continue
  const { size } = await sealNow(journal, any(6) === 0)
  writeSync(1, `sealed ${size}\n`)
  const signature = {
    size,
    isInterim: false,
    key: new Uint8Array(65),
    signature: new Uint8Array(64),
  }
  await journal.keepSignature(signature)
  // Now and then a stream ends.
  const [last] = Array.from(journal.streams.values()).slice(-1)
  if (last && last.number > 0 && any(4) === 0 && !last.isClosed) streams.close(last)
}
