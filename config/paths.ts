import { resolve } from 'node:path'

/** Values in which every path that begins with ./ or ../ is taken from the data folder. */
export function withPathsFrom<Value>(dataFolder: string, value: Value): Value {
  if (Array.isArray(value)) return value.map((item) => withPathsFrom(dataFolder, item)) as Value
  if (typeof value === 'string') {
    return (/^\.{1,2}\//.test(value) ? resolve(dataFolder, value) : value) as Value
  }
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, part]) => [key, withPathsFrom(dataFolder, part)])
  return Object.fromEntries(entries) as Value
}
