/**
 * A frame: what is committed with one write. Its head says which indices of which streams it holds, with a
 * check of its own, so that even of a damaged frame it is known what is gone.
 */
import {
  checkBytes,
  type RunHead,
  readCheck,
  readRunHead,
  writeCheck,
  writeRunHeads,
} from './run-heads.ts'
import { maxVarintBytes, type Reader, readVarint, type Writer, writeVarint } from './varint.ts'

/** A leaf as it is stored: opened, or (a private reading) its commit and its fields under the epoch's key. */
export interface StoredLeaf {
  readonly form: 'plain' | 'private'
  /** The salt of 16 bytes, or the commit of 32. */
  readonly head: Uint8Array
  /** The record, or the fields enciphered. */
  readonly body: Uint8Array
}

/** Consecutive leaves of one stream. */
export interface Run {
  readonly stream: number
  readonly start: number
  readonly leaves: readonly StoredLeaf[]
}

interface FrameHead {
  /** Unix milliseconds, or null where no clock was set. */
  readonly committedAtMs: number | null
  readonly runs: readonly RunHead[]
}

export interface Frame extends FrameHead {
  readonly leavesOf: (run: number) => readonly StoredLeaf[]
}

const headLength = { plain: 16, private: 32 } as const

export const storedBytes = ({ head, body }: StoredLeaf): number =>
  maxVarintBytes + head.length + body.length

export function encodeFrame(committedAtMs: number | null, runs: readonly Run[]): Uint8Array {
  let room = 32 + maxVarintBytes
  for (const { leaves } of runs) {
    room += 3 * maxVarintBytes
    for (const leaf of leaves) room += storedBytes(leaf)
  }
  const writer: Writer = { bytes: new Uint8Array(room), at: 0 }
  writeHead(writer, { committedAtMs, runs: runs.map(headOf) })
  for (const { leaves } of runs) {
    for (const { form, head, body } of leaves) {
      writeVarint(writer, 2 * body.length + (form === 'private' ? 1 : 0))
      writer.bytes.set(head, writer.at)
      writer.at += head.length
      writer.bytes.set(body, writer.at)
      writer.at += body.length
    }
  }
  return writer.bytes.subarray(0, writer.at)
}

/** What stands for a frame that is gone. */
export function encodeFrameHead(runs: readonly RunHead[]): Uint8Array {
  const room = checkBytes + (2 + 3 * runs.length) * maxVarintBytes
  const writer: Writer = { bytes: new Uint8Array(room), at: 0 }
  writeHead(writer, { committedAtMs: null, runs })
  return writer.bytes.subarray(0, writer.at)
}

export const headOf = ({ stream, start, leaves }: Run): RunHead => ({
  stream,
  start,
  count: leaves.length,
})

function writeHead(writer: Writer, { committedAtMs, runs }: FrameHead): void {
  writeVarint(writer, committedAtMs === null ? 0 : committedAtMs + 1)
  writeRunHeads(writer, runs)
  writeCheck(writer)
}

/** The head alone, or undefined where even that is damaged. */
export function decodeFrameHead(bytes: Uint8Array): FrameHead | undefined {
  return readHead({ bytes, at: 0 })
}

function readHead(reader: Reader): FrameHead | undefined {
  const { bytes } = reader
  const committedAt = readVarint(reader)
  const count = readVarint(reader)
  // Each run takes at least three bytes.
  if (Number.isNaN(committedAt) || !(3 * count <= bytes.length)) return undefined
  const runs: RunHead[] = []
  for (let i = 0; i < count; i++) {
    const run = readRunHead(reader)
    if (!Number.isSafeInteger(run.stream + run.start + run.count)) return undefined
    runs.push(run)
  }
  if (!readCheck(reader, 0)) return undefined
  return { committedAtMs: committedAt === 0 ? null : committedAt - 1, runs }
}

/** Undefined where the bytes are not one whole frame. */
export function decodeFrame(bytes: Uint8Array): Frame | undefined {
  const reader: Reader = { bytes, at: 0 }
  const head = readHead(reader)
  if (head === undefined) return undefined
  const starts: number[] = []
  for (const { count } of head.runs) {
    starts.push(reader.at)
    for (let i = 0; i < count; i++) if (!skipLeaf(reader)) return undefined
  }
  if (reader.at !== bytes.length) return undefined
  return {
    ...head,
    leavesOf: (run) => {
      const at: Reader = { bytes, at: starts[run] as number }
      return Array.from({ length: (head.runs[run] as RunHead).count }, () => readLeaf(at))
    },
  }
}

export const runsOf = (frame: Frame): (RunHead & Run)[] =>
  frame.runs.map((run, i) => ({ ...run, leaves: frame.leavesOf(i) }))

function skipLeaf(reader: Reader): boolean {
  const said = readVarint(reader)
  reader.at += headLength[said % 2 === 1 ? 'private' : 'plain'] + Math.floor(said / 2)
  return reader.at <= reader.bytes.length
}

function readLeaf(reader: Reader): StoredLeaf {
  const said = readVarint(reader)
  const form = said % 2 === 1 ? 'private' : 'plain'
  const bodyAt = reader.at + headLength[form]
  const end = bodyAt + Math.floor(said / 2)
  const leaf: StoredLeaf = {
    form,
    head: reader.bytes.subarray(reader.at, bodyAt),
    body: reader.bytes.subarray(bodyAt, end),
  }
  reader.at = end
  return leaf
}
