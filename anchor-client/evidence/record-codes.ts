import type { LeafRecord } from './model.ts'

/** The kinds of record by their codes (FORMAT.md section 5). */
export const recordCodes = {
  reading: 1,
  private: 2,
  open: 3,
  close: 4,
  gap: 5,
  lost: 6,
  alive: 7,
  join: 8,
  boot: 16,
  config: 17,
  stream: 18,
  clock: 19,
  rotation: 20,
  damage: 21,
  erase: 22,
  silent: 23,
  note: 24,
} as const satisfies { [Type in LeafRecord['type']]: number }

/** Of a private reading: one a field. */
export const commitmentsOfPrivate = 12
