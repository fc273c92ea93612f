/**
 * Every failure that a caller may react to has a stable code; messages are free to improve.
 * This table is also the source of the error reference in the documentation.
 */
export const errorCodes = {
  USAGE: 'The command line is not as the help says.',
  FILE_UNREADABLE: 'A file that was named cannot be read or written.',
  CONFIG_INVALID: 'The configuration is not as config/reference.md says.',
  TRUST_INVALID: 'The trust file is not as FORMAT.md section 9 says.',
  EVIDENCE_MALFORMED: 'The bytes are not evidence v1 as FORMAT.md says.',
  KEY_SELF_TEST: 'This computer does not compute as the SM2, SM3 and SM4 standards say.',
  KEY_MISSING: 'There is no key where one is needed.',
  KEY_EXISTS: 'There is a key already, and none is ever overwritten.',
  KEY_MALFORMED: 'A key file is damaged, of another format or of another version.',
  KEY_LOCKED: 'The secret at hand does not open a key file.',
  SECRET_REFUSED: 'A secret is missing, empty or open to others.',
  SENSOR_ABSENT: 'A device cannot be reached, or went away, or says nothing.',
  SENSOR_GARBLED: 'What came from a device is no reading.',
  EPC_REFUSED: 'This is no EPC that is read or written here.',
  LEDGER_UNREACHABLE: 'A ledger gives no usable answer for now.',
  LEDGER_DAMAGED: "A ledger's own files are not as they were written.",
  LEDGER_MISSING: "A ledger's own files are not where they should be.",
  LEDGER_IN_USE: "Another process holds a ledger's own files.",
  LEDGER_MISMATCH: 'A ledger is not the one that was pinned, or of another version.',
  LEDGER_LIES: 'A ledger says what its own signature, its rules or its earlier word contradict.',
  ENROLMENT_REFUSED: 'A ledger cannot register what an enrolment request asks for.',
  STORE_IN_USE: 'Another process holds the data folder.',
  STORE_MISSING: 'There is no store where there should be one.',
  STORE_EXISTS: 'There is a store already where a new one was asked for.',
  STORE_OTHER_VERSION: 'The store was written by a version that this one cannot read.',
  STORE_DAMAGED: 'The store is not as it was written, in a way that cannot be mended from itself.',
  STORE_FAILED: 'The store could not be written.',
  STORE_FULL: 'There is no more room for readings.',
  STORE_BEHIND:
    'A ledger knows more of this gateway than its store: restored, cloned or rolled back.',
  NOT_ANCHORED: 'No ledger has taken this so far.',
  NOT_SIGNED: 'No checkpoint may be signed so far.',
  NOT_FOUND: 'There is no such stream, reading or shipment.',
  LISTEN_REFUSED: 'The gateway cannot listen on an address.',
  INTERNAL: 'A fault in the program itself.',
} as const

export type ErrorCode = keyof typeof errorCodes

export class KedgeError extends Error {
  override readonly name = 'KedgeError'
  readonly code: ErrorCode
  /** What a person can do about it, in one imperative sentence. */
  readonly hint: string | undefined

  constructor(
    code: ErrorCode,
    message: string,
    { hint, cause }: { hint?: string; cause?: unknown } = {},
  ) {
    super(message, { cause })
    this.code = code
    this.hint = hint
  }
}
