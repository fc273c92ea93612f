/** SUBPROOF of RFC 9162 section 2.1.4.1, word for word: which subtrees it names. */
export function subproof(
  m: number,
  low: number,
  high: number,
  isWhole: boolean,
): [number, number][] {
  const n = high - low
  if (m === n) return isWhole ? [] : [[low, high]]
  let k = 1
  while (2 * k < n) k *= 2
  return m <= k
    ? [...subproof(m, low, low + k, isWhole), [low + k, high]]
    : [...subproof(m - k, low + k, high, false), [low, low + k]]
}
