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
