/** A witness's own folder: its key, its log, one process at a time. */
import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { keyId } from '../../anchor-client/evidence/sm2.ts'
import {
  type KeeperHooks,
  openKeeper,
  type WitnessKeeper,
} from '../../anchor-client/ledgers/witness/keeper.ts'
import { dataFolder, readMarker } from '../data-folder.ts'
import { createKeyFile, type Key, openKeyFile } from '../keys/key-file.ts'
import { readSecret, type SecretReference } from '../keys/secret.ts'
import { makeKeysFolder } from '../keys/write-new-file.ts'
import { isThere, syncFolder } from '../whole-files.ts'

export interface Witness extends AsyncDisposable {
  readonly publicKey: Uint8Array
  readonly ledgerId: Uint8Array
  sign(message: Uint8Array): Uint8Array
  /** Opened again where an entry could not be written, as nobody knows else what the disk holds. */
  keeper(): Promise<WitnessKeeper>
}

interface WitnessSetup {
  readonly folder: string
  readonly secret: SecretReference | undefined
  /** A new witness may only be made by whoever asked for one. */
  readonly mayCreate: boolean
  readonly hooks?: KeeperHooks
}

export const witnessSocket = (folder: string): string => join(folder, 'witness.sock')

/** Whether a witness was made here. */
export const isWitnessFolder = (folder: string): Promise<boolean> => isThere(keyPaths(folder).key)

export async function openWitness(setup: WitnessSetup): Promise<Witness> {
  const { folder, hooks } = setup
  if (await readMarker(dataFolder(folder))) {
    throw new KedgeError('USAGE', `${folder} is the data folder of a gateway`, {
      hint: 'Give the witness a folder of its own: whoever anchors must not keep the witness.',
    })
  }
  const paths = keyPaths(folder)
  const isFirstUse = !(await isThere(paths.key))
  if (isFirstUse) await mayBegin(setup)
  const key = await openKey(setup, isFirstUse)
  try {
    const host = {
      nowMs: () => Date.now(),
      publicKey: key.publicKey,
      sign: (message: Uint8Array) => key.sign(message),
    }
    let current = await openKeeper(folder, { ...host, isFirstUse }, hooks)
    if (isFirstUse) {
      // The key has its name last: without it the log that is missing was never begun.
      await rename(paths.unfinished, paths.key)
      await syncFolder(paths.folder)
    }
    let opening: Promise<WitnessKeeper> | null = null
    const again = async (): Promise<WitnessKeeper> => {
      await current[Symbol.asyncDispose]()
      current = await openKeeper(folder, { ...host, isFirstUse: false }, hooks)
      return current
    }
    return {
      publicKey: key.publicKey,
      ledgerId: keyId(key.publicKey),
      sign: (message) => key.sign(message),
      async keeper() {
        if (opening === null && current.trouble === null) return current
        opening ??= again().finally(() => {
          opening = null
        })
        return opening
      },
      async [Symbol.asyncDispose]() {
        await opening?.catch(() => undefined)
        await current[Symbol.asyncDispose]()
        key[Symbol.dispose]()
      },
    }
  } catch (error) {
    key[Symbol.dispose]()
    throw error
  }
}

function keyPaths(folder: string) {
  const keys = join(folder, 'keys')
  const key = join(keys, 'witness.key')
  return { folder: keys, key, unfinished: `${key}.new` }
}

/** A witness that starts anew forgets what it has taken: never where one was before. */
async function mayBegin({ folder, mayCreate }: WitnessSetup): Promise<void> {
  if (!mayCreate) {
    throw new KedgeError('LEDGER_MISSING', `there is no witness in ${folder}`, {
      hint: 'kedge witness --listen ADDRESS --data DIR makes one at its first start.',
    })
  }
  const isBegun = await isThere(join(folder, 'witness.log'))
  if (isBegun && !(await isThere(keyPaths(folder).unfinished))) {
    throw new KedgeError('KEY_MISSING', `the key of the witness in ${folder} is gone`, {
      hint: 'Bring back the folder keys from a backup: no other key can go on with this log.',
    })
  }
}

async function openKey(
  { folder, secret: reference }: WitnessSetup,
  isFirst: boolean,
): Promise<Key> {
  const paths = keyPaths(folder)
  if (isFirst) await makeFolders(folder, paths.folder)
  const secret = await readSecret(reference, paths.folder)
  try {
    if (isFirst) {
      await createKeyFile(paths.unfinished, secret).catch((error: unknown) => {
        // Left by a start that did not come to its end.
        if (!(error instanceof KedgeError && error.code === 'KEY_EXISTS')) throw error
      })
    }
    return await openKeyFile(isFirst ? paths.unfinished : paths.key, secret)
  } finally {
    secret.fill(0)
  }
}

async function makeFolders(folder: string, keys: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await makeKeysFolder(keys)
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const why = code === 'EEXIST' || code === 'ENOTDIR' ? 'a file is in its way' : message
    throw new KedgeError('FILE_UNREADABLE', `cannot make the folder ${folder}: ${why}`, {
      hint: 'Name with --data a folder that this user may make and write into.',
      cause,
    })
  }
}
