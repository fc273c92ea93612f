import { readFileSync } from 'node:fs'
import test from 'ava'
import fc from 'fast-check'
import { decodeEpc, describeEpc, type Epc, encodeEpc, epcSchemes } from '../drivers/epc.ts'
import { epcFromElements, parseEpcUri } from '../drivers/epc-forms.ts'
import { standards, testWithStandards } from './helpers/vectors.ts'

interface Published {
  readonly scheme: string
  readonly filter: number
  readonly hex: string
  readonly tag_uri: string
  readonly pure_identity: string
  readonly ai: Record<string, string>
  readonly digital_link: string
}

const testWithVectors = testWithStandards('tds/epc-vectors.json')
const published = () =>
  JSON.parse(readFileSync(`${standards}tds/epc-vectors.json`, 'utf8')) as {
    valid: Published[]
    plus_schemes: Published[]
    invalid: { hex: string; reject: string }[]
  }
const isRead = ({ scheme }: Published) => (epcSchemes as readonly string[]).includes(scheme)

testWithVectors(
  'every published tag of our schemes is read as printed, and written as printed',
  (t) => {
    const vectors = published().valid.filter(isRead)
    t.is(vectors.length, 5)
    for (const { hex, tag_uri, pure_identity, ai, filter, scheme, digital_link } of vectors) {
      const known = { scheme, filter, tag_uri, pure_identity, ai, digital_link }
      t.deepEqual(describeEpc(decodeEpc(hex)) as unknown, known)
      t.deepEqual(decodeEpc(hex.toLowerCase()), decodeEpc(hex))
      t.is(encodeEpc(parseEpcUri(tag_uri)), hex)
      t.is(encodeEpc({ ...parseEpcUri(pure_identity), filter }), hex)
      const { prefix } = decodeEpc(hex)
      const elements = epcFromElements(new Map(Object.entries(ai)), prefix.length)
      t.is(encodeEpc({ ...elements, filter }), hex)
    }
  },
)

testWithVectors('a tag of another scheme is refused by the name of its scheme', (t) => {
  const { valid, plus_schemes } = published()
  const others = [...valid, ...plus_schemes].filter((vector) => !isRead(vector))
  t.true(others.length > 10)
  for (const { hex, scheme } of others) {
    const error = t.throws(() => decodeEpc(hex), { code: 'EPC_REFUSED' })
    t.true(error?.message.includes(`: ${scheme},`), error?.message)
  }
})

testWithVectors('what is published as no EPC is refused', (t) => {
  for (const { hex } of published().invalid) {
    t.throws(() => decodeEpc(hex), { code: 'EPC_REFUSED' })
  }
})

for (const [what, hex, reason] of [
  ['an unprogrammed tag', '0074257BF7194E4000001A85', /unprogrammed/],
  ["the number of a tag's chip", 'E2801160600002054CC2096F', /TID/],
  ['a tag read only in part', '3074257BF7194E40', /shorter than 96 bits/],
  ['a tag with something behind', '3074257BF7194E4000001A850000', /longer than 96 bits/],
  ['a company prefix of an impossible length', '30FFFFFFFFFFFFFFFFFFFFFF', /partition 7/],
  ['a company prefix of too many digits', '3003FFFFFFFFFFC000000001', /company prefix of more/],
  ['an SSCC with something in its zeros', '3174257BF4499602D2FFFFFF', /zero/],
  ['letters that are no digits', '3074257BF7194E4000001A8Z', /not hexadecimal/],
  ['half a byte', '3074257BF7194E4000001A8', /shorter than 96 bits/],
  ['nothing', '', /not hexadecimal/],
] as const) {
  test(`${what} is refused as an EPC, with the reason`, (t) => {
    t.throws(() => decodeEpc(hex), { code: 'EPC_REFUSED', message: reason })
  })
}

for (const [what, uri, reason] of [
  ['a serial number with letters', 'urn:epc:tag:sgtin-96:3.0614141.812345.32a', /2\^38/],
  ['a serial number with a leading zero', 'urn:epc:id:sgtin:0614141.812345.012', /leading zeros/],
  ['a serial number that has no room', 'urn:epc:id:sgtin:0614141.812345.274877906944', /2\^38/],
  ['a reference that is too short', 'urn:epc:id:sgtin:0614141.81234.1', /reference of 6 digits/],
  ['a company prefix that is too short', 'urn:epc:id:sgtin:06141.81234567.1', /6 to 12 digits/],
  ['an eighth filter', 'urn:epc:tag:sgtin-96:8.0614141.812345.1', /filter/],
  ['a scheme that is not written here', 'urn:epc:id:giai:0614141.5678', /giai/],
  ['a part too many', 'urn:epc:id:sscc:0614141.1234567890.1', /parts/],
  ['an address of the web', 'https://example.com/', /neither/],
] as const) {
  test(`${what} in an EPC's name is refused with the reason`, (t) => {
    t.throws(() => parseEpcUri(uri), { code: 'EPC_REFUSED', message: reason })
  })
}

test('a wrong check digit is noticed', (t) => {
  const elements = new Map([
    ['01', '80614141123459'],
    ['21', '6789'],
  ])
  t.throws(() => epcFromElements(elements, 7), { message: /check digit/ })
})

const digits = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: length, maxLength: length })

const anyEpc: fc.Arbitrary<Epc> = fc
  .tuple(
    fc.constantFrom(...epcSchemes),
    fc.integer({ min: 6, max: 12 }),
    fc.integer({ min: 0, max: 7 }),
  )
  .chain(([scheme, length, filter]) =>
    fc.record({
      scheme: fc.constant(scheme),
      filter: fc.constant(filter),
      prefix: digits(length),
      reference: digits({ 'SGTIN-96': 13, 'SSCC-96': 17, 'GRAI-96': 12 }[scheme] - length),
      serial:
        scheme === 'SSCC-96'
          ? fc.constant(null)
          : fc.bigInt({ min: 0n, max: 2n ** 38n - 1n }).map(String),
    }),
  )

test('whatever is written on a tag is read back, in every form', (t) => {
  fc.assert(
    fc.property(anyEpc, (epc) => {
      t.deepEqual(decodeEpc(encodeEpc(epc)), epc)
      const { tag_uri, pure_identity, ai } = describeEpc(epc)
      t.deepEqual(parseEpcUri(tag_uri ?? ''), epc)
      t.deepEqual(parseEpcUri(pure_identity), { ...epc, filter: null })
      t.deepEqual(epcFromElements(new Map(Object.entries(ai)), epc.prefix.length), {
        ...epc,
        filter: null,
      })
    }),
  )
})

test('two different tags are never read as one', (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom('30', '31', '33'),
      fc.uint8Array({ minLength: 11, maxLength: 11 }),
      (header, rest) => {
        const hex = (header + Buffer.from(rest).toString('hex')).toUpperCase()
        try {
          t.is(encodeEpc(decodeEpc(hex)), hex)
        } catch (error) {
          t.like(error as Error, { code: 'EPC_REFUSED' })
        }
      },
    ),
    { numRuns: 2000 },
  )
})
