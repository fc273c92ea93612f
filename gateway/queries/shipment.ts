import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { nearest } from '../../config/did-you-mean.ts'
import { type Query, textOf } from './query.ts'

/** Opens and closes shipments: only the running gateway can, as it alone records. */
export const shipment: Query = async function* ({ live }, asked) {
  if (live === null) {
    throw new KedgeError('STORE_MISSING', 'no gateway runs on this data folder', {
      hint: 'Start it with kedge run.',
    })
  }
  const { shipments, plans, store } = live
  const what = textOf(asked, 'what')
  if (what === 'ls') {
    for (const line of shipments.list()) yield { line }
    return
  }
  const name = textOf(asked, 'reader') ?? ''
  const reader = plans.readers.get(name)
  if (reader === undefined) {
    const known = Array.from(plans.readers.keys())
    const near = nearest(name, known)
    throw new KedgeError('NOT_FOUND', `there is no reader ${name} under shipments`, {
      hint: near ? `did you mean ${near}?` : `there are ${known.join(', ') || 'none'}`,
    })
  }
  const id = textOf(asked, 'id')
  if (what === 'open') {
    if (id === undefined) throw new KedgeError('USAGE', 'a shipment needs an id')
    const opened = shipments.open(reader, id)
    await store.journal.flush()
    yield { line: { ...opened } }
  } else {
    const closed = await shipments.close(name, id)
    await store.journal.flush()
    yield { line: { ...closed } }
  }
}
