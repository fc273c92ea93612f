import { type BlockHeader, createSealedCliqueBlockHeader } from '@ethereumjs/block'
import { ConsensusAlgorithm, ConsensusType, createCustomCommon, Mainnet } from '@ethereumjs/common'
import { createMerkleProof, createMPT } from '@ethereumjs/mpt'
import { keccak_256 } from '@noble/hashes/sha3.js'
import test from 'ava'
import { signatureOf } from '../anchor-client/contracts/abi.ts'
import { readArtefact } from '../anchor-client/contracts/compile.ts'
import { bytesToHex, concat, equalBytes, utf8 } from '../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import { decodeEvidence } from '../anchor-client/evidence/file.ts'
import type { LedgerProof } from '../anchor-client/evidence/model.ts'
import { evmProofs, extendingCodes } from '../anchor-client/evidence/proofs/evm.ts'
import {
  encodeHeadersProof,
  encodeReceiptProof,
  encodeStateProof,
} from '../anchor-client/evidence/proofs/evm-codec.ts'
import { evmLedgerId } from '../anchor-client/evidence/proofs/evm-ledger-id.ts'
import type { AnchorJudgement, Pin } from '../anchor-client/evidence/proofs/proof.ts'
import { decodeRlp, encodeRlp, type RlpItem, rlpUint } from '../anchor-client/evidence/rlp.ts'
import { parsePinnedLedger } from '../anchor-client/evidence/trust.ts'
import { anchored, anchoredTopic, receipt } from './golden/chain.ts'
import { fileOf, goldenCase, trustOf } from './helpers/cases.ts'
import { account, addressOf, deployAnchor } from './helpers/evm.ts'
import { naiveHistory } from './helpers/evm-history.ts'
import { historySlot } from './helpers/evm-layout.ts'

// What others made: the contract on an EVM, its trie, Clique's seals and a trie of receipts by another library's hand.

const gateway = new Uint8Array(32).fill(0xa1)
const history = naiveHistory(2)
const checkpoint = { gateway, incarnation: 0, size: 9, hashId: 2, root: history.rootAt(9) } as const
const signature = [new Uint8Array(32).fill(0xc1), new Uint8Array(32).fill(0xc2)]
const sealers = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte))
const { abi, codeHash } = readArtefact()

const common = createCustomCommon(
  {
    name: 'ward',
    chainId: 1337,
    consensus: {
      type: ConsensusType.ProofOfAuthority,
      algorithm: ConsensusAlgorithm.Clique,
      clique: { period: 1, epoch: 30_000 },
    },
  },
  Mainnet,
  { hardfork: 'london' },
)

/** A block and those that follow it, each sealed by one of the three. */
function sealed(of: { stateRoot?: Uint8Array; receiptTrie?: Uint8Array }, by: readonly number[]) {
  const headers: BlockHeader[] = []
  for (const [i, signer] of by.entries()) {
    const parentHash = headers.at(-1)?.hash() ?? new Uint8Array(32).fill(7)
    const about = {
      ...(i === 0 ? of : {}),
      parentHash,
      number: 17n + BigInt(i),
      timestamp: 1_800_000_000n + BigInt(i),
      difficulty: 2n,
      gasLimit: 30_000_000n,
      baseFeePerGas: 7n,
      extraData: new Uint8Array(97),
    }
    const key = sealers[signer] as Uint8Array
    headers.push(createSealedCliqueBlockHeader(about, key, { common, freeze: false }))
  }
  return headers.map((header) => header.serialize())
}

/** The contract as it holds nine headers of the gateway, among four other gateways. */
async function heldOnEvm() {
  const chain = await deployAnchor('keccak', { isProving: true })
  const of = account(1)
  for (const byte of [0xa1, 0xa2, 0xa3, 0xa4, 0xa5]) {
    const id = new Uint8Array(32).fill(byte)
    const keyId = new Uint8Array(32).fill(byte + 1)
    await chain.call(chain.registrar, 'admit', [id, 0, 2, of, keyId, 3600])
    const root = history.rootAt(9)
    await chain.call(of, 'anchor', [id, 0, 0, history.rootAt(0), 9, root, [], signature])
  }
  const slot = historySlot(gateway, 0, 0)
  return { contract: (await chain.proof(slot)).address, ...(await chain.proof(slot)) }
}

const pinOf = (contract: Uint8Array, more: object = {}): Pin =>
  parsePinnedLedger(
    JSON.stringify({
      kind: 'evm',
      chainId: 1337,
      genesis: '11'.repeat(32),
      contract: bytesToHex(contract),
      codeHash: codeHash.keccak256,
      signers: [{ from: 0, addresses: sealers.map((key) => bytesToHex(addressOf(key))) }],
      ...more,
    }),
  )

test('what an EVM holds is proved by its own trie, and vouched for by two of three signers', async (t) => {
  const held = await heldOnEvm()
  const { contract, accountProof, storageProof, stateRoot } = held
  const prove = (by: readonly number[]) =>
    encodeStateProof({
      contract,
      accountNodes: accountProof,
      slotNodes: storageProof,
      headers: sealed({ stateRoot }, by),
    })
  const pin = pinOf(contract)
  const judgement = evmProofs.judgeAnchor(prove([0, 1]), checkpoint, [pin])
  t.deepEqual(judgement, {
    holds: true,
    ledgerId: pin.ledgerId,
    mayBe: [],
    code: codeHash.keccak256,
    extensionsOnly: true,
    timeMs: 1_800_000_000_000,
    height: 17,
    isStanding: true,
    note: null,
  })
  const once = evmProofs.judgeAnchor(prove([2]), checkpoint, [pin])
  t.like(once, { holds: true, ledgerId: null, mayBe: [pin.ledgerId] })
  const other = { ...checkpoint, root: history.rootAt(8) }
  t.like(evmProofs.judgeAnchor(prove([0, 1]), other, [pin]), { holds: false })
})

test('the ledger id of a pin is that of its chain, first block and contract', (t) => {
  const contract = account(9)
  const genesis = new Uint8Array(32).fill(0x11)
  const ledgerId = bytesToHex(evmLedgerId({ chainId: 1337, genesis, contract }))
  t.is(pinOf(contract).ledgerId, ledgerId)
})

test('a receipt that another library put into its trie is found there', async (t) => {
  const contract = account(9)
  const by = { key: new Uint8Array(), id: gateway, incarnation: 0, hash: 2 } as never
  const event = anchored(contract, {
    gateway: by,
    size: 9,
    root: checkpoint.root,
    key: new Uint8Array(65),
    signature: concat(...signature),
  })
  const pin = pinOf(contract)
  for (const [index, count] of [
    [0, 1],
    [0, 2],
    [3, 4],
    [127, 140],
    [128, 140],
    [300, 301],
  ] as const) {
    const trie = await createMPT()
    for (let i = 0; i < count; i++) {
      const logs = i === index ? [event] : []
      await trie.put(encodeRlp(rlpUint(i)), receipt({ logs, type: i % 3 }))
    }
    const receiptNodes = await createMerkleProof(trie, encodeRlp(rlpUint(index)))
    const headers = sealed({ receiptTrie: trie.root() }, [1, 2])
    const proof = encodeReceiptProof({ contract, index, receiptNodes, logIndex: 0, headers })
    const judgement = evmProofs.judgeAnchor(proof, checkpoint, [pin])
    t.like(judgement, { holds: true, ledgerId: pin.ledgerId, code: null, extensionsOnly: false })
  }
})

test('a beacon is a block that the same signers sealed', (t) => {
  const contract = account(9)
  const pin = pinOf(contract)
  const headers = sealed({}, [2, 0])
  const hash = keccak_256(headers[0] as Uint8Array)
  const ledger = Uint8Array.from(Buffer.from(pin.ledgerId, 'hex'))
  const judge = (raw: readonly Uint8Array[], height = 17) =>
    evmProofs.judgeBeacon(encodeHeadersProof(raw), { ledger, height, hash }, [pin])
  t.deepEqual(judge(headers), { holds: true, timeMs: 1_800_000_000_000, doubt: null })
  t.like(judge(headers.slice(0, 1)), { holds: true })
  t.regex((judge(headers.slice(0, 1)) as { doubt: string }).doubt, /it takes 2/)
  t.like(judge(headers, 18), { holds: false })
  t.like(judge(headers.slice(1)), { holds: false })
})

test('the code that is known to take only extensions is the code in the repository', (t) => {
  t.deepEqual(extendingCodes, [codeHash.keccak256])
})

test('the event that is looked for is the one that the contract gives', (t) => {
  const event = abi.find(({ type, name }) => type === 'event' && name === 'Anchored')
  if (event === undefined) return t.fail()
  t.deepEqual(keccak_256(utf8(signatureOf(event))), anchoredTopic)
  const inputs = event.inputs ?? []
  const named = (isIndexed: boolean) =>
    inputs.filter(({ indexed }) => (indexed ?? false) === isIndexed).map(({ name }) => name)
  t.deepEqual(named(true), ['gateway', 'incarnation', 'size'])
  t.deepEqual(named(false), ['head', 'root', 'oldSize', 'signature'])
})

// No bit of a proof is unbound: whichever is turned, no pinned ledger vouches for it any more.

/** The proof in a golden file, and how it is judged there. */
function judged(name: string): readonly [Uint8Array, (proof: Uint8Array) => boolean] {
  const one = goldenCase(name)
  const { streams, seals } = decodeEvidence(fileOf(one))
  const pins = [...(trustOf(one)?.ledgers.values() ?? [])].filter(({ kind }) => kind === 'evm')
  const [seal] = seals
  const [stream] = streams
  const [signed] = seal?.checkpoints ?? []
  const proof = seal?.beaconProof ?? (signed?.anchors[0] as LedgerProof)
  const { beacon } = seal?.header ?? {}
  const { gateway, incarnation } = stream?.descriptor ?? {
    gateway: new Uint8Array(),
    incarnation: 0,
  }
  if (beacon) {
    return [
      proof.proof,
      (bytes) => {
        const judgement = evmProofs.judgeBeacon(bytes, beacon, pins)
        return judgement.holds && judgement.doubt === null
      },
    ]
  }
  if (signed === undefined) throw new TypeError('no checkpoint')
  const { size, hashId, root } = signed
  const statement = { gateway, incarnation, size, hashId, root }
  const isVouchedFor = (judgement: AnchorJudgement) =>
    judgement.holds && judgement.ledgerId !== null
  return [proof.proof, (bytes) => isVouchedFor(evmProofs.judgeAnchor(bytes, statement, pins))]
}

// Seals take their time, and what is sealed is alike in all: of the last two each seventh bit is enough, of every byte.
for (const [name, step] of [
  ['chain', 1],
  ['chain-pinned-block', 1],
  ['chain-receipt', 7],
  ['chain-beacon', 7],
] as const) {
  test(`no bit of a proof can be turned (${name})`, (t) => {
    const [proof, isTaken] = judged(name)
    t.true(isTaken(proof))
    const changed = Uint8Array.from(proof)
    const unnoticed: number[] = []
    for (let bit = 0; bit < 8 * proof.length; bit += step) {
      const at = bit >> 3
      changed[at] = (proof[at] as number) ^ (1 << (bit & 7))
      if (isTaken(changed)) unnoticed.push(bit)
      changed[at] = proof[at] as number
    }
    t.deepEqual(unnoticed, [])
  })
}

// The reader of RLP.

const texts: readonly (readonly [RlpItem, string])[] = [
  [new Uint8Array(), '80'],
  [Uint8Array.of(0), '00'],
  [Uint8Array.of(0x7f), '7f'],
  [Uint8Array.of(0x80), '8180'],
  [utf8('dog'), '83646f67'],
  [new Uint8Array(55), `b7${'00'.repeat(55)}`],
  [new Uint8Array(56), `b838${'00'.repeat(56)}`],
  [new Uint8Array(256), `b90100${'00'.repeat(256)}`],
  [[], 'c0'],
  [[utf8('cat'), utf8('dog')], 'c88363617483646f67'],
  [[[], [[]], [[], [[]]]], 'c7c0c1c0c3c0c1c0'],
]

test('RLP is written and read as its authors show it', (t) => {
  for (const [item, hex] of texts) {
    t.is(bytesToHex(encodeRlp(item)), hex)
    t.deepEqual(decodeRlp(encodeRlp(item)), item)
  }
})

test('RLP in any other form than its one is refused', (t) => {
  const others = [
    '',
    '8100',
    '817f',
    'b800',
    `b837${'00'.repeat(55)}`,
    `b90038${'00'.repeat(56)}`,
    '83646f',
    'c883636174',
    'c0c0',
    '8180ff',
    'f800',
    'c18180',
    'bf0000000000000001',
    'ff0000000000000001',
    `${'c1'.repeat(40)}c0`,
    'f90001c0',
    'bb7fffffff',
    'fbffffffff',
    'bc0100000000',
  ]
  for (const hex of others) {
    const read = () => decodeRlp(new Uint8Array(Buffer.from(hex, 'hex')))
    t.throws(read, { instanceOf: KedgeError, code: 'EVIDENCE_MALFORMED' }, hex)
  }
})

test('a whole number is read only without zeros before it, and up to 2^53 − 1', (t) => {
  t.true(equalBytes(rlpUint(0), new Uint8Array()))
  t.is(bytesToHex(rlpUint(2 ** 53 - 1)), '1fffffffffffff')
})
