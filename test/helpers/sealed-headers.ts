import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex, concat } from '../../anchor-client/evidence/bytes.ts'
import { encodeRlp, type RlpItem, rlpUint } from '../../anchor-client/evidence/rlp.ts'
import { openRpcNode } from '../../anchor-client/ledgers/evm/rpc/node.ts'
import { addressOf } from './evm.ts'
import { lyingNode, RpcFailure } from './lying-node.ts'

/** Headers as Clique seals them, for chains that no engine would make in so short a time. */
interface SealedHeader {
  readonly number: number
  readonly hash: Uint8Array
  /** As `eth_getBlockByNumber` gives it. */
  readonly json: Readonly<Record<string, string>>
}

export const sealer = (name: number): Uint8Array => new Uint8Array(32).fill(name)
export const addressIn = (key: Uint8Array): string => bytesToHex(addressOf(key))

/** Block 0, which lists the signers, and one more for each key. */
export function sealedChain(
  signers: readonly Uint8Array[],
  sealers: readonly Uint8Array[],
  timestamp = 1_700_000_000,
): SealedHeader[] {
  const list = signers
    .map(addressIn)
    .toSorted()
    .map((hex) => Uint8Array.from(Buffer.from(hex, 'hex')))
  const first = headerOf(
    0,
    new Uint8Array(32),
    timestamp,
    concat(new Uint8Array(32), ...list),
    null,
  )
  const chain = [first]
  for (const [i, key] of sealers.entries()) {
    const parent = chain.at(-1) as SealedHeader
    chain.push(headerOf(i + 1, parent.hash, timestamp + i + 1, new Uint8Array(32), key))
  }
  return chain
}

function headerOf(
  number: number,
  parentHash: Uint8Array,
  timestamp: number,
  vanity: Uint8Array,
  key: Uint8Array | null,
): SealedHeader {
  const fields = (extraData: Uint8Array): [string, Uint8Array, 'bytes' | 'number'][] => [
    ['parentHash', parentHash, 'bytes'],
    ['sha3Uncles', new Uint8Array(32).fill(1), 'bytes'],
    ['miner', new Uint8Array(20), 'bytes'],
    ['stateRoot', new Uint8Array(32).fill(2), 'bytes'],
    ['transactionsRoot', new Uint8Array(32).fill(3), 'bytes'],
    ['receiptsRoot', new Uint8Array(32).fill(4), 'bytes'],
    ['logsBloom', new Uint8Array(256), 'bytes'],
    ['difficulty', rlpUint(2), 'number'],
    ['number', rlpUint(number), 'number'],
    ['gasLimit', rlpUint(30_000_000), 'number'],
    ['gasUsed', rlpUint(0), 'number'],
    ['timestamp', rlpUint(timestamp), 'number'],
    ['extraData', extraData, 'bytes'],
    ['mixHash', new Uint8Array(32), 'bytes'],
    ['nonce', new Uint8Array(8), 'bytes'],
    ['baseFeePerGas', rlpUint(7), 'number'],
  ]
  const rlpOf = (extraData: Uint8Array) =>
    encodeRlp(fields(extraData).map(([, value]): RlpItem => value))
  const seal = key ? sealOver(keccak_256(rlpOf(vanity)), key) : new Uint8Array(65)
  const extraData = concat(vanity, seal)
  const hash = keccak_256(rlpOf(extraData))
  const entries = fields(extraData).map(([name, value, form]) => {
    const hex = bytesToHex(value)
    return [name, form === 'bytes' ? `0x${hex}` : `0x${hex.replace(/^0+/, '') || '0'}`]
  })
  return { number, hash, json: { ...Object.fromEntries(entries), hash: `0x${bytesToHex(hash)}` } }
}

function sealOver(digest: Uint8Array, key: Uint8Array): Uint8Array {
  const options = { prehash: false, format: 'recovered' } as const
  const [recovery = 0, ...rest] = secp256k1.sign(digest, key, options)
  return Uint8Array.from([...rest, recovery])
}

/** A node that has these blocks and nothing else. */
export async function nodeWith(chain: readonly SealedHeader[]) {
  const server = await lyingNode('http://127.0.0.1:1')
  let shown = chain
  server.tell(({ method, params }) => {
    if (method !== 'eth_getBlockByNumber') {
      return Promise.reject(new RpcFailure(-32601, `the method ${method} does not exist`))
    }
    const number = params[0] === 'latest' ? shown.length - 1 : Number(params[0])
    return Promise.resolve(shown[number]?.json ?? null)
  })
  const node = openRpcNode({ url: server.url, timeoutMs: 30_000, maxBytes: 1 << 20 })
  return {
    node,
    show(other: readonly SealedHeader[]): void {
      shown = other
    },
    async [Symbol.asyncDispose]() {
      node[Symbol.dispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}
