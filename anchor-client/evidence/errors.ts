/**
 * Every failure that a caller may react to has a stable code; messages are free to improve.
 * This table is also the source of the error reference in the documentation.
 */
export const errorCodes = {
  USAGE: 'The command line is not as the help says.',
  FILE_UNREADABLE: 'A file that was named cannot be read or written.',
  TRUST_INVALID: 'The trust file is not as FORMAT.md section 9 says.',
  EVIDENCE_MALFORMED: 'The bytes are not evidence v1 as FORMAT.md says.',
  SIGNATURE_MALFORMED: 'A key or a signature is not in its one canonical form.',
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
