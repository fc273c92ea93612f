import { access, mkdir } from 'node:fs/promises'
import { equalBytes } from '../../evidence/bytes.ts'
import { decodeWhole } from '../../evidence/codec.ts'
import { encode } from '../../evidence/encode.ts'
import { KedgeError } from '../../evidence/errors.ts'
import { entryMessage, extensionsOnly } from '../../evidence/proofs/witness.ts'
import { verifySm2 } from '../../evidence/sm2.ts'
import type { LedgerHost } from '../ledger.ts'
import { type EntryBody, encodeEntry, readSigned, type SignedEntry, signedItem } from './entries.ts'
import { lockFolder } from './lock.ts'
import { openLog } from './log.ts'
import { type Register, record } from './rules.ts'

/** A witness's entries: numbered without holes, chained by hash, each signed and on the disk before it counts. */
export interface WitnessBook extends AsyncDisposable {
  readonly register: Register
  readonly count: number
  readonly cutBytes: number
  /** The message of the last entry; 32 zero bytes before there is one. */
  readonly lastMessage: Uint8Array
  /** Resolves to the number of the entry, once that is safe. One at a time. */
  write(body: EntryBody): Promise<number>
  read(number: number): Promise<SignedEntry>
}

export async function openBook(folder: string, host: LedgerHost): Promise<WitnessBook> {
  const { publicKey: owner, isFirstUse: mayCreate } = host
  if (mayCreate) await mkdir(folder, { recursive: true, mode: 0o700 })
  else await access(folder).catch((cause) => Promise.reject(missing(folder, cause)))
  const lock = await lockFolder(folder)
  const register: Register = new Map()
  let lastMessage: Uint8Array = new Uint8Array(32)
  let isClosed = false

  const replay = (bytes: Uint8Array, number: number): void => {
    const { entry, message } = decodeSigned(bytes)
    const isNext = entry.number === number && equalBytes(entry.previous, lastMessage)
    if (!isNext || entry.rules !== extensionsOnly) {
      throw new KedgeError('LEDGER_DAMAGED', `what stands here as entry ${number} is another one`)
    }
    record(register, entry.body, number)
    lastMessage = message
  }
  const log = await openLog(folder, { owner, mayCreate }, replay).catch(async (error) => {
    await lock[Symbol.asyncDispose]()
    throw error
  })

  return {
    register,
    cutBytes: log.cutBytes,
    get count() {
      return log.count
    },
    get lastMessage() {
      return lastMessage
    },
    async write(body) {
      const number = log.count
      const wallMs = sayableWall(host.nowMs())
      const at = { rules: extensionsOnly, number, previous: lastMessage, wallMs }
      const bytes = encodeEntry(at, body)
      const message = entryMessage(bytes)
      const signature = await host.sign(message)
      // An entry is for ever: a fault in the signer must not get into it.
      if (!verifySm2(host.publicKey, message, signature)) {
        throw new KedgeError('LEDGER_MISMATCH', "the witness's key did not sign as it should")
      }
      await log.append(encode(signedItem({ bytes, signature })))
      record(register, body, number)
      lastMessage = message
      return number
    },
    read: async (number) => decodeSigned(await log.read(number)),
    async [Symbol.asyncDispose]() {
      // The second time the lock may be somebody else's.
      if (isClosed) return
      isClosed = true
      await log[Symbol.asyncDispose]()
      await lock[Symbol.asyncDispose]()
    },
  }
}

/** An entry with a wall that no reader takes would make the whole log unreadable. */
const sayableWall = (nowMs: number | null): number | null =>
  nowMs !== null && nowMs >= 0 && nowMs < Date.UTC(10_000, 0) ? Math.floor(nowMs) : null

const decodeSigned = (record: Uint8Array): SignedEntry => decodeWhole(record, readSigned)

const missing = (folder: string, cause: unknown): KedgeError =>
  new KedgeError('LEDGER_MISSING', `there is no folder ${folder}`, {
    hint: 'Bring back the folder: a ledger that starts anew forgets what it has taken.',
    cause,
  })
