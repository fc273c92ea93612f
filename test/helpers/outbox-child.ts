import { appendFileSync } from 'node:fs'
import { runOutbox } from '../../gateway/anchoring/outbox.ts'
import {
  historyOf,
  openLedger,
  openStore,
  quickPace,
  signedFile,
  signedSoFar,
  watchSends,
} from './outbox.ts'

// A gateway that signs and anchors without an end, until it is killed. What it signed stands in a file.
const [folder = ''] = process.argv.slice(2)
const size = signedSoFar(folder)
const history = historyOf(size > 0 ? { size } : {})
const session = await openLedger(folder)
const store = await openStore(folder, history)
process.stdout.write('open\n')
await runOutbox({
  name: 'embedded',
  session: watchSends(session, folder),
  history,
  store,
  signal: new AbortController().signal,
  onEvent: (event) => process.stdout.write(`${JSON.stringify(event)}\n`),
  pace: quickPace,
  async waitForNewer(held) {
    const next = Math.max(held, history.size()) + 1 + Math.floor(Math.random() * 3)
    appendFileSync(signedFile(folder), `${next}\n`)
    history.sign(next)
  },
})
