import { openEmbedded } from '../../anchor-client/ledgers/embedded.ts'
import { host } from './embedded.ts'

// A process that opens the ledger in a folder, says so, and holds it until it is killed.
const [path = ''] = process.argv.slice(2)
await openEmbedded(path, host({ isFirstUse: true }))
process.stdout.write('open\n')
setInterval(() => {}, 1000)
