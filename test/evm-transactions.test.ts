import { Common, Hardfork, Mainnet } from '@ethereumjs/common'
import { createFeeMarket1559Tx, createLegacyTx } from '@ethereumjs/tx'
import { Address } from '@ethereumjs/util'
import test from 'ava'
import fc from 'fast-check'
import { abiItem, decodeCall, encodeCall } from '../anchor-client/contracts/abi.ts'
import { readArtefact } from '../anchor-client/contracts/artefact.ts'
import { equalBytes, hexToBytes } from '../anchor-client/evidence/bytes.ts'
import {
  readTransaction,
  signTransaction,
  type Transaction,
  type TransactionFee,
} from '../anchor-client/ledgers/evm/transactions.ts'
import { secretOf } from './helpers/anchoring.ts'
import { chainAccount } from './helpers/evm-ledger.ts'

const name = 'signs transactions'
const account = chainAccount(name)
const secret = hexToBytes(secretOf(name))
const wei = fc.bigInt({ min: 0n, max: 2n ** 90n })
const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

const fees: fc.Arbitrary<TransactionFee> = fc.oneof(
  wei.map((price) => ({ kind: 'price', price }) as const),
  fc.tuple(wei, wei).map(([a, b]) => {
    const [tip, cap] = a < b ? [a, b] : [b, a]
    return { kind: 'cap', cap, tip } as const
  }),
)

const transactions: fc.Arbitrary<Transaction> = fc.record(
  {
    chainId: fc.integer({ min: 1, max: 2 ** 31 }),
    nonce: fc.integer({ min: 0, max: 2 ** 40 }),
    fee: fees,
    gasLimit: fc.integer({ min: 100_000, max: 30_000_000 }),
    to: bytesOf(20),
    call: fc.uint8Array({ maxLength: 300 }),
  },
  { noNullPrototype: true },
)

/** The same by somebody else's hand. */
function signedElsewhere({ chainId, nonce, fee, gasLimit, to, call }: Transaction) {
  const common = new Common({ chain: { ...Mainnet, chainId }, hardfork: Hardfork.London })
  const plain = { nonce, gasLimit, to: new Address(to), data: call }
  return fee.kind === 'price'
    ? createLegacyTx({ ...plain, gasPrice: fee.price }, { common }).sign(secret)
    : createFeeMarket1559Tx(
        { ...plain, chainId, maxFeePerGas: fee.cap, maxPriorityFeePerGas: fee.tip },
        { common },
      ).sign(secret)
}

test('a transaction has the bytes, the hash and the sender that others give it', async (t) => {
  await fc.assert(
    fc.asyncProperty(transactions, async (of) => {
      const ours = await signTransaction(of, account.sign)
      const theirs = signedElsewhere(of)
      t.deepEqual(ours.bytes, theirs.serialize())
      t.deepEqual(ours.hash, theirs.hash())
      t.deepEqual(ours.from, theirs.getSenderAddress().bytes)
      t.deepEqual(readTransaction(ours.bytes), ours)
      t.like(ours, of)
    }),
    { numRuns: 60 },
  )
})

test('bytes of a transaction have one form: whatever is altered is none, or is of somebody else', async (t) => {
  for (const fee of [
    { kind: 'price', price: 7n },
    { kind: 'cap', cap: 9n, tip: 2n },
  ] as const) {
    const call = Uint8Array.from({ length: 40 }, (_, i) => i)
    const of = { chainId: 5, nonce: 1, fee, gasLimit: 100_000, to: account.address, call }
    const { bytes } = await signTransaction(of, account.sign)
    for (let at = 0; at < bytes.length; at++) {
      for (const bit of [1, 0x80]) {
        const altered = Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ bit : byte))
        const read = readTransaction(altered)
        t.false(read !== undefined && equalBytes(read.from, account.address), `${fee.kind} ${at}`)
      }
      t.is(readTransaction(bytes.subarray(0, at)), undefined)
    }
    t.is(readTransaction(Uint8Array.from([...bytes, 0])), undefined)
  }
})

test('a call is read back as it was written, and no other bytes are that call', (t) => {
  const { abi } = readArtefact()
  const anchor = abiItem(abi, 'anchor')
  const inputs = fc.tuple(
    bytesOf(32),
    fc.nat(),
    fc.nat(),
    bytesOf(32),
    fc.nat(),
    bytesOf(32),
    fc.array(bytesOf(32), { maxLength: 6 }),
    fc.tuple(bytesOf(32), bytesOf(32)),
  )
  fc.assert(
    fc.property(inputs, fc.nat(), (values, where) => {
      const call = encodeCall(anchor, values)
      const read = decodeCall(anchor, call)
      t.deepEqual(
        read,
        values.map((value) => (typeof value === 'number' ? BigInt(value) : value)),
      )
      t.is(decodeCall(anchor, call.subarray(0, call.length - 32)), undefined)
      t.is(decodeCall(anchor, Uint8Array.from([...call, 0])), undefined)
      t.is(decodeCall(abiItem(abi, 'rotate'), call), undefined)
      const altered = Uint8Array.from(call)
      altered[where % call.length] = (altered[where % call.length] as number) ^ 1
      t.notDeepEqual(decodeCall(anchor, altered), read)
    }),
    { numRuns: 100 },
  )
})
