/**
 * The gateway's keys, one after the other. A new one is made beside the old one, and counts from the moment at
 * which the header that names it is on the disk: what a crash leaves half-way is completed or taken away.
 */
import { rename, rm } from 'node:fs/promises'
import { equalBytes } from '../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { keyId } from '../../anchor-client/evidence/sm2.ts'
import type { DataFolder } from '../data-folder.ts'
import { isThere, syncFolder } from '../whole-files.ts'
import { deviceKeyNumbers, deviceKeyPath } from './device-keys.ts'
import { createKeyFile, type Key, openKeyFile, readPublicKey } from './key-file.ts'
import { type Rotation, readRotation, rotationPath, writeRotation } from './rotations.ts'
import { readSecret, type SecretReference } from './secret.ts'

export interface KeyRing {
  readonly current: Key
  /** Of this incarnation, in order. */
  readonly rotations: readonly Rotation[]
  /** The key that signs a history of this size: the header that names a new one is still signed by the old. */
  forSize(size: number): Key
  isOurs(publicKey: Uint8Array): boolean
  /** How many rotations of this incarnation came before the key of this id counted; -1 where it is none of its keys. */
  rotationsBefore(id: Uint8Array): number
  /** Makes the next key; it signs nothing yet but for itself. */
  makeNext(): Promise<Key>
  /** On the disk before the header. */
  keep(rotation: Rotation): Promise<void>
  /** The header is on the disk: the next key is the current one. */
  complete(next: Key): Promise<void>
}

export async function openKeyRing(
  data: DataFolder,
  reference: SecretReference | undefined,
  incarnation: number,
  /** The key that the newest header names, if it names one. */
  namedLast: Uint8Array | null,
  /** Of the history. */
  size: number,
): Promise<KeyRing> {
  const { keys: folder } = data
  const pendingOf = (number: number) => `${deviceKeyPath(folder, number)}.next`
  let numbers = await deviceKeyNumbers(folder)
  if (numbers.length === 0) {
    throw new KedgeError('KEY_MISSING', `the key of this gateway is not in ${folder}`, {
      hint: 'Bring the folder back from a backup: no other key can go on with this store.',
    })
  }
  await settle((numbers.at(-1) as number) + 1)
  numbers = await deviceKeyNumbers(folder)

  const opened: Key[] = []
  for (const number of numbers) opened.push(await open(deviceKeyPath(folder, number)))
  const rotations: Rotation[] = []
  let kept: Rotation | undefined
  for (const number of numbers.slice(1)) {
    const rotation = await readRotation(rotationPath(folder, number))
    if (rotation.incarnation === incarnation) rotations.push(rotation)
  }

  async function open(path: string): Promise<Key> {
    const secret = await readSecret(reference, folder)
    try {
      return await openKeyFile(path, secret)
    } finally {
      secret.fill(0)
    }
  }

  /** What a crash left between the making of a key and the header that names it. */
  async function settle(number: number): Promise<void> {
    const pending = pendingOf(number)
    const named = await readPublicKey(pending).catch((error) => {
      // One that cannot be read may be the one that signs: it is never thrown away for that.
      if (error instanceof KedgeError && error.code === 'KEY_MISSING') return null
      throw error
    })
    if (named && namedLast && equalBytes(named, namedLast)) {
      await rename(pending, deviceKeyPath(folder, number))
      await syncFolder(folder)
      return
    }
    const path = rotationPath(folder, number)
    const isMissing = named === null && (await isThere(path))
    if (isMissing && (await readRotation(path)).seq < size) {
      throw new KedgeError(
        'KEY_MISSING',
        `${deviceKeyPath(folder, number)} is gone, which signs since ${path}`,
        {
          hint: 'Bring it back from a backup: no other key can go on with this store.',
        },
      )
    }
    await rm(pending, { force: true })
    await rm(path, { force: true })
  }

  if (namedLast && !opened.some((key) => equalBytes(key.publicKey, namedLast))) {
    throw new KedgeError('KEY_MISSING', `the key that the newest batch names is not in ${folder}`, {
      hint: 'Bring it back from a backup: no other key can go on with this store.',
    })
  }
  const firstOfIncarnation = () => opened.length - rotations.length - 1
  const nextNumber = () => (numbers.at(-1) as number) + 1

  return {
    get current() {
      return opened.at(-1) as Key
    },
    rotations,
    forSize(size) {
      const passed = rotations.filter(({ seq }) => size > seq + 1).length
      return opened[firstOfIncarnation() + passed] as Key
    },
    rotationsBefore(id) {
      const ofThisLife = opened.slice(firstOfIncarnation())
      return ofThisLife.findIndex((key) => equalBytes(keyId(key.publicKey), id))
    },
    isOurs: (publicKey) => opened.some((key) => equalBytes(key.publicKey, publicKey)),
    async makeNext() {
      const path = pendingOf(nextNumber())
      const secret = await readSecret(reference, folder)
      try {
        await rm(path, { force: true })
        await createKeyFile(path, secret)
      } finally {
        secret.fill(0)
      }
      return open(path)
    },
    async keep(rotation) {
      await writeRotation(rotationPath(folder, nextNumber()), rotation)
      kept = rotation
    },
    async complete(next) {
      const number = nextNumber()
      await rename(pendingOf(number), deviceKeyPath(folder, number))
      await syncFolder(folder)
      numbers = [...numbers, number]
      opened.push(next)
      if (kept) rotations.push(kept)
    },
  }
}
