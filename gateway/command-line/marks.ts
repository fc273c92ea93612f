/** What a person must see beside a value, or take it for something else: no real device, a logger's file. */
export function marksOf(details: unknown): readonly string[] {
  if (typeof details !== 'object' || details === null) return []
  const { simulated, 'logger-time': loggerTime } = details as Readonly<Record<string, unknown>>
  return [
    ...(simulated === true ? ['simulated'] : []),
    ...(typeof loggerTime === 'string' ? [`imported, by the logger at ${loggerTime}`] : []),
  ]
}
