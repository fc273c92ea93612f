import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import {
  getAnchors,
  listAnchors,
  retryAnchors,
  withConfirmations,
} from '../anchoring/anchor-rows.ts'
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
    const bells = new Map(kept.pins().map(({ name }) => [name, live.anchoring.bell]))
    for (const row of await retryAnchors(kept, bells, ledger)) yield { line: { ...row } }
  }
}
