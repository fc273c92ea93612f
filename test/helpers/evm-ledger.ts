import { secp256k1 } from '@noble/curves/secp256k1.js'
import { readArtefact } from '../../anchor-client/contracts/artefact.ts'
import { bytesToHex, concat, hexToBytes } from '../../anchor-client/evidence/bytes.ts'
import type { EvmOptions } from '../../anchor-client/ledgers/evm/options.ts'
import { evm } from '../../anchor-client/ledgers/evm.ts'
import type {
  LedgerHost,
  LedgerRequest,
  LedgerSession,
  Outcome,
  Prepared,
} from '../../anchor-client/ledgers/ledger.ts'
import { type Anvil, type AnvilOptions, anvilProgram, startAnvil } from '../engines/evm/anvil.ts'
import { secretOf } from './anchoring.ts'
import { addressOf } from './evm.ts'
import { word } from './evm-abi.ts'
import { until } from './gateway.ts'
import type { LedgerUnderTest, OwnedLedger } from './ledger-under-test.ts'
import { scratchFolder } from './scratch.ts'

/** The ledger on Foundry's node: each test has a contract and an account of its own, all of them one chain. */
export const anvilIsMissing = anvilProgram() === null

export const chainId = 77_003

/** Contracts and their owners, put there before all tests: what is put there is in no root before the next block. */
const prepared = 48

export interface Chain extends Anvil {
  /** A contract that no other test has, and whoever is its registrar. */
  next(): OwnContract
  /** Where code stands that is not that of the anchor contract. */
  readonly otherContract: string
}

export async function startChain(told: Partial<AnvilOptions> = {}): Promise<Chain> {
  const anvil = await startAnvil({
    chainId,
    registrar: new Uint8Array(20).fill(0xee),
    contracts: 0,
    accounts: [],
    wei: 0n,
    ...told,
  })
  const contracts = Array.from({ length: prepared }, (_, i) => ({
    contract: hex(word(BigInt(i) + 0xc0de_0000n).subarray(12)),
    owner: chainAccount(`owner of contract ${i}`),
  }))
  for (const { contract, owner } of contracts) {
    await anvil.rpc('anvil_setBalance', hex(owner.address), `0x${(10n ** 18n).toString(16)}`)
    await anvil.rpc('anvil_setCode', contract, `0x${readArtefact().runtime}`)
    const registrar = hex(concat(new Uint8Array(12), owner.address))
    await anvil.rpc('anvil_setStorageAt', contract, hex(word(3n)), registrar)
  }
  const otherContract = `0x${'0c'.repeat(20)}`
  await anvil.rpc('anvil_setCode', otherContract, '0x6001600101')
  // What is put there is in the root of the next block, and the one before it is not asked for any more.
  await anvil.rpc('anvil_mine', '0x8')
  return {
    ...anvil,
    otherContract,
    next() {
      const [one] = contracts.splice(0, 1)
      if (one === undefined) throw new Error('more contracts are to be prepared')
      return one
    },
  }
}

/** A key that signs digests as the host of a ledger does. */
export function chainAccount(name: string): Pick<LedgerHost, 'publicKey' | 'sign'> & {
  readonly address: Uint8Array
} {
  const secret = hexToBytes(secretOf(name))
  return {
    address: addressOf(secret),
    publicKey: secp256k1.getPublicKey(secret, false),
    sign(digest) {
      const [recovery = 0, ...rest] = secp256k1.sign(digest, secret, {
        prehash: false,
        format: 'recovered',
      })
      return Uint8Array.from([...rest, recovery])
    },
  }
}

interface OwnContract {
  readonly contract: string
  readonly owner: ReturnType<typeof chainAccount>
}

export const optionsOf = (
  url: string,
  contract: string,
  path: string,
  told: Partial<EvmOptions> = {},
) =>
  evm.options.parse({
    urls: [url],
    chainId,
    contract,
    path,
    fee: 'zero',
    finality: 'depth',
    confirmations: 0,
    timeoutMs: 30_000,
    ...told,
  })

export const hostOf = (
  { publicKey, sign }: Pick<LedgerHost, 'publicKey' | 'sign'>,
  told: Partial<LedgerHost> = {},
): LedgerHost => ({ nowMs: () => Date.now(), publicKey, sign, isFirstUse: false, ...told })

interface EvmUnderTest extends LedgerUnderTest, OwnContract {
  readonly path: string
  /** For whoever opens it in another way. */
  options(told?: Partial<EvmOptions>): EvmOptions
  host(told?: Partial<LedgerHost>): LedgerHost
}

/** A ledger for the shared suites: the account is the registrar's and the gateway's at once. */
export async function evmUnderTest(
  chain: Pick<Chain, 'next' | 'url'>,
  told: Partial<EvmOptions> = {},
): Promise<EvmUnderTest> {
  const { contract, owner } = chain.next()
  const { path, ...folder } = await scratchFolder()
  return {
    contract,
    owner,
    path,
    options: (more = {}) => optionsOf(chain.url, contract, path, { ...told, ...more }),
    host: (more = {}) => hostOf(owner, more),
    async open() {
      const options = optionsOf(chain.url, contract, path, told)
      const session = await evm.connect(options, hostOf(owner))
      // On a busy machine it may not have heard the chain by now.
      await session.describe(new AbortController().signal)
      return ownedSession(session)
    },
    [Symbol.asyncDispose]: folder[Symbol.asyncDispose],
  }
}

/** What a ledger says of an outcome, for messages and for looking at its words. */
export const whyOf = (of: object): string =>
  'why' in of ? String(of.why) : 'state' in of ? String(of.state) : ''

export async function prepare(session: LedgerSession, request: LedgerRequest): Promise<Prepared> {
  const prepared = await session.prepare(request, new AbortController().signal)
  if (prepared.state !== 'prepared') throw new Error(whyOf(prepared))
  return prepared
}

/** Sends the bytes until they are in a block, or have another end. */
export const landed = (session: LedgerSession, prepared: Prepared): Promise<Outcome> =>
  until(async () => {
    const outcome = await session.send(prepared, new AbortController().signal)
    const isWaiting = outcome.state === 'unknown' || (outcome.state === 'known' && !outcome.place)
    return isWaiting ? null : outcome
  }, 'a block with the transaction')

export function ownedSession(session: LedgerSession): OwnedLedger {
  const { registrar } = session
  if (registrar === null) throw new Error('this account is not the registrar')
  return { ...session, registrar }
}

export const hex = (bytes: Uint8Array): string => `0x${bytesToHex(bytes)}`
