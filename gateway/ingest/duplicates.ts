/** Whatever a publisher sends again under the same id is stored once. */
import { type IdWindow, idKey, openIdWindow } from './id-window.ts'

export interface Duplicates {
  /**
   * Calls `store`, and resolves when it has, unless this id of the source is stored already. While another
   * call stores it, that one's outcome is waited for and shared: who gets an answer has it on disk, and who
   * gets none may try again. `store` is called in the order of the calls for a source; without an id it is
   * always called.
   */
  once(source: string, id: string | null, store: () => Promise<void>): Promise<void>
}

interface Source {
  readonly window: IdWindow
  /** What is being stored, by id. */
  readonly pending: Map<string, Promise<void>>
  /** What waits for the ids to be loaded, in order; undefined when they are. */
  waiting: ((failure?: unknown) => void)[] | undefined
}

/** @param load the last ids of a source that are on disk, oldest first; asked at the first id of the source */
export function openDuplicates(
  load: (source: string) => Promise<readonly string[]>,
  { maxIds, maxSources } = { maxIds: 10_000, maxSources: 512 },
): Duplicates {
  const sources = new Map<string, Source>()

  async function once(name: string, id: string | null, store: () => Promise<void>): Promise<void> {
    const known = sources.get(name)
    if (known === undefined && id === null) return store()
    const source = known ?? open(name)
    const { waiting } = source
    if (waiting === undefined) return decide(source, id, store)
    return new Promise<void>((resolve, reject) => {
      waiting.push((failure) => {
        if (failure === undefined) decide(source, id, store).then(resolve, reject)
        else reject(failure)
      })
    })
  }

  function open(name: string): Source {
    if (sources.size >= maxSources) closeOne()
    const waiting: NonNullable<Source['waiting']> = []
    const source: Source = { window: openIdWindow(maxIds), pending: new Map(), waiting }
    sources.set(name, source)
    const opened = (failure?: unknown): void => {
      if (failure !== undefined) sources.delete(name)
      // All in one go: nothing that comes later passes those who wait.
      for (const proceed of waiting) proceed(failure)
      source.waiting = undefined
    }
    loadInto(name, source.window).then(
      () => opened(),
      (error) => opened(error ?? new Error('the ids were not loaded')),
    )
    return source
  }

  async function loadInto(name: string, window: IdWindow): Promise<void> {
    for (const id of await load(name)) window.add(idKey(id))
  }

  /** The one that was opened first: its ids are on disk, and come back when it is asked for again. */
  function closeOne(): void {
    for (const [name, { pending, waiting }] of sources) {
      if (waiting !== undefined || pending.size > 0) continue
      sources.delete(name)
      return
    }
  }

  return { once }
}

function decide(source: Source, id: string | null, store: () => Promise<void>): Promise<void> {
  const { window, pending } = source
  if (id === null) return storing(store)
  const other = pending.get(id)
  if (other !== undefined) return other
  const key = idKey(id)
  if (window.has(key)) return Promise.resolve()
  const stored = storing(store)
    .then(() => window.add(key))
    .finally(() => pending.delete(id))
  pending.set(id, stored)
  return stored
}

/** At once, and an error that is thrown at once is a rejection, too. */
const storing = async (store: () => Promise<void>): Promise<void> => store()
