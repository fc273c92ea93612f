import { type Block, createBlock } from '@ethereumjs/block'
import { Common, Hardfork, Mainnet } from '@ethereumjs/common'
import {
  getMerkleStateProof,
  MerkleStateManager,
  SimpleStateManager,
} from '@ethereumjs/statemanager'
import { createLegacyTx } from '@ethereumjs/tx'
import { Address, createAddressFromPrivateKey, createZeroAddress } from '@ethereumjs/util'
import { createVM, runTx } from '@ethereumjs/vm'
import { type AbiItem, readArtefact } from '../../anchor-client/contracts/compile.ts'
import { concat, hexToBytes } from '../../anchor-client/evidence/bytes.ts'
import { sm3 } from '../../anchor-client/evidence/sm3.ts'
import {
  type AbiInput,
  type AbiOutput,
  decodeError,
  decodeEvent,
  decodeValues,
  encodeCall,
  type Named,
  word,
} from './evm-abi.ts'

/** The anchor contract on an EVM in this process, whose keccak256 is what the chain's is. */
export type Hashing = 'keccak' | 'sm3'

export interface Answer {
  /** Null where it was taken. */
  readonly refused: Named | null
  readonly values: readonly AbiOutput[]
  readonly events: readonly Named[]
}

export interface AnchorOnEvm {
  readonly registrar: Uint8Array
  /** The block that the next calls are in. */
  block: number
  /** @param asGuomi by the selector that a guomi chain's tools make. */
  call(
    from: Uint8Array,
    name: string,
    inputs: readonly AbiInput[],
    asGuomi?: boolean,
  ): Promise<Answer>
  /** The gas of a whole transaction, as a chain charges it. */
  gas(privateKey: Uint8Array, name: string, inputs: readonly AbiInput[]): Promise<number>
  /** Any bytes, as they are. */
  raw(from: Uint8Array, bytes: Uint8Array): Promise<Raw>
  storage(slot: Uint8Array): Promise<Uint8Array>
  runtime(): Promise<Uint8Array>
  /** What `eth_getProof` gives, and the state root that it leads to. */
  proof(slot: Uint8Array): Promise<StorageProof>
}

interface Raw {
  readonly failed: string | null
  readonly returned: Uint8Array
  readonly events: readonly Named[]
}

export interface StorageProof {
  readonly stateRoot: Uint8Array
  readonly address: Uint8Array
  readonly codeHash: Uint8Array
  readonly storageRoot: Uint8Array
  readonly accountProof: readonly Uint8Array[]
  readonly storageProof: readonly Uint8Array[]
}

const { abi, bytecode } = readArtefact()

export const abiItem = (name: string): AbiItem => {
  const item = abi.find((one) => one.type === 'function' && one.name === name)
  if (!item) throw new TypeError(`the contract has no ${name}`)
  return item
}

/** An address that nobody has a key of, which the EVM does not mind. */
export const account = (number: number): Uint8Array => word(BigInt(number) + 0x1000n).subarray(12)

export const addressOf = (privateKey: Uint8Array): Uint8Array =>
  createAddressFromPrivateKey(privateKey).bytes

export async function deployAnchor(
  hashing: Hashing = 'keccak',
  { registrar = account(0), hardfork = Hardfork.London as string, isProving = false } = {},
): Promise<AnchorOnEvm> {
  const custom =
    hashing === 'sm3' ? { customCrypto: { keccak256: (bytes: Uint8Array) => sm3(bytes) } } : {}
  const common = new Common({ chain: Mainnet, hardfork, ...custom })
  // Half of the time would go into a trie that only proofs need.
  const trie = isProving ? new MerkleStateManager({ common }) : null
  const stateManager = trie ?? new SimpleStateManager({ common })
  const vm = await createVM({ common, stateManager })
  const { evm } = vm
  const gasLimit = 30_000_000n
  const blocks = new Map<number, Block>()
  const at = (number: number): Block => {
    const header = { number: BigInt(number), gasLimit, baseFeePerGas: 0n }
    const block = blocks.get(number) ?? createBlock({ header }, { common, setHardfork: false })
    blocks.set(number, block)
    return block
  }

  const creation = { data: concat(hexToBytes(bytecode), word(0n).fill(0, 0, 12)), gasLimit }
  creation.data.set(registrar, creation.data.length - 20)
  const deployed = await evm.runCall({ ...creation, caller: createZeroAddress(), block: at(1) })
  const to = deployed.createdAddress
  if (!to || deployed.execResult.exceptionError) throw new Error('the contract was not deployed')
  const nonces = new Map<string, bigint>()

  const raw = async (from: Uint8Array, bytes: Uint8Array): Promise<Raw> => {
    const call = { caller: new Address(from), to, data: bytes, gasLimit, block: at(anchor.block) }
    const { execResult } = await evm.runCall(call)
    return {
      failed: execResult.exceptionError?.error ?? null,
      returned: execResult.returnValue,
      events: (execResult.logs ?? []).map(([, topics, body]) => decodeEvent(abi, topics, body)),
    }
  }

  const anchor: AnchorOnEvm = {
    registrar,
    block: 2,
    raw,
    async call(from, name, inputs, asGuomi = false) {
      const item = abiItem(name)
      const asked = encodeCall(item, inputs, asGuomi ? (bytes) => sm3(bytes) : undefined)
      const { failed, returned, events } = await raw(from, asked)
      if (failed !== null && failed !== 'revert') throw new Error(`the EVM stopped: ${failed}`)
      if (failed !== null) return { refused: decodeError(abi, returned), values: [], events: [] }
      return { refused: null, values: decodeValues(item.outputs ?? [], returned), events }
    },
    async gas(privateKey, name, inputs) {
      const from = createAddressFromPrivateKey(privateKey)
      const nonce = nonces.get(from.toString()) ?? 0n
      nonces.set(from.toString(), nonce + 1n)
      const data = encodeCall(abiItem(name), inputs)
      const tx = createLegacyTx(
        { to, data, nonce, gasLimit: 10_000_000n, gasPrice: 0n },
        { common },
      )
      const block = at(anchor.block)
      const { totalGasSpent } = await runTx(vm, {
        tx: tx.sign(privateKey),
        block,
        skipBalance: true,
      })
      return Number(totalGasSpent)
    },
    storage: async (slot) => {
      const value = await stateManager.getStorage(to, slot)
      return concat(new Uint8Array(32 - value.length), value)
    },
    runtime: () => stateManager.getCode(to),
    async proof(slot) {
      if (!trie) throw new TypeError('this chain was made without proofs')
      const stateRoot = await trie.getStateRoot()
      const found = await getMerkleStateProof(trie, to, [slot])
      const bytes = (hex: string) => hexToBytes(hex.slice(2))
      return {
        stateRoot,
        address: to.bytes,
        codeHash: bytes(found.codeHash),
        storageRoot: bytes(found.storageHash),
        accountProof: found.accountProof.map(bytes),
        storageProof: (found.storageProof[0]?.proof ?? []).map(bytes),
      }
    },
  }
  return anchor
}
