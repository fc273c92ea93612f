import { concat } from './bytes.ts'
import { encode } from './encode.ts'
import { magic, version } from './file.ts'
import { leafItem } from './leaves.ts'
import type { EvidenceFile } from './model.ts'

/** The one encoding of a file. Its parts are taken as they are: verifying tells whether they fit. */
export function encodeEvidence({ streams, ranges, seals }: EvidenceFile): Uint8Array {
  const body = encode([
    streams.map(({ tag, descriptorBytes }) => [tag, descriptorBytes]),
    ranges.map(({ stream, from, left, leaves, right }) => [
      stream,
      from,
      left,
      Array.from(leaves, ([, leaf]) => leafItem(leaf)),
      right,
    ]),
    seals.map(({ headerBytes, segments, beaconProof, checkpoints }) => [
      headerBytes,
      segments.map(({ stream, position, size, root, path }) => [
        stream,
        position,
        size,
        root,
        path,
      ]),
      beaconProof && [beaconProof.kind, beaconProof.proof],
      checkpoints.map((checkpoint) => [
        checkpoint.size,
        checkpoint.hashId,
        checkpoint.root,
        checkpoint.key,
        checkpoint.signature,
        checkpoint.path,
        checkpoint.anchors.map(({ kind, proof }) => [kind, proof]),
      ]),
    ]),
  ])
  return concat(magic, Uint8Array.of(version), body)
}
