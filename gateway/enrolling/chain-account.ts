/** The account by which a gateway, or a registrar, writes to a chain: its own key, never the device's. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { addressOf } from '../../anchor-client/ledgers/evm/transactions.ts'
import { ledgerNamed } from '../../anchor-client/ledgers/index.ts'
import { accountPlace, type LedgerEntry, ledgerNames } from '../anchoring/ledger-host.ts'
import type { DataFolder } from '../data-folder.ts'
import type { Key } from '../keys/key-file.ts'
import { openLedgerKey } from '../keys/ledger-key.ts'
import type { SecretReference } from '../keys/secret.ts'

export interface ChainEntry {
  /** As `kedge anchor ls` calls it. */
  readonly name: string
  readonly entry: LedgerEntry
  readonly folder: string
}

/** The entries of a configuration that are chains, all of them or the one that is asked for. */
export function chainsIn(entries: readonly LedgerEntry[], asked?: string): readonly ChainEntry[] {
  const names = ledgerNames(entries)
  return entries.flatMap((entry, i) => {
    const name = names[i] as string
    const place = accountPlace(entry, ledgerNamed)
    if (place?.algorithm !== 'secp256k1' || (asked !== undefined && asked !== name)) return []
    return [{ name, entry, folder: place.folder }]
  })
}

export function theChainIn(entries: readonly LedgerEntry[], asked?: string): ChainEntry {
  const [chain, ...more] = chainsIn(entries, asked)
  if (chain === undefined) {
    const which = asked === undefined ? 'no chain' : `no chain ${asked}`
    throw new KedgeError('CONFIG_INVALID', `the configuration names ${which} under anchor`, {
      hint: 'anchor: [{ ledger: evm, urls: […], chainId: …, contract: …, fee: … }]',
    })
  }
  if (more.length === 0) return chain
  const names = [chain, ...more].map(({ name }) => name).join(', ')
  throw new KedgeError('USAGE', `the configuration names several chains: ${names}`, {
    hint: `--ledger ${chain.name} says which one is meant`,
  })
}

/** Made where there is none: an address means nothing before somebody registers or funds it. */
export const openChainAccount = (
  data: DataFolder,
  secret: SecretReference | undefined,
  { folder }: ChainEntry,
): Promise<Key> =>
  openLedgerKey(data, secret, {
    folder,
    algorithm: 'secp256k1',
    // An account that has signed is known on its chain: another one in its place would be a stranger there.
    isFirstUse: !existsSync(join(folder, 'nonces.json')),
  })

export const addressOfKey = ({ publicKey }: Key): Uint8Array => addressOf(publicKey)
