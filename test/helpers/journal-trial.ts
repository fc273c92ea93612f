import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { Random } from '../fuzz/random.ts'
import {
  type Accounted,
  type Acknowledged,
  account,
  addTo,
  openTestJournal,
  readingLeaf,
  sealNow,
  testStreams,
} from './journal.ts'
import { damageLeaf, type Life, live } from './journal-life.ts'

/** A store as several lives of a gateway left it behind, and what these acknowledged. */
interface Base {
  readonly path: string
  readonly acknowledged: Acknowledged
}

export async function baseOf(path: string, random: Random, lives: readonly Life[]): Promise<Base> {
  const acknowledged: Acknowledged = new Map()
  mkdirSync(path)
  for (const life of lives) await live(path, random, acknowledged, life)
  return { path, acknowledged }
}

const small: Life = { frames: 30, leaves: 10, sealEvery: 10, endsSealed: true }
const long: Life = { frames: 60, leaves: 200, sealEvery: 10, endsSealed: true, textBytes: 240 }

/** Tables and logs, ends that are sealed and ends that are not, and one larger than what LevelDB keeps in memory. */
export async function usualBases(folder: string, random: Random): Promise<Base[]> {
  const open = { ...small, endsSealed: false }
  const lives = [[small, small, small], [small, small, open], [small, open, open], [long]]
  const bases: Base[] = []
  for (const [i, of] of lives.entries()) {
    bases.push(await baseOf(join(folder, `base-${i}`), random, of))
  }
  return bases
}

interface Outcome extends Accounted {
  /** What was done to it. */
  readonly how: string
  /** What was said, where it was not opened. */
  readonly refused?: string
}

/**
 * Spoils a copy of the store and opens it: whatever was acknowledged is there, or declared, or the journal says
 * that it cannot go on. Then it goes on: what was found is put on record, and the next start finds it so.
 */
export async function trial(
  base: Base,
  path: string,
  random: Random,
  spoilt: (path: string, random: Random) => string,
): Promise<Outcome> {
  rmSync(path, { recursive: true, force: true })
  cpSync(base.path, path, { recursive: true })
  const acknowledged: Acknowledged = new Map(
    Array.from(base.acknowledged, ([stream, leaves]) => [stream, new Map(leaves)]),
  )
  const how = spoilt(path, random)
  try {
    return { how, ...(await goOn(path, acknowledged, random)) }
  } catch (error) {
    const isRefusal = error instanceof KedgeError && error.code === 'STORE_DAMAGED' && error.hint
    if (!isRefusal) throw new Error(`after ${how}: ${error}`, { cause: error })
    return { how, there: 0, lost: 0, damaged: 0, refused: error.message }
  }
}

async function goOn(path: string, acknowledged: Acknowledged, random: Random): Promise<Accounted> {
  let found: Accounted
  {
    await using journal = await openTestJournal(path)
    found = await account(journal, acknowledged)
    const streams = testStreams(journal)
    const add = addTo(journal, acknowledged)
    for (const damage of (await journal.scrub()).damage) add(streams.control, damageLeaf(damage))
    for (let i = 0; i < 20; i++) add(streams.open(`probe-${random.below(6)}`), readingLeaf(i, i))
    await journal.flush()
    await sealNow(journal, true)
  }
  await using journal = await openTestJournal(path)
  await account(journal, acknowledged)
  const { damage, lost } = journal.opened
  const again = await journal.scrub()
  if (damage.length + lost.length + again.damage.length > 0) throw new Error('it is found again')
  return found
}

/** Some bytes of one of these files are no longer what they were. */
export function spoilBytes(folders: readonly string[]) {
  return (path: string, random: Random): string => {
    const folder = join(path, random.oneOf(folders))
    const files = readdirSync(folder).filter((name) => {
      return /\.(log|ldb|tail)$/.test(name) && statSync(join(folder, name)).size > 0
    })
    const name = random.oneOf(files)
    const bytes = Uint8Array.from(readFileSync(join(folder, name)))
    const at = random.below(bytes.length)
    const how = random.oneOf(['a bit', 'a bit', 'five bytes', 'a sector of zeros', 'garbage'])
    const length = Math.min(512, bytes.length - at)
    if (how === 'a bit') bytes[at] = (bytes[at] as number) ^ (1 << random.below(8))
    if (how === 'five bytes') for (let i = 0; i < 5; i++) bytes[random.below(bytes.length)] = i
    if (how === 'a sector of zeros') bytes.fill(0, at, at + length)
    if (how === 'garbage') bytes.set(random.bytes(length), at)
    writeFileSync(join(folder, name), bytes)
    return `${how} at ${at} of ${folder.slice(path.length)}/${name}`
  }
}
