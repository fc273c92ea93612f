import test from 'ava'
import { openDuplicates } from '../gateway/ingest/duplicates.ts'
import { idKey, openIdWindow } from '../gateway/ingest/id-window.ts'
import { randomFrom } from './fuzz/random.ts'

/** A disk that stores when it is told to. */
function disk() {
  const stored: string[] = []
  const open: { name: string; done(): void; fail(): void }[] = []
  return {
    stored,
    open,
    store: (name: string) => () =>
      new Promise<void>((resolve, reject) => {
        open.push({
          name,
          done() {
            stored.push(name)
            resolve()
          },
          fail: () => reject(new Error(`${name} failed`)),
        })
      }),
  }
}

const nothing = async () => []
const never = () => Promise.reject(new Error('stored again'))
/** Longer than any chain of promises here. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

test('a reading that is sent again under its id is stored once', async (t) => {
  const { once } = openDuplicates(nothing)
  const { store, open, stored } = disk()
  const first = once('probe', 'a', store('first'))
  await settle()
  open[0]?.done()
  await first
  await once('probe', 'a', never)
  const elsewhere = once('another', 'a', store('elsewhere'))
  await settle()
  open[1]?.done()
  await elsewhere
  t.deepEqual(stored, ['first', 'elsewhere'])
})

test('who sends again before the first is on disk waits for the first', async (t) => {
  const { once } = openDuplicates(nothing)
  const { store, open } = disk()
  const told: string[] = []
  const all = [
    once('probe', 'a', store('first')).then(() => told.push('first')),
    once('probe', 'a', never).then(() => told.push('second')),
  ]
  await settle()
  const third = once('probe', 'a', never).then(() => told.push('third'))
  await settle()
  t.deepEqual(told, [])
  t.is(open.length, 1)
  open[0]?.done()
  await Promise.all([...all, third])
  t.deepEqual(told.sort(), ['first', 'second', 'third'])
})

test('when the first fails the second fails too, and the third is stored', async (t) => {
  const { once } = openDuplicates(nothing)
  const { store, open, stored } = disk()
  const first = once('probe', 'a', store('first'))
  const second = once('probe', 'a', never)
  await settle()
  open[0]?.fail()
  await t.throwsAsync(first, { message: 'first failed' })
  await t.throwsAsync(second, { message: 'first failed' })
  const third = once('probe', 'a', store('third'))
  await settle()
  open[1]?.done()
  await third
  t.deepEqual(stored, ['third'])
})

test('a store that fails at once is a failure like any other', async (t) => {
  const { once } = openDuplicates(nothing)
  const failing = () => {
    throw new Error('at once')
  }
  await t.throwsAsync(once('probe', 'a', failing), { message: 'at once' })
  await t.throwsAsync(once('probe', 'a', failing), { message: 'at once' })
  await t.throwsAsync(once('probe', null, failing), { message: 'at once' })
  await once('probe', 'a', async () => {})
  await once('probe', 'a', never)
})

test('what was on disk before the start is known, and asked for once', async (t) => {
  const asked: string[] = []
  let loaded = (_: readonly string[]) => {}
  const { once } = openDuplicates((source) => {
    asked.push(source)
    return new Promise((resolve) => {
      loaded = resolve
    })
  })
  const order: string[] = []
  const store = (name: string) => async () => void order.push(name)
  const all = [
    once('probe', 'old', never),
    once('probe', 'new', store('new')),
    once('probe', null, store('without id')),
    once('probe', 'newer', store('newer')),
  ]
  await settle()
  t.deepEqual(order, [], 'nothing passes those that wait for the ids')
  loaded(['old', 'older'])
  await Promise.all(all)
  t.deepEqual(order, ['new', 'without id', 'newer'])
  await once('probe', 'older', never)
  t.deepEqual(asked, ['probe'])
})

test('ids that cannot be loaded fail those who wait, and are asked for again', async (t) => {
  let fails = true
  const { once } = openDuplicates(async () => {
    if (fails) throw new Error('unreadable')
    return ['a']
  })
  await t.throwsAsync(once('probe', 'a', never), { message: 'unreadable' })
  fails = false
  await once('probe', 'a', never)
})

test('whoever sends no ids costs nothing and is always stored', async (t) => {
  const { once } = openDuplicates(() => Promise.reject(new Error('asked')))
  const { store, open, stored } = disk()
  const both = [once('probe', null, store('1')), once('probe', null, store('2'))]
  for (const { done } of open) done()
  await Promise.all(both)
  t.deepEqual(stored, ['1', '2'])
})

test('a source too many makes room by a source at rest, whose ids come back when it is heard again', async (t) => {
  const known = new Map<string, string[]>()
  const asked: string[] = []
  const { once } = openDuplicates(
    async (source) => {
      asked.push(source)
      return known.get(source) ?? []
    },
    { maxIds: 10, maxSources: 2 },
  )
  const { store, open } = disk()
  const busy = once('busy', 'a', store('busy'))
  await once('idle', 'a', async () => void known.set('idle', ['a']))
  await once('third', 'a', async () => {})
  await once('idle', 'a', never)
  const waiting = once('busy', 'a', never)
  open[0]?.done()
  await Promise.all([busy, waiting])
  t.deepEqual(asked, ['busy', 'idle', 'third', 'idle'])
})

test('the window holds the last ids and no others', (t) => {
  const window = openIdWindow(10_000)
  const keys = Array.from({ length: 35_000 }, (_, i) => idKey(`id ${i}`))
  for (const key of keys) {
    t.false(window.has(key))
    window.add(key)
  }
  t.true(keys.slice(-10_000).every(window.has))
  t.false(keys.slice(0, -10_000).some(window.has))
})

test('a window agrees with a plain list, whatever is added', (t) => {
  const random = randomFrom(3)
  // So small a table that nearly every search walks.
  for (const maxIds of [1, 2, 3, 8, 9]) {
    const window = openIdWindow(maxIds)
    let list: number[] = []
    const keys = Array.from({ length: 25 }, (_, i) => idKey(`${i}`))
    for (let round = 0; round < 3000; round++) {
      const i = random.below(keys.length)
      window.add(keys[i] as Uint32Array)
      if (!list.includes(i)) list = [...list, i].slice(-maxIds)
      const seen = keys.flatMap((key, i) => (window.has(key) ? [i] : []))
      if (`${seen}` !== `${list.toSorted((a, b) => a - b)}`)
        t.fail(`${maxIds}: ${seen} is not ${list}`)
    }
  }
  t.pass()
})
