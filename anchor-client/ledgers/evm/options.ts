import { z } from 'zod'
import { hexToBytes } from '../../evidence/bytes.ts'

/** What the configuration says of one anchor contract on one chain. */

/** HTTPS everywhere, but for this machine itself; no name and password in an address, as addresses are printed. */
const nodeUrl =
  /^(?:https:\/\/(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]{1,253})|http:\/\/(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]))(?::\d{1,5})?(?:\/[A-Za-z0-9._~/-]{0,512})?$/

const openNodeUrl =
  /^https?:\/\/(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]{1,253})(?::\d{1,5})?(?:\/[A-Za-z0-9._~/-]{0,512})?$/

const wei = (usual: string, means: string) =>
  z
    .string()
    .regex(/^(?:0|[1-9][0-9]{0,26})$/)
    .meta({ title: 'an amount in wei, in digits and in quotes' })
    .default(usual)
    .describe(means)

export const evmOptions = z.object({
  urls: z
    .array(
      z
        .string()
        .regex(openNodeUrl)
        .meta({ title: 'https://HOST:PORT/PATH (http:// on this machine, or with plainHttp)' }),
    )
    .min(1)
    .max(8)
    .meta({ title: 'a list of 1 to 8 addresses' })
    .describe("JSON-RPC of the chain's nodes: one is read from, all of them are sent to"),
  plainHttp: z
    .boolean()
    .default(false)
    .describe('Allows http:// to other machines, where the network itself is protected'),
  ca: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Certificates (PEM) that the nodes' certificates must come from, instead of the usual",
    ),
  authorization: z
    .string()
    .min(1)
    .optional()
    .describe('File that holds what the header Authorization says, for all of the nodes'),
  chainId: z.int().min(1).max(Number.MAX_SAFE_INTEGER).describe("The chain's number"),
  genesis: z
    .string()
    .regex(/^(?:0x)?[0-9a-f]{64}$/)
    .meta({ title: 'a block hash in quotes, 64 small hexadecimal digits' })
    .optional()
    .describe('Hash of block 0; without it the first one that is seen is kept for ever'),
  contract: z
    .string()
    .regex(/^(?:0x)?[0-9a-fA-F]{40}$/)
    .meta({ title: 'an address in quotes, 40 hexadecimal digits' })
    .describe('Address of the anchor contract'),
  fromBlock: z
    .int()
    .min(0)
    .default(0)
    .describe("Block of the contract's deployment: no event is looked for before it"),
  finality: z
    .enum(['depth', 'clique', 'instant'])
    .default('depth')
    .describe(
      'When a block is final: so many blocks later, that and sealed by more than half of the signers, or at once',
    ),
  confirmations: z
    .int()
    .min(0)
    .max(100)
    .default(12)
    .describe('How many blocks must lie over one before it is final; with instant finality none'),
  fee: z
    .enum(['zero', 'legacy', 'eip1559'])
    .describe('How a transaction pays: nothing, a fixed price, or the base fee and a tip'),
  gasPrice: wei('1000000000', 'With fee legacy: the price of one gas'),
  maxFeePerGas: wei('2000000000', 'With fee eip1559: the most that one gas may cost'),
  maxPriorityFeePerGas: wei('1000000000', 'With fee eip1559: the tip for one gas'),
  gasLimit: z
    .int()
    .min(100_000)
    .max(30_000_000)
    .default(500_000)
    .describe('The most gas that one transaction may take; it is never estimated'),
  path: z.string().min(1).describe('Folder of the account: its key, and what it last signed'),
  timeoutMs: z
    .int()
    .min(100)
    .max(60_000)
    .default(10_000)
    .describe('How long one answer may take, before it counts as an outage'),
  maxBytes: z
    .int()
    .min(65_536)
    .max(67_108_864)
    .default(4_194_304)
    .describe('The most that one answer may hold'),
  stalledAfterMs: z
    .int()
    .min(1000)
    .default(600_000)
    .describe('How old the newest block may be, before the chain counts as standing still'),
})

export type EvmOptions = z.output<typeof evmOptions>

export const contractIn = ({ contract }: EvmOptions): Uint8Array =>
  hexToBytes(contract.replace(/^0x/, '').toLowerCase())

export const genesisIn = ({ genesis }: EvmOptions): Uint8Array | null =>
  genesis === undefined ? null : hexToBytes(genesis.replace(/^0x/, ''))

/** The first address that may not be spoken to in the clear, or undefined. */
export const unprotected = ({ urls, plainHttp }: EvmOptions): string | undefined =>
  plainHttp ? undefined : urls.find((url) => !nodeUrl.test(url))
