/** What a start found out about the store, for whoever stands before it; all of it is on record as well. */
import type { GatewayEvent } from './events.ts'
import type { Store } from './store.ts'

export function tellFoundAmiss({ journal, epochs }: Store, onEvent: (event: GatewayEvent) => void) {
  const warn = (message: string) => onEvent({ event: 'warning', message })
  const { damage, lost, damagedRows } = journal.opened
  const count = (spans: readonly { from: number; to: number }[]) =>
    spans.reduce((sum, { from, to }) => sum + to - from, 0)
  if (damage.length > 0 || lost.length > 0 || damagedRows.length > 0) {
    warn(
      `the store was damaged: ${count(damage)} sealed and ${count(lost)} other records are gone, which is ` +
        'put on record; kedge store check names them',
    )
  }
  const isKeyless = Array.from(journal.streams.values()).filter(
    ({ descriptor, number }) => descriptor.erasable && epochs.of(number) === undefined,
  )
  if (isKeyless.length > 0) {
    warn(`the keys of ${isKeyless.length} pseudonyms are gone: their readings cannot be opened`)
  }
}
