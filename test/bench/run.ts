import { parseArgs } from 'node:util'
import { benchContract } from './contract.ts'
import { benchCrypto } from './crypto.ts'
import { benchJournal } from './journal.ts'
import { benchLedger } from './ledger.ts'
import { type Row, ratioOf } from './row.ts'
import { benchVerify } from './verify.ts'

/** npm run bench -- [TOPIC] [--json]: every number beside a peer or a limit from the same run. */
const topics: Readonly<Record<string, () => Iterable<Row> | AsyncIterable<Row>>> = {
  contract: benchContract,
  crypto: benchCrypto,
  journal: benchJournal,
  ledger: benchLedger,
  verify: benchVerify,
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false } },
})
const unknown = positionals.filter((name) => !Object.hasOwn(topics, name))
if (unknown.length > 0) {
  console.error(`no topic ${unknown.join(', ')}; there are: ${Object.keys(topics).join(', ')}`)
  process.exitCode = 2
} else {
  for (const name of positionals.length > 0 ? positionals : Object.keys(topics)) {
    for await (const row of (topics[name] as (typeof topics)[string])()) print(row, values.json)
  }
}

function print(row: Row, json: boolean): void {
  const ratio = Number(ratioOf(row).toPrecision(3))
  if (json) {
    console.log(JSON.stringify({ ...row, ratio }))
    return
  }
  const { topic, what, ours, unit, peer, peerName, runs, spread } = row
  const beside = `${peerName} ${rounded(peer)}`
  console.log(
    `${topic}  ${what}: ${rounded(ours)} ${unit}, beside ${beside}: ${ratio} ×` +
      (runs > 1 ? `  (${runs} runs, spread ${Math.round(100 * spread)} %)` : ''),
  )
}

function rounded(value: number): string {
  return Number(value.toPrecision(4)).toLocaleString('en', { maximumFractionDigits: 3 })
}
