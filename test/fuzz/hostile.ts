import { concat } from '../../anchor-client/evidence/bytes.ts'
import { encode } from '../../anchor-client/evidence/encode.ts'
import { encodeEvidence } from '../../anchor-client/evidence/encode-file.ts'
import { decodeEvidence } from '../../anchor-client/evidence/file.ts'
import type { EvidenceFile, Leaf } from '../../anchor-client/evidence/model.ts'
import { sm3 } from '../../anchor-client/evidence/sm3.ts'
import { type LargeFile, largeFile } from '../helpers/large.ts'

/** Files of up to 1 MiB, each made to cost as much as it can before it is refused. */
export function* hostileFiles(): Iterable<{ what: string; bytes: Uint8Array }> {
  yield { what: 'nothing but nested arrays', bytes: filled(0x81) }
  yield { what: 'an array of 2^32 elements', bytes: filled(0x9a, 0xff, 0xff, 0xff, 0xff) }
  yield { what: 'a byte string of 2^53 bytes', bytes: filled(0x5b, 0, 0x1f, 0xff, 0xff, 0xff) }
  yield { what: 'nothing but numbers', bytes: filled(0) }
  yield { what: 'many opened readings, the last hash altered', bytes: altered(probe(14_000)) }
  yield { what: 'many hidden readings, the last hash altered', bytes: altered(probe(29_000, true)) }
  yield { what: 'many of the shortest records, no hash right', bytes: shortestRecords() }
  yield { what: 'as many signatures as a file may hold, none right', bytes: forgedSignatures() }
}

const mebibyte = 1024 * 1024

function filled(...pattern: number[]): Uint8Array {
  const bytes = new Uint8Array(mebibyte).fill(pattern.at(-1) as number)
  bytes.set([0x4b, 0x45, 0x44, 0x47, 0x45, 1, ...pattern])
  return bytes
}

const probe = (count: number, hideLeaves = false): LargeFile => ({
  streams: 1,
  leaves: 100_000,
  headers: 10_000,
  from: 3,
  to: 3 + count,
  seals: 1,
  hideLeaves,
})

/** Found only when every leaf was hashed. */
function altered(asked: LargeFile): Uint8Array {
  const file = decodeEvidence(largeFile(asked))
  return withRanges(file, (range) => ({ ...range, right: lastBitFlipped(range.right) }))
}

function shortestRecords(): Uint8Array {
  const record = { type: 'lost', cause: 'a' } as const
  const bytes = encode([6, 'a'])
  const leaf: Leaf = { form: 'opened', salt: sm3().subarray(0, 16), bytes, record, openings: [] }
  const count = 43_000
  const leaves = {
    *[Symbol.iterator]() {
      for (let i = 0; i < count; i++) yield [i, leaf] as const
    },
    *outlines() {},
    at: () => leaf,
  }
  return withRanges(decodeEvidence(largeFile(probe(1))), (range) => ({ ...range, leaves }))
}

function forgedSignatures(): Uint8Array {
  const file = decodeEvidence(largeFile({ ...probe(640), seals: 64, checkpoints: 8 }))
  return encodeEvidence({
    ...file,
    seals: file.seals.map((seal) => ({
      ...seal,
      checkpoints: seal.checkpoints.map((checkpoint) => ({
        ...checkpoint,
        signature: lastBitFlipped(checkpoint.signature),
        anchors: checkpoint.anchors.map(({ kind, proof }) => ({
          kind,
          proof: lastBitFlipped(proof),
        })),
      })),
    })),
  })
}

const withRanges = (
  file: EvidenceFile,
  change: (range: EvidenceFile['ranges'][number]) => EvidenceFile['ranges'][number],
): Uint8Array => encodeEvidence({ ...file, ranges: file.ranges.map(change) })

const lastBitFlipped = (bytes: Uint8Array): Uint8Array =>
  concat(bytes.subarray(0, -1), Uint8Array.of((bytes.at(-1) as number) ^ 1))
