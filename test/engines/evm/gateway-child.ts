import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { evm } from '../../../anchor-client/ledgers/evm.ts'
import { runOutbox } from '../../../gateway/anchoring/outbox.ts'
import { hostOf, optionsOf } from '../../helpers/evm-ledger.ts'
import { openStore, signedFile, signedSoFar } from '../../helpers/outbox.ts'
import { accountFolder, historyOfBox, pace } from './box.ts'
import { writerOf } from './chains.ts'
import { contractAt, hexOf } from './genesis.ts'

// A gateway that signs and anchors without an end, until it is killed. What it signed stands in a file.
const { path, startMs, contract, told, url } = JSON.parse(process.argv[2] ?? '')
const history = historyOfBox(contract, startMs)
const size = signedSoFar(path)
if (size > 0) history.sign(size)
const options = optionsOf(url, hexOf(contractAt(contract)), join(path, accountFolder), told)
const session = await evm.connect(options, hostOf(writerOf(contract)))
const store = await openStore(path, history)
await runOutbox({
  name: 'evm',
  session,
  history,
  store,
  signal: new AbortController().signal,
  onEvent() {},
  pace,
  async waitForNewer(held) {
    const next = Math.max(held, history.size()) + 2
    appendFileSync(signedFile(path), `${next}\n`)
    history.sign(next)
  },
})
