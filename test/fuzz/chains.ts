import { concat } from '../../anchor-client/evidence/bytes.ts'
import { encode } from '../../anchor-client/evidence/encode.ts'
import { decodeEvidence } from '../../anchor-client/evidence/file.ts'
import { evmProofs } from '../../anchor-client/evidence/proofs/evm.ts'
import { encodeRlp } from '../../anchor-client/evidence/rlp.ts'
import type { Checkpoint } from '../../anchor-client/evidence/seal.ts'
import { encode as encodeItem, type Item } from '../golden/bytes.ts'
import { blocks, s1, stateParts } from '../golden/cases/on-chain.ts'
import { fileOf, goldenCase, goldenCases, trustOf } from '../helpers/cases.ts'
import type { Random } from './random.ts'
import type { Target } from './target.ts'

/** Whatever a proof of a chain is, it is judged: it holds, or a sentence says why it does not. */
export const chains: Target = {
  summary: "proofs of what a chain's contract holds or says, altered and made to be slow or large",

  async run(random, isTimeUp) {
    const worst = hostile().map(([what, proof]) => weighed(what, proof))
    let tried = worst.length
    let slowestMs = 0
    for (; !isTimeUp(); tried++) {
      slowestMs = Math.max(slowestMs, judged(altered(random, random.oneOf(seeds))).ms)
    }
    return { tried, worst: [...worst, { what: 'the slowest altered one', ms: rounded(slowestMs) }] }
  },
}

const seeds = goldenCases
  .filter(({ name, lines }) => /^chain/.test(name) && lines.startsWith('PPPPPPPP'))
  .flatMap((one) => {
    const { seals } = decodeEvidence(fileOf(one))
    return seals.flatMap(({ beaconProof, checkpoints }) => [
      ...(beaconProof ? [beaconProof.proof] : []),
      ...checkpoints.flatMap(({ anchors }) => anchors.map(({ proof }) => proof)),
    ])
  })

const known = goldenCase('chain')
const pins = [...(trustOf(known)?.ledgers.values() ?? [])].filter(({ kind }) => kind === 'evm')
const statement = ((): Checkpoint => {
  const { streams, seals } = decodeEvidence(fileOf(known))
  const [stream] = streams
  const [checkpoint] = seals[0]?.checkpoints ?? []
  if (stream === undefined || checkpoint === undefined) throw new TypeError('no checkpoint')
  const { gateway, incarnation } = stream.descriptor
  return { gateway, incarnation, ...checkpoint }
})()
const beacon = { ledger: new Uint8Array(32), height: 9, hash: new Uint8Array(32) }

/** Anything but a judgement is a fault of the verifier, and ends the run. */
function judged(proof: Uint8Array) {
  const start = performance.now()
  const anchor = evmProofs.judgeAnchor(proof, statement, pins)
  const asBeacon = evmProofs.judgeBeacon(proof, beacon, pins)
  const ms = performance.now() - start
  for (const one of [anchor, asBeacon]) {
    if (!one.holds && one.why === '') throw new Error('refused without a reason')
  }
  return { ms, said: anchor.holds ? (anchor.note ?? 'holds') : anchor.why }
}

/** What is promised for one proof. Seals are what costs: no more are looked at than twice what the pin asks for. */
const promised = { ms: 2000, mebibytes: 64 }

function weighed(what: string, proof: Uint8Array) {
  const before = process.memoryUsage().heapUsed
  const { ms, said } = judged(proof)
  const mebibytes = rounded((process.memoryUsage().heapUsed - before) / mebibyte)
  const withinPromise = ms <= promised.ms && mebibytes <= promised.mebibytes
  return {
    what,
    bytes: proof.length,
    said: said.slice(0, 60),
    ms: rounded(ms),
    mebibytes,
    withinPromise,
  }
}

const mebibyte = 1024 * 1024
const rounded = (value: number): number => Math.round(value * 10) / 10

function hostile(): readonly (readonly [string, Uint8Array])[] {
  const [, contract = null, account = null, slot = null] = stateParts()
  const ones = (length: number) =>
    encodeRlp(Array.from({ length }, (_, i) => Uint8Array.of(i & 127)))
  const oneByOne = ones(16_000)
  const deep = new Uint8Array(16_000).fill(0xc1)
  const proved = (headers: readonly Item[]) => encodeItem([1, contract, account, slot, headers])
  const nodes = (node: Uint8Array) =>
    encode([2, new Uint8Array(20), 1, Array(15).fill(node), 0, [new Uint8Array(1)]])
  return [
    ['nothing but nested arrays', new Uint8Array(mebibyte).fill(0x81)],
    [
      'a list of 2^32 headers',
      concat(Uint8Array.of(0x81, 0x9a, 255, 255, 255, 255), new Uint8Array(mebibyte - 6)),
    ],
    ['more than a proof may be', new Uint8Array(mebibyte + 1)],
    ['headers of single bytes', proved(Array(64).fill(oneByOne))],
    ['headers of lists in lists', proved(Array(64).fill(deep))],
    ['receipts of single bytes', nodes(ones(64_000))],
    [
      'as many headers as may be, sealed by one signer',
      proved(blocks(Array(128).fill(s1)).map(({ raw }) => raw)),
    ],
  ]
}

function altered(random: Random, proof: Uint8Array): Uint8Array {
  const at = random.below(proof.length)
  const [before, after] = [proof.subarray(0, at), proof.subarray(at)]
  switch (random.below(5)) {
    case 0:
      return concat(before, random.bytes(1 + random.below(8)), after)
    case 1:
      return before
    case 2:
      return concat(before, after.subarray(Math.min(after.length, random.below(40))))
    case 3:
      return concat(before, proof.subarray(random.below(at + 1)))
    default: {
      const changed = Uint8Array.from(proof)
      changed[at] = (changed[at] as number) ^ (1 << random.below(8))
      return changed
    }
  }
}
