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
  SIGNATURE_MALFORMED: 'A key or a signature is not in its one canonical form.',
  SENSOR_ABSENT: 'A device cannot be reached, or went away, or says nothing.',
  SENSOR_GARBLED: 'What came from a device is no reading.',
  EPC_REFUSED: 'This is no EPC that is read or written here.',
  LEDGER_UNREACHABLE: 'A ledger gives no usable answer for now.',
  LEDGER_DAMAGED: "A ledger's own files are not as they were written.",
  LEDGER_MISSING: "A ledger's own files are not where they should be.",
  LEDGER_IN_USE: "Another process holds a ledger's own files.",
  LEDGER_MISMATCH: 'A ledger is not the one that was pinned, or of another version.',
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
