/** What JSON is made of, to be put where it does not belong. */
export const jsonPieces: readonly string[] = [
  '"',
  '{',
  '[',
  ']',
  '}',
  ',',
  ':',
  '\\',
  '\\u00',
  '-',
  'null',
  '\u0000',
  '𝌆',
]
