import type { Result } from '../model.ts'

/** What one line found, or one part of it. */
export interface Finding {
  readonly result: Result
  readonly reason: string
}

export const pass = (reason: string): Finding => ({ result: 'PASS', reason })
export const fail = (reason: string): Finding => ({ result: 'FAIL', reason })
export const notChecked = (reason: string): Finding => ({ result: 'NOT CHECKED', reason })

const severity: Record<Result, number> = { PASS: 0, 'NOT CHECKED': 1, FAIL: 2 }

/** The worst stands: a line that speaks of several things is as bad as its worst. */
export function worstOf(findings: readonly Finding[]): Finding {
  const [first, ...rest] = findings
  if (first === undefined) throw new TypeError('no findings to choose from')
  return rest.reduce(
    (worst, next) => (severity[next.result] > severity[worst.result] ? next : worst),
    first,
  )
}

/** The first thing that is wrong, or that nothing is. */
export function failOnFirst(faults: Iterable<string>, otherwise: () => string): Finding {
  for (const fault of faults) return fail(fault)
  return pass(otherwise())
}

/** A name out of the file, so that nobody takes what it says for what we say. */
export function quoted(name: string): string {
  const short = [...name.replace(/\s+/gu, ' ')].slice(0, 64).join('')
  return `"${short.replaceAll('"', "'")}${short.length < name.length ? '…' : ''}"`
}

export const countOf = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en')} ${count === 1 ? one : many}`
