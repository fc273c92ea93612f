/**
 * A person's readings stand under a pseudonym that is drawn anew for each epoch. Whose it is and the key that
 * opens them lie in one small file apart from the journal: who destroys the file has erased both.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { bytesToHex, hexToBytes } from '../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { writeWholeSync } from '../whole-files.ts'
import { epochKeyBytes } from './private-leaves.ts'

interface Epoch {
  /** The number of its stream. */
  readonly stream: number
  /** What the configuration calls the source. */
  readonly source: string
  readonly pseudonym: string
  readonly key: Uint8Array
  /** Unix milliseconds, whatever the clock was worth. */
  readonly openedAtMs: number
}

export interface Epochs {
  /** On the disk when it returns. */
  begin(stream: number, source: string): Epoch
  of(stream: number): Epoch | undefined
  all(): readonly Epoch[]
}

export function openEpochs(folder: string, nextStream: number): Epochs {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const epochs = new Map<number, Epoch>()
  for (const name of readdirSync(folder)) {
    const number = Number(/^(\d+)\.json$/.exec(name)?.[1] ?? Number.NaN)
    // One of a stream that was never opened is left where it is: it may be all that opens readings found later.
    if (number < nextStream) epochs.set(number, readEpoch(join(folder, name), number))
  }
  return {
    begin(stream, source) {
      const epoch: Epoch = {
        stream,
        source,
        pseudonym: `p/${randomBytes(16).toString('hex')}`,
        key: Uint8Array.from(randomBytes(epochKeyBytes)),
        openedAtMs: Date.now(),
      }
      const path = join(folder, `${stream}.json`)
      if (existsSync(path)) renameSync(path, `${path}.${Date.now()}.old`)
      writeWholeSync(path, `${JSON.stringify({ ...epoch, key: bytesToHex(epoch.key) })}\n`)
      epochs.set(stream, epoch)
      return epoch
    },
    of: (stream) => epochs.get(stream),
    all: () => Array.from(epochs.values()),
  }
}

function readEpoch(path: string, stream: number): Epoch {
  try {
    const { source, pseudonym, key, openedAtMs } = JSON.parse(readFileSync(path, 'utf8'))
    return { stream, source, pseudonym, key: hexToBytes(key), openedAtMs }
  } catch (cause) {
    throw new KedgeError('STORE_DAMAGED', `${path} is damaged: it opens a person's readings`, {
      hint: 'Bring it back from a backup; or put it aside, and those readings can never be opened again.',
      cause,
    })
  }
}
