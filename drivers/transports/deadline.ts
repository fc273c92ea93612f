/** What comes in time, or null; what comes later is not waited for. */
export async function within<Value>(ms: number, promise: Promise<Value>): Promise<Value | null> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, ms, null)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

export interface Patience {
  readonly ms: number
  readonly late: string
  readonly signal: AbortSignal
}

/** What comes in time; throws `late` as an error where it does not, and whatever `signal` was aborted with. */
export async function inTime<Value>(
  work: Promise<Value>,
  { ms, late, signal }: Patience,
): Promise<Value> {
  let giveUp = () => {}
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<never>((_, reject) => {
    giveUp = () => reject(signal.reason)
    timer = setTimeout(() => reject(new Error(late)), Math.max(0, ms))
    signal.addEventListener('abort', giveUp)
    if (signal.aborted) giveUp()
  })
  return Promise.race([work, over]).finally(() => {
    clearTimeout(timer)
    signal.removeEventListener('abort', giveUp)
  })
}
