import test from 'ava'
import fc from 'fast-check'
import { faultsOf, names, told } from './helpers/config.ts'

for (const text of [
  'keys: {secret: hunter2}',
  'keys: {secret: {password: hunter2}}',
  'keys: {secret: {hunter2}}',
  'keys: {secret: {file: hunter2}}',
  'keys: {secret: {env: hunter2-}}',
  'keys: {secret: [hunter2]}',
  'keys: {secret: {file: /a, env: hunter2}}',
  'keys: hunter2',
  'keys:\n  secret hunter2\n  a: b',
  'keys: {secret: !hunter2 x}',
  'keys: {secret: *hunter2}',
  'keys: {secret: @hunter2}',
  'keys: {secret: "hunter2',
  'keys: {secret: "\\hunter2"}',
]) {
  test(`a secret written in place is refused, and not repeated: ${text.replace('\n', ' ')}`, (t) => {
    const faults = faultsOf(`${names}${text}\n`)
    t.true(faults.length > 0)
    t.notRegex(told(`${names}${text}\n`).join(), /hunter2/)
  })
}

test('whoever writes a secret in place is told where it belongs', (t) => {
  const [fault] = faultsOf(`${names}keys: {secret: "12345"}`)
  t.is(
    fault?.error.message,
    'keys.secret: expected the place where the secret lies: one of file, env or credential; found text',
  )
  t.regex(fault?.error.hint ?? '', /never stands in this file; .*\{file: /)
})

const laughs = Array.from(
  { length: 12 },
  (_, i) => `a${i}: &a${i} [${Array(9).fill(i === 0 ? 'x' : `*a${i - 1}`)}]`,
)
for (const [what, hostile, why] of [
  ['a billion laughs', laughs.join('\n'), /more than 20000 values/],
  ['a value that holds itself', 'a: &a [*a]', /refers to itself/],
  ['a hundred thousand opening brackets', '['.repeat(100_000), /nested more than 16/],
  ['a hundred thousand dashes', '- '.repeat(100_000), /nested more than 16/],
  ['a hundred thousand question marks', '? '.repeat(100_000), /nested more than 16/],
  ['ten megabytes', 'a'.repeat(10_000_000), /larger than 256 KiB/],
  ['a program', Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]), /this is not text/],
  ['bytes that are no UTF-8', Uint8Array.from([0x61, 0xc3, 0x28]), /this is not text/],
  ['UTF-16, as some editors save it', Uint8Array.from([0xff, 0xfe, 0x61, 0]), /UTF-16/],
  ['two documents', `${names}---\n${names}`, /second document/],
  ['another YAML', `%YAML 1.1\n---\n${names}`, /%YAML/],
  ['a list', '- 1\n- 2', /expected a section; found a list/],
  ['a hundred thousand commas', `a: {${','.repeat(100_000)}`, /never closed/],
  [
    'twenty thousand keys',
    Array.from({ length: 20_001 }, (_, i) => `k${i}: 1`).join('\n'),
    /more than 20000 values/,
  ],
] as const) {
  test(`${what}: refused in one line`, (t) => {
    const [line = '', ...more] = told(hostile)
    t.regex(line, why)
    t.deepEqual(more, [])
  })
}

test('a key that is no key but a trick changes nothing', (t) => {
  t.deepEqual(told(`${names}__proto__: {batch: 1}`), ['3:1 | a key must be plain text'])
  t.is(({} as Record<string, unknown>).batch, undefined)
})

test('whatever stands in a file, faults are told and nothing breaks', (t) => {
  const pieces = [...'{}[]:,-?&*!|>\'"%@`#\\\n\t x1', 'site', 'keys', 'secret', 'a: ', '\n  ', '- ']
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces)), (parts) => {
      const faults = faultsOf(parts.join(''))
      return faults.length > 0 && faults.every(({ at }) => /^kedge\.yaml:\d+:\d+$/.test(at))
    }),
    { numRuns: 2000 },
  )
  t.pass()
})
