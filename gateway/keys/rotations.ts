/** Both keys' word that one follows the other, in a file beside the newer one. Nothing in it is secret. */
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { bytesToHex, hexToBytes, utf8 } from '../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { RotationRequest } from '../../anchor-client/ledgers/ledger.ts'
import { deviceKeyNumbers, deviceKeyPath } from './device-keys.ts'
import { readPublicKey } from './key-file.ts'
import { writeNewFile } from './write-new-file.ts'

export type Rotation = Omit<RotationRequest, 'type' | 'gateway'>

export const rotationPath = (keysFolder: string, number: number): string =>
  join(keysFolder, `rotation-${number}.json`)

interface KeyRange {
  readonly publicKey: Uint8Array
  /** Sizes of the history that it may sign, both included; null for no end. */
  readonly from: number
  readonly to: number | null
}

/** What each key of an incarnation may sign: the header that names a new one is still signed by the old. */
export async function keyRanges(keysFolder: string, incarnation: number): Promise<KeyRange[]> {
  const numbers = await deviceKeyNumbers(keysFolder)
  const rotations: Rotation[] = []
  for (const number of numbers.slice(1)) {
    const rotation = await readRotation(rotationPath(keysFolder, number))
    if (rotation.incarnation === incarnation) rotations.push(rotation)
  }
  const starts = [1, ...rotations.map(({ seq }) => seq + 2)]
  const ours = numbers.slice(-starts.length)
  return Promise.all(
    starts.map(async (from, i) => {
      const publicKey = await readPublicKey(deviceKeyPath(keysFolder, ours[i] as number))
      const next = starts[i + 1]
      return { publicKey, from, to: next === undefined ? null : next - 1 }
    }),
  )
}

export async function writeRotation(path: string, rotation: Rotation): Promise<void> {
  const { newKey, oldSignature, newSignature, ...rest } = rotation
  const content = {
    ...rest,
    newKey: bytesToHex(newKey),
    oldSignature: bytesToHex(oldSignature),
    newSignature: bytesToHex(newSignature),
  }
  // One of a rotation that a crash ended says nothing.
  await rm(path, { force: true })
  await writeNewFile(path, utf8(`${JSON.stringify(content)}\n`))
}

export async function readRotation(path: string): Promise<Rotation> {
  try {
    const { incarnation, seq, ...hex } = JSON.parse(await readFile(path, 'utf8'))
    return {
      incarnation,
      seq,
      newKey: hexToBytes(hex.newKey),
      oldSignature: hexToBytes(hex.oldSignature),
      newSignature: hexToBytes(hex.newSignature),
    }
  } catch (cause) {
    throw new KedgeError('KEY_MALFORMED', `${path} is missing or damaged`, {
      hint: 'Bring it back from a backup: it says since when the key beside it counts.',
      cause,
    })
  }
}
