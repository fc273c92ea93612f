/** A question to a store: answered by the process that holds it, whether that is a running gateway or the asker. */
import type { Live } from '../live.ts'
import type { Store } from '../store.ts'

export interface Answering {
  readonly store: Store
  /** Null where no gateway runs. */
  readonly live: Live | null
}

/** As they were typed, by name. */
export type Asked = Readonly<Record<string, string | readonly string[] | boolean | undefined>>

/** What comes out: lines for standard output, and the bytes of a file that the asker writes. */
export type Answer =
  | { readonly line: Readonly<Record<string, unknown>> }
  | { readonly bytes: Uint8Array }
  /** The exit code, where it is not 0. */
  | { readonly exit: number }

export type Query = (of: Answering, asked: Asked) => AsyncGenerator<Answer, void>

export const textOf = (asked: Asked, name: string): string | undefined => {
  const value = asked[name]
  return typeof value === 'string' ? value : undefined
}
