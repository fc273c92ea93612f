/** The side of a Modbus line that asks: one question at a time, and nothing but its own answer counts. */
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import type { Surroundings } from './driver.ts'
import { type Answer, parseAnswer, type ReadRequest, readPdu } from './modbus.ts'
import { lengthOfTcp, parseRtu, parseTcp, rtuFrame, tcpFrame } from './modbus-frames.ts'
import type { Wire } from './transports/wire.ts'

export type Framing = 'rtu' | 'tcp'

interface Question extends ReadRequest {
  readonly unit: number
  /** Whose readings are asked for. */
  readonly sources: readonly string[]
}

interface Master {
  /**
   * `silent` when nothing came, `refused` when something came that was no answer and was told.
   * Throws what the wire throws.
   */
  ask(question: Question): Promise<(Answer & { readonly bytes: Uint8Array }) | 'silent' | 'refused'>
}

interface MasterOptions {
  readonly framing: Framing
  /** How long a slave may take. */
  readonly silentMs: number
  readonly refuse: Surroundings['refuse']
}

/** Between two frames a line is silent for 3.5 characters: 4 ms at 9600 baud, 13 ms at 2400. */
const gapMs = 15
/** Longer than any adapter holds back the rest of an answer. */
const quietMs = 250
const longest = 600
/** Who was busy itself finds the time over before it looks at the wire: a second wait of so long lets it look. */
const lookMs = 5

export function modbusMaster(wire: Wire, { framing, silentMs, refuse }: MasterOptions): Master {
  const next = withDeadline(wire)
  let transaction = 0

  /** What arrives unasked is an answer that came too late, or noise: never the answer to the next question. */
  async function drain(): Promise<void> {
    const endMs = performance.now() + silentMs
    for (let chunk = await next(gapMs); chunk !== null; chunk = await next(gapMs)) {
      refuse('not asked for: late, or noise', chunk)
      if (performance.now() > endMs) {
        throw new KedgeError('SENSOR_GARBLED', 'the line is never silent', {
          hint: 'Check baudRate, and that no other master asks on this line.',
        })
      }
    }
  }

  return {
    async ask({ unit, sources, ...request }) {
      await drain()
      transaction = (transaction + 1) & 0xffff
      const pdu = readPdu(request)
      const asked =
        framing === 'rtu' ? rtuFrame({ unit, pdu }) : tcpFrame({ transaction, unit, pdu })
      const look = framing === 'rtu' ? lookForRtu(asked, request) : lookForTcp(transaction)
      await wire.write(asked)
      const endMs = performance.now() + silentMs
      let bytes: Uint8Array = new Uint8Array()
      let isOtherTold = false
      for (;;) {
        const leftMs = endMs - performance.now()
        // Answers to others that keep coming are no answer.
        const isOver = leftMs < -(bytes.length > 0 ? silentMs : lookMs)
        const chunk = isOver
          ? null
          : await next(bytes.length > 0 ? Math.min(quietMs, silentMs) : Math.max(0, leftMs))
        if (chunk === null && bytes.length === 0) return isOtherTold ? 'refused' : 'silent'
        if (chunk !== null) bytes = Uint8Array.of(...bytes, ...chunk.subarray(0, longest))
        const found = look(bytes)
        if (found !== null) {
          for (const other of found.others) refuse(other.reason, other.bytes)
          isOtherTold ||= found.others.length > 0
          bytes = found.rest
          if (found.frame === null) continue
          try {
            const frame = framing === 'rtu' ? parseRtu(found.frame) : parseTcp(found.frame)
            if (frame.unit !== unit) throw garbled(`an answer of slave ${frame.unit}, not ${unit}`)
            return { ...parseAnswer(request, frame.pdu), bytes: found.frame }
          } catch (error) {
            if (!(error instanceof KedgeError)) throw error
            refuse(error.message, found.frame, sources)
            return 'refused'
          }
        }
        if (chunk !== null && bytes.length < longest) continue
        refuse(bytes.length < longest ? 'half an answer' : 'more than an answer', bytes, sources)
        return 'refused'
      }
    },
  }
}

interface Found {
  /** To be judged; null where only others were found. */
  readonly frame: Uint8Array | null
  readonly others: readonly { readonly reason: string; readonly bytes: Uint8Array }[]
  readonly rest: Uint8Array
}

type Look = (bytes: Uint8Array) => Found | null

/** RTU says nowhere how long a frame is: it follows from the question. */
function lookForRtu(asked: Uint8Array, { table, count }: ReadRequest): Look {
  const isBits = table === 'coil' || table === 'discrete'
  const full = 5 + (isBits ? Math.ceil(count / 8) : 2 * count)
  return (all) => {
    // Some adapters hear what they say themselves.
    const isEcho = all.length >= asked.length && asked.every((byte, i) => all[i] === byte)
    const bytes = isEcho ? all.subarray(asked.length) : all
    const length = (bytes[1] ?? 0) & 0x80 ? 5 : full
    if (bytes.length < length) return null
    // More than it is all to be judged, and fails by its checksum.
    return { frame: bytes.slice(), others: [], rest: new Uint8Array() }
  }
}

function lookForTcp(transaction: number): Look {
  return (bytes) => {
    if (bytes.length < 6) return null
    const length = lengthOfTcp(bytes)
    if (length === null) return { frame: bytes, others: [], rest: new Uint8Array() }
    if (bytes.length < length) return null
    const [frame, rest] = [bytes.slice(0, length), bytes.slice(length)]
    const [high = 0, low = 0] = frame
    if (((high << 8) | low) === transaction) {
      const others = rest.length > 0 ? [{ reason: 'more than an answer', bytes: rest }] : []
      return { frame, others, rest: new Uint8Array() }
    }
    return {
      frame: null,
      others: [{ reason: 'an answer to another question', bytes: frame }],
      rest,
    }
  }
}

/** The next bytes of a wire, or null when none came in time or the wire was told to stop. */
function withDeadline(wire: Wire): (ms: number) => Promise<Uint8Array | null> {
  const chunks = wire[Symbol.asyncIterator]()
  let pending: Promise<IteratorResult<Uint8Array>> | null = null
  return async (ms) => {
    pending ??= chunks.next()
    // Whoever does not wait any more learns of it at the next question.
    pending.catch(() => {})
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(() => {
        timer = setTimeout(() => resolve(null), lookMs)
      }, ms)
    })
    try {
      const said = await Promise.race([pending, late])
      if (said === null) return null
      pending = null
      return said.done ? null : said.value
    } catch (error) {
      pending = null
      throw error
    } finally {
      clearTimeout(timer)
    }
  }
}

const garbled = (reason: string) => new KedgeError('SENSOR_GARBLED', reason)
