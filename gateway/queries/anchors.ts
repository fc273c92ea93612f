import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import {
  getAnchors,
  listAnchors,
  retryAnchors,
  withConfirmations,
} from '../anchoring/anchor-rows.ts'
import { ledgerNames } from '../anchoring/ledger-host.ts'
import type { Live } from '../live.ts'
import { type Query, textOf } from './query.ts'

/** The timeline of every ledger; only the running gateway can ask them again. */
export const anchors: Query = async function* ({ store, live }, asked) {
  const what = textOf(asked, 'what')
  const ledger = textOf(asked, 'ledger')
  const kept = store.anchors
  const heightsNow = async () => (await live?.anchoring.heights()) ?? new Map()
  if (what === 'ls') {
    const heights = await heightsNow()
    for await (const row of listAnchors(kept, ledger))
      yield { line: { ...withConfirmations(row, heights) } }
  } else if (what === 'get') {
    const size = Number(textOf(asked, 'size'))
    const heights = await heightsNow()
    for (const row of await getAnchors(kept, size, ledger)) {
      yield { line: { ...withConfirmations(row, heights) } }
    }
  } else {
    if (live === null) {
      throw new KedgeError('STORE_MISSING', 'no gateway runs on this data folder', {
        hint: 'Start it with kedge run: it asks every ledger when it begins.',
      })
    }
    const { size, historyRoot: root } = store.journal
    const names = namesOf(live, ledger)
    const rows = await retryAnchors(kept, { size, root }, names, live.anchoring.bell)
    for (const row of rows) yield { line: { ...row } }
  }
}

/** As configured: what is asked for the first time is in no store. */
function namesOf({ config }: Live, ledger: string | undefined): readonly string[] {
  const names = ledgerNames(config.anchor)
  if (ledger === undefined) return names
  if (names.includes(ledger)) return [ledger]
  throw new KedgeError('NOT_FOUND', `no ledger ${ledger} is configured`, {
    hint: `Name one of those that are: ${names.join(', ') || 'there is none'}.`,
  })
}
