import { join } from 'node:path'
import { Level } from 'level'
import { signal } from './ledger-under-test.ts'
import { anchorAll, historyOf, openLedger, openStore } from './outbox.ts'
import { changed, unknown } from './outbox-script.ts'

export const sizes = [3, 4, 9, 10, 12]

/** A ledger and a store that agree on `sizes`, both closed again. */
export async function anchored(path: string) {
  const history = historyOf()
  await using session = await openLedger(path)
  await using store = await openStore(path, history)
  await anchorAll({ history, session, store }, sizes)
  const identity = await session.describe(signal)
  if (identity.state === 'unknown') throw new Error(identity.why)
  return { history, identity }
}

const rawRows = (path: string) =>
  new Level<Uint8Array, Uint8Array>(join(path, 'anchors'), {
    keyEncoding: 'view',
    valueEncoding: 'view',
  })

/** Changes rows behind the store's back: pins are kind 1, what is on its way 2, anchors 3. */
export async function meddle(
  path: string,
  kind: number,
  change: (
    db: Level<Uint8Array, Uint8Array>,
    key: Uint8Array,
    value: Uint8Array,
    i: number,
  ) => Promise<void>,
) {
  const db = rawRows(path)
  await db.open()
  const entries = await db.iterator({ gte: Uint8Array.of(kind), lt: Uint8Array.of(kind + 1) }).all()
  for (const [i, [key, value]] of entries.entries()) await change(db, key, value, i)
  await db.close()
  return entries.length
}

/** Prepared and sent, and nothing heard since. */
export async function onItsWay(path: string, history: ReturnType<typeof historyOf>) {
  const stop = new AbortController()
  await using session = await openLedger(path)
  await using store = await openStore(path, history)
  const lost = changed(session, {
    async send() {
      stop.abort()
      return unknown
    },
  })
  await anchorAll({ history, session: lost, store, stop })
}
