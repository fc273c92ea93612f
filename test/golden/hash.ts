import { createHash } from 'node:crypto'
import { join, utf8 } from './bytes.ts'

export type Hash = (...parts: readonly Uint8Array[]) => Uint8Array

export const sm3: Hash = (...parts) =>
  new Uint8Array(
    createHash('sm3')
      .update(join(...parts))
      .digest(),
  )

export const sha256: Hash = (...parts) =>
  new Uint8Array(
    createHash('sha256')
      .update(join(...parts))
      .digest(),
  )

/** Hash ids of section 2. */
export const historyHash = (id: number): Hash => (id === 2 ? sha256 : sm3)

/** Thirty-two bytes that look random and are the same in every run. */
export const seeded = (...names: readonly (string | number)[]): Uint8Array =>
  sm3(utf8(`golden/${names.join('/')}`))
