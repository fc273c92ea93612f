import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { bytesToHex, equalBytes, hexToBytes } from '../../evidence/bytes.ts'
import { KedgeError } from '../../evidence/errors.ts'
import { mismatch } from './lies.ts'

/**
 * What the account last signed, on the disk before it leaves. The number of a transaction is always the next one that
 * the chain wants, never one more than we have signed: what was signed and never landed then has the same number as
 * what is signed after it, so that only one of the two can land, and no number is left out for ever.
 */
export interface NonceBook {
  readonly entry: BookEntry | null
  /** The chain of an earlier run. */
  readonly genesis: Uint8Array | null
  readonly final: BookBlock | null
  write(written: Written): Promise<void>
}

interface BookEntry {
  readonly nonce: number
  readonly bytes: Uint8Array
}

interface BookBlock {
  readonly number: number
  readonly hash: Uint8Array
}

interface Written {
  readonly genesis: Uint8Array
  readonly entry: BookEntry
  readonly final: BookBlock
}

interface BookOf {
  readonly folder: string
  readonly chainId: number
  readonly contract: Uint8Array
  readonly account: Uint8Array
}

/** A book that is not there is begun: what it says is a help, and the chain decides. */
export async function openNonceBook({
  folder,
  chainId,
  contract,
  account,
}: BookOf): Promise<NonceBook> {
  const path = join(folder, 'nonces.json')
  const of = { chainId, contract: bytesToHex(contract), account: bytesToHex(account) }
  let content = await read(path)
  if (content && (content.chainId !== chainId || content.contract !== of.contract)) {
    throw mismatch(
      `${path} is of contract ${content.contract} on chain ${content.chainId}`,
      'Another ledger is another entry of the configuration, with a path of its own.',
    )
  }
  if (content && content.account !== of.account) content = null
  return {
    get entry() {
      return content && { nonce: content.nonce, bytes: hexToBytes(content.signed) }
    },
    get genesis() {
      return content && hexToBytes(content.genesis)
    },
    get final() {
      return content && { ...content.final, hash: hexToBytes(content.final.hash) }
    },
    async write({ genesis, entry, final }) {
      const same =
        content && content.nonce === entry.nonce && content.signed === bytesToHex(entry.bytes)
      if (same && content && equalBytes(hexToBytes(content.genesis), genesis)) return
      const next: Content = {
        version: 1,
        ...of,
        genesis: bytesToHex(genesis),
        nonce: entry.nonce,
        signed: bytesToHex(entry.bytes),
        final: { number: final.number, hash: bytesToHex(final.hash) },
      }
      await writeDurably(folder, path, `${JSON.stringify(next)}\n`)
      content = next
    },
  }
}

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`))

const schema = z.strictObject({
  version: z.literal(1),
  chainId: z.int(),
  contract: hex(20),
  account: hex(20),
  genesis: hex(32),
  nonce: z.int().min(0),
  signed: z
    .string()
    .max(200_000)
    .regex(/^(?:[0-9a-f]{2})+$/),
  final: z.strictObject({ number: z.int().min(0), hash: hex(32) }),
})

type Content = z.output<typeof schema>

async function read(path: string): Promise<Content | null> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw new KedgeError('LEDGER_DAMAGED', `${path} is not as it was written`, {
      hint: 'Delete this one file: what it says is found again on the chain.',
      cause: error,
    })
  }
}

async function writeDurably(folder: string, path: string, text: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const beside = `${path}.new`
  {
    await using file = await open(beside, 'w', 0o600)
    await file.writeFile(text)
    await file.datasync()
  }
  await rename(beside, path)
  await using directory = await open(folder, 'r')
  await directory.sync()
}
