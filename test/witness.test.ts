import { scratchFolder } from './helpers/scratch.ts'
import { connectTo, ownedBy, portOf, type ServedWitness, serveWitness } from './helpers/witness.ts'
import { ledgerSuite } from './ledger-suite.ts'

ledgerSuite('witness', async () => {
  const { path, ...folder } = await scratchFolder()
  const served = await serveWitness(path)
  return {
    open: async () => ownedBy(() => served, await connectTo(served.url)),
    async [Symbol.asyncDispose]() {
      await served[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
})

ledgerSuite('witness, started anew for each connection', async () => {
  const { path, ...folder } = await scratchFolder()
  let served: ServedWitness | undefined
  return {
    async open() {
      await served?.[Symbol.asyncDispose]()
      const port = served && portOf(served.url)
      const isFirstUse = served === undefined
      served = await serveWitness(path, { isFirstUse, ...(port && { port }) })
      return ownedBy(() => served as ServedWitness, await connectTo(served.url))
    },
    async [Symbol.asyncDispose]() {
      await served?.[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
})
