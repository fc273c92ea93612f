/** Three ways of making readings durable, each a batch at a time: ours, a bare file, the named packages alone. */
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import smCrypto from 'sm-crypto'
import { concat, hexToBytes, utf8 } from '../../anchor-client/evidence/bytes.ts'
import { checkpointMessage } from '../../anchor-client/evidence/seal.ts'
import type { StoredLeaf } from '../../gateway/journal/frame.ts'
import { openSm2 } from '../../gateway/keys/sm2.ts'
import { identity, openTestJournal, readingLeaf, sealNow, testStreams } from '../helpers/journal.ts'

export interface Path extends AsyncDisposable {
  /** Resolves when so many readings are on the disk, and sealed and signed where that is done. */
  batch(readings: number): Promise<void>
}

/** What a probe gives, in hundredths of a degree. */
export const celsiusAt = (i: number): number => 400 + ((i * 7) % 90)

const celsiusLeaf = (i: number): StoredLeaf => readingLeaf(celsiusAt(i), 100 * i, '', i)

/** Readings as the recorder makes them, committed in frames, sealed and signed as the gateway does. */
export async function journalPath(folder: string): Promise<Path> {
  const journal = await openTestJournal(folder, { mayCreate: true })
  const streams = testStreams(journal)
  const probes = Array.from({ length: 5 }, (_, i) => streams.open(`probe-${i}`))
  const sm2 = openSm2()
  const secret = sm2.generate()
  const publicKey = sm2.publicKeyOf(secret)
  const sign = sm2.signer(secret)
  let made = 0
  return {
    async batch(readings) {
      for (let i = 0; i < readings; i++) {
        const leaf = celsiusLeaf(made)
        journal.add({ stream: probes[made++ % 5] as (typeof probes)[number], leaf })
      }
      await journal.flush()
      const { size, historyRoot } = await sealNow(journal)
      const signature = sign(checkpointMessage({ ...identity, size, root: historyRoot }))
      await journal.keepSignature({ size, isInterim: false, key: publicKey, signature })
    },
    async [Symbol.asyncDispose]() {
      sign[Symbol.dispose]()
      await journal[Symbol.asyncDispose]()
    },
  }
}

/** The same records and salts, a write and an fsync a batch: nothing is hashed, numbered, sealed or signed. */
export async function filePath(folder: string): Promise<Path> {
  const file = await open(join(folder, 'readings'), 'a')
  let made = 0
  return {
    async batch(readings) {
      const pieces: Uint8Array[] = []
      for (let i = 0; i < readings; i++, made++) {
        const { head, body } = celsiusLeaf(made)
        pieces.push(head, body)
      }
      await file.write(concat(...pieces))
      await file.datasync()
    },
    [Symbol.asyncDispose]: () => file.close(),
  }
}

/** `level` and `sm-crypto` as their documentation shows them: an array batch of JSON, and its root signed. */
export async function packagesPath(folder: string): Promise<Path> {
  const db = new Level<string, string>(join(folder, 'level'))
  await db.open()
  const { privateKey, publicKey } = smCrypto.sm2.generateKeyPairHex()
  let made = 0
  return {
    async batch(readings) {
      const rows = []
      let level: string[] = []
      for (let i = 0; i < readings; i++, made++) {
        const value = JSON.stringify({
          stream: `probe-${made % 5}`,
          index: made,
          time: new Date(1_772_323_200_000 + 100 * made).toISOString(),
          kind: 'temperature',
          value: celsiusAt(made) / 100,
          unit: 'Cel',
        })
        rows.push({ type: 'put', key: String(made).padStart(12, '0'), value } as const)
        level.push(smCrypto.sm3(utf8(value)))
      }
      while (level.length > 1) {
        const above: string[] = []
        for (let i = 0; i < level.length; i += 2) {
          above.push(smCrypto.sm3(hexToBytes(`${level[i]}${level[i + 1] ?? ''}`)))
        }
        level = above
      }
      const signature = smCrypto.sm2.doSignature(hexToBytes(level[0] as string), privateKey, {
        hash: true,
        publicKey,
      })
      await db.batch(
        [...rows, { type: 'put', key: `root-${made}`, value: `${level[0]} ${signature}` }],
        { sync: true } as object,
      )
    },
    [Symbol.asyncDispose]: () => db.close(),
  }
}
