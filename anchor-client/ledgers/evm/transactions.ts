import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { concat, equalBytes } from '../../evidence/bytes.ts'
import { KedgeError } from '../../evidence/errors.ts'
import { decodeRlp, encodeRlp, isRlpBytes, type RlpItem, rlpUint } from '../../evidence/rlp.ts'

/** Transactions of the two kinds that are sent: with a price (EIP-155), and with a cap and a tip (EIP-1559). */
export interface Transaction {
  readonly chainId: number
  readonly nonce: number
  readonly fee: TransactionFee
  readonly gasLimit: number
  readonly to: Uint8Array
  readonly call: Uint8Array
}

export type TransactionFee =
  | { readonly kind: 'price'; readonly price: bigint }
  | { readonly kind: 'cap'; readonly cap: bigint; readonly tip: bigint }

export interface SignedTransaction extends Transaction {
  readonly bytes: Uint8Array
  readonly hash: Uint8Array
  readonly from: Uint8Array
}

/** What one gas costs at most. */
export const mostPerGas = (fee: TransactionFee): bigint =>
  fee.kind === 'price' ? fee.price : fee.cap

/** Of a public key 04‖x‖y. */
export const addressOf = (publicKey: Uint8Array): Uint8Array =>
  keccak_256(publicKey.subarray(1)).subarray(12)

/** @param sign gives r‖s‖recovery over a digest */
export async function signTransaction(
  of: Transaction,
  sign: (digest: Uint8Array) => Uint8Array | Promise<Uint8Array>,
): Promise<SignedTransaction> {
  const signature = await sign(digestOf(of))
  const bytes = encodeSigned(of, signature)
  const signed = readTransaction(bytes)
  if (signed === undefined) throw new KedgeError('INTERNAL', 'the account gave no signature')
  return signed
}

/** Undefined where the bytes are not the one encoding of a signed transaction. */
export function readTransaction(bytes: Uint8Array): SignedTransaction | undefined {
  try {
    const read = bytes[0] === dynamicFee ? readDynamic(bytes) : readLegacy(bytes)
    if (read === undefined) return undefined
    const { signature, ...of } = read
    if (!equalBytes(encodeSigned(of, signature), bytes)) return undefined
    const point = secp256k1.Signature.fromBytes(signature.subarray(0, 64)).addRecoveryBit(
      signature[64] as number,
    )
    // A node refuses the other half, and the same transaction would have two hashes.
    if (point.hasHighS()) return undefined
    const publicKey = point.recoverPublicKey(digestOf(of)).toBytes(false)
    return { ...of, bytes, hash: keccak_256(bytes), from: addressOf(publicKey) }
  } catch {
    return undefined
  }
}

const dynamicFee = 2

function itemsOf({ chainId, nonce, fee, gasLimit, to, call }: Transaction): RlpItem[] {
  const rest = [rlpUint(gasLimit), to, rlpUint(0), call]
  if (fee.kind === 'price') return [rlpUint(nonce), rlpUint(fee.price), ...rest]
  return [rlpUint(chainId), rlpUint(nonce), rlpUint(fee.tip), rlpUint(fee.cap), ...rest, []]
}

/** What is signed: with a price, the chain is said where the signature will stand. */
function digestOf(of: Transaction): Uint8Array {
  const items = itemsOf(of)
  return of.fee.kind === 'price'
    ? keccak_256(encodeRlp([...items, rlpUint(of.chainId), rlpUint(0), rlpUint(0)]))
    : keccak_256(concat(Uint8Array.of(dynamicFee), encodeRlp(items)))
}

function encodeSigned(of: Transaction, signature: Uint8Array): Uint8Array {
  const recovery = signature[64] as number
  const [r, s] = [signature.subarray(0, 32), signature.subarray(32, 64)].map(trimmed)
  const isPrice = of.fee.kind === 'price'
  const v = rlpUint(isPrice ? 35n + 2n * BigInt(of.chainId) + BigInt(recovery) : recovery)
  const list = encodeRlp([...itemsOf(of), v, r as Uint8Array, s as Uint8Array])
  return isPrice ? list : concat(Uint8Array.of(dynamicFee), list)
}

const trimmed = (bytes: Uint8Array): Uint8Array => {
  const first = bytes.findIndex((byte) => byte !== 0)
  return first < 0 ? new Uint8Array() : bytes.subarray(first)
}

type Read = Transaction & { readonly signature: Uint8Array }

function readLegacy(bytes: Uint8Array): Read | undefined {
  const items = flat(decodeRlp(bytes), 9)
  if (items === undefined) return undefined
  const [nonce, price, gasLimit, to, , call, v, r, s] = items as Nine
  const marked = uint(v) - 35n
  return {
    chainId: Number(marked >> 1n),
    nonce: Number(uint(nonce)),
    fee: { kind: 'price', price: uint(price) },
    gasLimit: Number(uint(gasLimit)),
    to,
    call,
    signature: signatureOf(r, s, Number(marked & 1n)),
  }
}

function readDynamic(bytes: Uint8Array): Read | undefined {
  const all = decodeRlp(bytes.subarray(1))
  if (isRlpBytes(all) || all.length !== 12) return undefined
  const items = flat(all.toSpliced(8, 1), 11)
  if (items === undefined) return undefined
  const [chainId, nonce, tip, cap, ...more] = items as [...Four, ...Uint8Array[]]
  const [gasLimit, to, , call, v, r, s] = more as Seven
  return {
    chainId: Number(uint(chainId)),
    nonce: Number(uint(nonce)),
    fee: { kind: 'cap', cap: uint(cap), tip: uint(tip) },
    gasLimit: Number(uint(gasLimit)),
    to,
    call,
    signature: signatureOf(r, s, Number(uint(v))),
  }
}

type Four = [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
type Seven = [...Four, Uint8Array, Uint8Array, Uint8Array]
type Nine = [...Seven, Uint8Array, Uint8Array]

const flat = (item: RlpItem, length: number): readonly Uint8Array[] | undefined =>
  !isRlpBytes(item) && item.length === length && item.every(isRlpBytes)
    ? (item as readonly Uint8Array[])
    : undefined

const uint = (bytes: Uint8Array): bigint =>
  bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)

function signatureOf(r: Uint8Array, s: Uint8Array, recovery: number): Uint8Array {
  const signature = new Uint8Array(65)
  signature.set(r, 32 - r.length)
  signature.set(s, 64 - s.length)
  signature[64] = recovery
  return signature
}
