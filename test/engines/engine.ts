/** Somebody else's program that Kedge is held against. */
export interface Engine {
  /** Why it cannot be had here, or null. */
  missing(): Promise<string | null>
  readonly checks: readonly {
    readonly title: string
    /** Throws what went wrong. */
    run(): Promise<void>
  }[]
}

/** Programs that one thing is held against in turn, each by files of tests for AVA. */
export interface Suites {
  readonly on: readonly {
    readonly name: string
    missing(): Promise<string | null>
    /** Beside this file. */
    readonly files: readonly string[]
  }[]
}
