import { historyOf, openLedger, openStore, watchSends } from './outbox.ts'
import { scratchFolder } from './scratch.ts'

/** A gateway with its ledger and its store, in a folder of its own. */
export async function newBox(size = 3) {
  const { path, ...folder } = await scratchFolder()
  const history = historyOf({ size })
  const ledger = await openLedger(path)
  const store = await openStore(path, history)
  return {
    path,
    history,
    ledger,
    store,
    session: watchSends(ledger, path),
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      await ledger[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}
