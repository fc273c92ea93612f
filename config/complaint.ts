/** A fault and where it is, before anybody knows its line. */
export interface Complaint {
  /** Offset into the text. */
  readonly at: number
  readonly message: string
  readonly hint: string | undefined
}

export const complaint = (at: number, message: string, hint?: string): Complaint => ({
  at,
  message,
  hint,
})
