// Section 14 of FORMAT.md: run it, and it prints the section.
import { fileURLToPath } from 'node:url'
import { bigEndian, hex, join, u64 } from './bytes.ts'
import { consortium } from './cases/on-chain.ts'
import { block, ledgerId, sealer, slotOf } from './chain.ts'
import { historyHash, seeded, sm3 } from './hash.ts'
import {
  checkpointMessage,
  headOf,
  history,
  rotationMessage,
  segmentLeaf,
  segment as segmentOf,
  signedCheckpoint,
} from './history.ts'
import { digest, key, sign, signerHash } from './keys.ts'
import { keccak, rlp, trimmed } from './patricia.ts'
import { a, controller, w1 } from './people.ts'
import { at, celsius, gap, minute, privately, second } from './records.ts'
import { eraseMessage, fieldCommitment, rootAt, stream } from './streams.ts'
import { alignedSpans, inclusionPath, nodes, rangeSpans, type Span, treeRoot } from './tree.ts'
import { keep } from './witness.ts'

type Example = readonly [sentence: string, lines: Readonly<Record<string, Uint8Array>>]

const probe = stream(a, { number: 1, source: 'probe-1', promise: [2, minute, minute / 2] }, [
  celsius(425, at(0)),
  gap(at(3 * minute), 'radio', 2),
])
const pseudonym = stream(a, { number: 2, source: 'c0ffee', kinds: null, erasable: true }, [
  privately({ 0: 'heart-rate' }),
])
const reading = the(probe.leaves[0])
const hole = the(probe.leaves[1])
const kind = the(pseudonym.leaves[0]?.openings?.[0])

const two = history(a, [
  { at: second, grown: [[probe, 1]] },
  { at: 3 * minute + second, grown: [[probe, 2]], beacon: [w1.key.id, 7, seeded('an entry')] },
])
const first = the(two.batches[0]).header
const header = the(two.batches[1]).header
const leafOf = (header: Uint8Array, hash: number): Uint8Array =>
  historyHash(hash)(Uint8Array.of(0), header)
const leaves = (hash: number): readonly Uint8Array[] => [leafOf(first, hash), leafOf(header, hash)]
const segment = segmentOf(probe, 2)
const root = treeRoot(leaves(1))
const western = { ...a, hash: 2 } as const
const westernRoot = treeRoot(leaves(2), historyHash(2))
const message = checkpointMessage(a, 2, root)
const log = keep(w1, [
  [signedCheckpoint(a, 1, leafOf(first, 1)), 2 * second],
  [signedCheckpoint(a, 2, root), 3 * minute + 3 * second],
])
const entry = the(log[1])
const next = key('gateway a, second')
const order = seeded('an order')

const signer = sealer('one')
const sealed = { number: 17, at: 4 * minute, by: signer } as const
const inSlot = headOf(western, 2, westernRoot)

const eleven = Array.from({ length: 11 }, (_, i) => sm3(Uint8Array.of(0), bigEndian(i, 32)))
const ranges = rangeSpans(11, 3, 6)

const examples: readonly Example[] = [
  [
    'A plain reading of 4.25 °C: salt, record, commit, leaf.',
    {
      'reading-salt': reading.salt,
      'reading-record': reading.record,
      'reading-commit': reading.commit,
      'reading-leaf': reading.hash,
    },
  ],
  [
    'A gap of two readings, which is a structural record: its leaf has another prefix.',
    {
      'gap-salt': hole.salt,
      'gap-record': hole.record,
      'gap-commit': hole.commit,
      'gap-leaf': hole.hash,
    },
  ],
  [
    'Field 0 of a private reading: salt, field, commitment (the first 32 of its 384 bytes).',
    { 'field-salt': kind.salt, field: kind.field, 'field-commitment': fieldCommitment(kind) },
  ],
  ['The descriptor of that probe, and its tag.', { descriptor: probe.descriptor, tag: probe.tag }],
  [
    'The root over the reading and the gap: a tree of two leaves.',
    { 'stream-root': rootAt(probe, 2) },
  ],
  [
    'The segment of the probe at size 2, and its leaf in the batch tree, which is the root of a batch of one segment.',
    { segment: segment.bytes, 'segment-leaf': segmentLeaf(segment) },
  ],
  [
    'The second header (seq 1) with a beacon, and its leaf in the history tree under hash id 1 and under hash id 2.',
    { header, 'header-leaf-sm3': leafOf(header, 1), 'header-leaf-sha256': leafOf(header, 2) },
  ],
  [
    'The history of two headers (the first has seq 0): roots and heads under both hash ids.',
    {
      'first-header': first,
      'history-root-sm3': root,
      'history-root-sha256': westernRoot,
      'head-sm3': headOf(a, 2, root),
      'head-sha256': headOf(western, 2, westernRoot),
    },
  ],
  [
    'The checkpoint of size 2 under hash id 1: M, the key, the gateway id (the id of that key), Z, e, and a signature (other signatures are as valid).',
    {
      M: message,
      'gateway-key': a.key.publicKey,
      gateway: a.id,
      Z: signerHash(a.key.publicKey),
      e: digest(a.key.publicKey, message),
      signature: sign(a.key, message),
    },
  ],
  [
    'What a witness signs of it (entry 1, rules 1): key, ledger id, entry, entry message, signature, and the proof that the file carries.',
    {
      'witness-key': w1.key.publicKey,
      'ledger-id': w1.key.id,
      entry: entry.entry,
      'entry-message': entry.message,
      'entry-signature': entry.signature,
      'anchor-proof': entry.proof,
    },
  ],
  [
    'Where a contract on an EVM chain keeps that history under hash id 2: chain id (as u64), hash of block 0, address, ledger id; base for this gateway and incarnation 0, the key that leads to it in the trie, and the value that stands there.',
    {
      'chain-id': u64(consortium.chainId),
      genesis: consortium.genesis,
      contract: consortium.contract,
      'chain-ledger-id': ledgerId(consortium),
      base: slotOf(western),
      'base-key': keccak(slotOf(western)),
      'base-value': rlp(trimmed(inSlot)),
    },
  ],
  [
    'A block of such a chain: its header as it is carried, its hash, the digest that was sealed (of the header with extra data 65 bytes shorter), the seal that ends its extra data, and the address of who sealed it.',
    {
      'block-header': block(sealed).raw,
      'block-hash': block(sealed).hash,
      'sealed-digest': keccak(block({ ...sealed, by: null }).raw),
      seal: block(sealed).raw.slice(-108, -43),
      'sealer-address': signer.address,
    },
  ],
  [
    'A rotation in header 1 to a new key: the rotation message, and the signature by the new key.',
    {
      'new-key': next.publicKey,
      'rotation-message': rotationMessage(a, 1, next),
      'rotation-signature': sign(next, rotationMessage(a, 1, next)),
    },
  ],
  [
    'An order to erase a stream: its tag, the order hash, the erase message, the key of the controller and its signature.',
    {
      'erased-tag': pseudonym.tag,
      'order-hash': order,
      'erase-message': eraseMessage(a, pseudonym.tag, order),
      'controller-key': controller.publicKey,
      'erase-signature': sign(controller, eraseMessage(a, pseudonym.tag, order)),
    },
  ],
  [
    `The range [3, 6) of a tree of 11 leaves, leaf i being \`SM3(0x00 ‖ i as 32 bytes, big-endian)\`: the left list holds the subtrees ${spans(ranges.left)}, the right list ${spans(ranges.right)}; the path of leaf 4 has four hashes; the root.`,
    {
      'range-left': nodes(eleven, ranges.left),
      'range-right': nodes(eleven, ranges.right),
      'leaf-4-path': join(...inclusionPath(eleven, 4)),
      'eleven-root': treeRoot(eleven),
    },
  ],
  [
    `The aligned nodes of [3, 11) in the same tree are ${spans(alignedSpans(3, 11))}.`,
    { 'aligned-nodes': nodes(eleven, alignedSpans(3, 11)) },
  ],
]

/** The section with its heading, up to the heading of the next. */
export const section = (): string =>
  [
    '## 14 Worked examples\n',
    'All in hex. The keys and salts are those of the golden files; never sign anything with them.\n',
    ...examples.flatMap(([sentence, lines]) => [
      `${sentence}\n`,
      '```',
      ...Object.entries(lines).map(([name, bytes]) => `${name} = ${hex(bytes)}`),
      '```\n',
    ]),
    '',
  ].join('\n')

function the<T>(item: T | undefined): T {
  if (item === undefined) throw new TypeError('nothing there')
  return item
}

function spans(list: readonly Span[]): string {
  return list.map(([lo, hi]) => `[${lo}, ${hi})`).join(', ')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(section())
