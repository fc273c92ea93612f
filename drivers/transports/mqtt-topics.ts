/** Topics and the filters that stand for many of them: `+` for one level, `#` for all that follow. Pure. */
import { z } from 'zod'

export const topicFilter = z
  .string()
  .refine((filter) => isFilter(filter))
  .meta({ title: 'a topic of at most 200 characters, + for one level of it, # for its end' })

function isFilter(filter: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (!/^[^\0-\x1f\x7f\p{Cs}]{1,200}$/u.test(filter) || filter.startsWith('$share/')) return false
  const levels = filter.split('/')
  return levels.every((level, i) =>
    level.includes('#')
      ? level === '#' && i === levels.length - 1
      : level === '+' || !/\+/.test(level),
  )
}

export const hasWildcard = (filter: string): boolean => /[+#]/.test(filter)

export function matchesTopic(filter: string, topic: string): boolean {
  // What a broker says of itself is not meant by a wildcard.
  if (topic.startsWith('$') && /^[+#]/.test(filter)) return false
  return walk(filter, topic)
}

/** Some topic matches both: a broker may then send one publication twice. */
export const filtersOverlap = (one: string, other: string): boolean => walk(one, other)

function walk(one: string, other: string): boolean {
  const [a, b] = [one.split('/'), other.split('/')]
  for (let i = 0; ; i++) {
    if (a[i] === '#' || b[i] === '#') return true
    if (a[i] === undefined || b[i] === undefined) return a[i] === b[i]
    if (a[i] !== b[i] && a[i] !== '+' && b[i] !== '+') return false
  }
}
