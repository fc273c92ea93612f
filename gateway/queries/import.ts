/** A logger's file on record: every reading marked as imported, with the hash of the file that it stands in. */
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { bytesToHex, utf8 } from '../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { Details, Value } from '../../anchor-client/evidence/model.ts'
import { sm3 } from '../../anchor-client/evidence/sm3.ts'
import { namePattern } from '../../anchor-client/evidence/values.ts'
import type { Logged, LoggerFile } from '../../drivers/logger-file.ts'
import {
  isLoggerFormat,
  type LoggerFormat,
  loggerFormatOf,
  loggerFormats,
} from '../../drivers/logger-formats.ts'
import { openRecording, type Recording } from '../recording/open-recording.ts'
import type { Store } from '../store.ts'
import { isImported, noteOfImport, readingsThere } from './imported.ts'
import { type Asked, type Query, textOf } from './query.ts'

/** Refused lines beyond these are told in one. */
const mostRefusals = 100
const sliceReadings = 1000

/** One import after the other: each looks first at what is there. */
const atWork = new WeakMap<Store, Promise<unknown>>()

export const importFile: Query = async function* (of, asked) {
  const before = atWork.get(of.store)
  const done = (before ?? Promise.resolve()).then(() => imported(of, asked))
  atWork.set(
    of.store,
    done.catch(() => undefined),
  )
  const line = await done
  yield { line }
  if (line.readings === 0 && line.known === 0) yield { exit: 1 }
}

async function imported({ store, live }: Parameters<Query>[0], asked: Asked) {
  const bytes = await copyOf(store, asked)
  const name = textOf(asked, 'source') ?? ''
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(name)) {
    throw new KedgeError(
      'USAGE',
      'a source is a name of letters, digits, dots, dashes and _, at most 64',
    )
  }
  const [kind, unit] = [textOf(asked, 'kind'), textOf(asked, 'unit')]
  if (kind !== undefined && !namePattern.test(kind)) {
    throw new KedgeError(
      'USAGE',
      'a kind is a name of small letters, digits and dashes, at most 32',
    )
  }
  if (unit !== undefined && !/^[!-~]{1,16}$/.test(unit)) {
    throw new KedgeError('USAGE', 'a unit is UCUM, 1 to 16 printable characters')
  }
  const format = formatOf(asked, bytes)
  const file = loggerFormats[format](bytes, { kind, unit })
  const stream = `import/${name}`
  const hash = sm3(bytes)
  const { readings, refused, device, serial } = file
  const said = {
    file: textOf(asked, 'file') ?? null,
    format,
    device,
    logger: serial,
    sm3: bytesToHex(hash),
  }

  live?.room.check()
  await live?.store.journal.flush()
  if (await isImported(store, hash, stream)) {
    return { ...said, stream, readings: 0, known: readings.length, refused: 0 }
  }
  const there = await readingsThere(store, stream, hash, file)
  const recording = live ?? startedFor(store)
  const isNew = ({ line }: Logged, i: number) => !there.lines.has(line) && !there.known.has(i)
  const fresh = readings.filter(isNew)
  const plan = { source: stream, kinds: null, promise: null, isPrivate: false, isDevice: false }
  for (let at = 0; at < fresh.length; at += sliceReadings) {
    for (const logged of fresh.slice(at, at + sliceReadings)) {
      const doubted = there.contradicted.has(logged.line)
      const taken = takenOf(logged, { format, hash, file }, doubted)
      recording.recorder.record(recording.streams.open(plan), taken, { holdMs: 0 })
    }
    await store.journal.flush()
  }
  refuse(recording, stream, file)
  recording.recorder.state(recording.streams.control, {
    ...{ type: 'note', time: recording.clock.now(), name: 'import' },
    bytes: noteOfImport({ hash, stream, format, readings: fresh.length, refused: refused.length }),
  })
  if (live === null) recording.end()
  await store.journal.flush()
  const known = readings.length - fresh.length
  return { ...said, stream, readings: fresh.length, known, refused: refused.length }
}

/** The asker may read what the gateway may not: it has put a copy where both can. */
async function copyOf({ data }: Store, asked: Asked): Promise<Uint8Array> {
  const copy = textOf(asked, 'copy') ?? ''
  if (!/^import-\d+-[0-9a-f]{32}$/.test(copy)) throw new KedgeError('USAGE', 'no file to import')
  const path = join(data.folder, copy)
  try {
    return Uint8Array.from(await readFile(path))
  } catch (cause) {
    const { message } = cause as Error
    throw new KedgeError('FILE_UNREADABLE', `the gateway cannot read the copy: ${message}`, {
      cause,
    })
  } finally {
    await rm(path, { force: true })
  }
}

function formatOf(asked: Asked, bytes: Uint8Array): LoggerFormat {
  const format = textOf(asked, 'format')
  if (format === undefined) return loggerFormatOf(bytes)
  if (isLoggerFormat(format)) return format
  throw new KedgeError('USAGE', `there is no format ${format}`, {
    hint: `there are ${Object.keys(loggerFormats).join(', ')}`,
  })
}

/** Without a running gateway this process records for a moment, and says so as any start does. */
function startedFor(store: Store): Recording {
  const recording = openRecording(store)
  recording.begin(null, [])
  return recording
}

function takenOf(
  { line, time, kind, value, unit, quality, details }: Logged,
  { format, hash, file }: { format: string; hash: Uint8Array; file: LoggerFile },
  isContradicted: boolean,
): Parameters<Recording['recorder']['record']>[1] {
  const doubt = isContradicted ? 'suspect: an earlier import says otherwise' : quality
  const marks: readonly (readonly [string, Value | null])[] = [
    ...details,
    ['file', hash],
    ['import', format],
    ['line', [line, 0]],
    ['logger', file.serial],
    ['logger-time', time],
    ['zone', file.zone],
  ]
  return {
    ...{ kind, value, quality: doubt },
    ...(unit !== null && { unit }),
    details: marks
      .filter(([, mark]) => mark !== null)
      .sort(([a], [b]) => (a < b ? -1 : 1)) as Details,
  }
}

function refuse({ recorder }: Recording, source: string, { refused }: LoggerFile): void {
  for (const { line, reason, text } of refused.slice(0, mostRefusals)) {
    recorder.refuse({ source, reason: `line ${line}: ${reason}`, bytes: utf8(text) }, { holdMs: 0 })
  }
  const more = refused.length - mostRefusals
  if (more <= 0) return
  const reason = `${more} more lines of this file were refused`
  recorder.refuse({ source, reason, bytes: new Uint8Array() }, { holdMs: 0 })
}
