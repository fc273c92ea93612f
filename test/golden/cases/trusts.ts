// Trust files that a verifier takes, and such that it refuses (section 9).
import { hex } from '../bytes.ts'
import { a, controller, usual, w1 } from '../people.ts'

/** `taken` is false where the whole text is refused. */
export type TrustCase = {
  readonly name: string
  readonly title: string
  readonly taken: boolean
  readonly text: string
}

const keyText = `"${hex(a.key.publicKey)}"`
const gatewayText = `"${hex(a.id)}"`
const one = `{"publicKey":${keyText},"incarnation":0}`
const witness = `{"kind":"witness","publicKey":"${hex(w1.key.publicKey)}"}`
const person = `{"publicKey":"${hex(controller.publicKey)}","name":null}`
const asOf = '"2026-06-01T00:00:00Z"'

/** A trust file of these four texts. */
const file = (when = asOf, gateways = '[]', ledgers = '[]', controllers = '[]'): string =>
  `{"asOf":${when},"gateways":${gateways},"ledgers":${ledgers},"controllers":${controllers}}`
const gateways = (keys: string): string =>
  file(asOf, `[{"gateway":${gatewayText},"keys":[${keys}]}]`)
const keyed = (more: string): string => gateways(`{"publicKey":${keyText},"incarnation":0${more}}`)
const ledger = (more: string): string => file(asOf, '[]', `[${witness.slice(0, -1)}${more}}]`)

const chain = {
  kind: '"evm"',
  chainId: '1337',
  genesis: `"${'01'.repeat(32)}"`,
  contract: `"${'02'.repeat(20)}"`,
  codeHash: `"${'03'.repeat(32)}"`,
}
/** A ledger of these keys; an empty text leaves a key out. */
const chained = (...changes: readonly Readonly<Record<string, string>>[]): string => {
  const texts = (changes.length > 0 ? changes : [{}]).map((change) => {
    const said = Object.entries({ ...chain, ...change }).filter(([, text]) => text !== '')
    return `{${said.map(([name, text]) => `"${name}":${text}`).join(',')}}`
  })
  return file(asOf, '[]', `[${texts.join(',')}]`)
}
const [s1Text, s2Text] = ['"aa', '"bb'].map((start) => `${start}${'00'.repeat(19)}"`)
const signers = (...lists: readonly string[]): string =>
  chained({ signers: `[${lists.join(',')}]` })
const blocks = (...list: readonly string[]): string => chained({ blocks: `[${list.join(',')}]` })
const pinnedBlock = `{"height":5,"hash":"${'05'.repeat(32)}"}`
const addresses = (count: number): string =>
  Array.from({ length: count }, (_, i) => `"${i.toString(16).padStart(40, '0')}"`).join(',')

const taken: readonly (readonly [string, string, string])[] = [
  ['empty', 'a regulator who believes nothing', file()],
  ['usual', 'a regulator who believes what most cases ask', usual.text],
  [
    'defaults',
    'a key, a ledger and a controller of which only the needed is said',
    file(asOf, `[{"gateway":${gatewayText},"keys":[${one}]}]`, `[${witness}]`, `[${person}]`),
  ],
  [
    'in-another-order',
    'keys in any order',
    `{"controllers":[],"ledgers":[],"gateways":[],"asOf":${asOf}}`,
  ],
  [
    'with-space',
    'white space between everything',
    ` \r\n\t${file().replaceAll(/"[^"]*"|[{}[\]:,]/g, '$&\n\t')} `,
  ],
  [
    'with-escapes',
    'a key that is written with an escape',
    file().replace('"asOf"', '"\\u0061sOf"'),
  ],
  ['time-with-zone', 'a time of another zone', file('"2026-06-01T08:00:00+08:00"')],
  [
    'time-with-fraction',
    'a time with nine digits of fraction',
    file('"2026-06-01T00:00:00.123456789Z"'),
  ],
  ['time-on-leap-day', 'a leap day', file('"2028-02-29T23:59:59Z"')],
  ['size-without-end', 'a key that may sign for ever', keyed(',"from":1,"to":null')],
  [
    'two-incarnations',
    'one key of two incarnations',
    gateways(`${one},${one.replace('0}', '1}')}`),
  ],
  ['chain', 'a chain of which only the needed is said', chained()],
  [
    'all-of-a-chain',
    'a chain of which everything is said',
    chained({
      signers: `[{"from":0,"addresses":[${s1Text},${s2Text}]},{"from":30000,"addresses":[${s1Text}]}]`,
      blocks: `[${pinnedBlock},${pinnedBlock.replace('5', '4')}]`,
      name: '"consortium"',
      independent: 'true',
      required: 'true',
      clockToleranceMs: '1000',
    }),
  ],
  [
    'chain-without-any',
    'a chain of no signers and no blocks',
    chained({ signers: '[]', blocks: '[]' }),
  ],
  [
    'chain-signers-from-the-start',
    'signers that seal from block 0',
    signers(`{"addresses":[${s1Text}]}`),
  ],
  [
    'chain-of-255-signers',
    'as many signers as may be',
    signers(`{"addresses":[${addresses(255)}]}`),
  ],
  ['two-chains', 'one contract on two chains', chained({}, { chainId: '1' })],
  [
    'two-contracts',
    'two contracts on one chain',
    chained({}, { contract: `"${'04'.repeat(20)}"` }),
  ],
  [
    'all-of-a-ledger',
    'a ledger of which everything is said',
    ledger(
      ',"name":"hospital","rules":"any","independent":true,"required":false,"clockToleranceMs":0',
    ),
  ],
]

const refused: readonly (readonly [string, string, string])[] = [
  ['no-text', 'nothing at all', ''],
  ['null', 'null', 'null'],
  ['array', 'an array', '[]'],
  ['with-mark', 'a text that begins with a byte-order mark', `\ufeff${file()}`],
  ['with-rest', 'a text after its end', `${file()}{}`],
  ['with-comment', 'a comment', `${file()} // believed`],
  ['trailing-comma', 'a comma after the last', file().replace('[]}', '[],}')],
  ['single-quotes', 'single quotes', file().replaceAll('"', "'")],
  ['unknown-key', 'a key that nobody knows', file().replace('{', '{"note":"",')],
  ['unknown-key-inside', 'a key that nobody knows, of a ledger', ledger(',"chainId":1')],
  ['doubled-key', 'a key that is said twice', file().replace('{', `{"asOf":${asOf},`)],
  [
    'doubled-key-escaped',
    'a key that is said twice, once with an escape',
    file().replace('{', `{"\\u0061sOf":${asOf},`),
  ],
  [
    'proto-key',
    'a key that some languages treat in their own way',
    file().replace('{', '{"__proto__":null,'),
  ],
  ['without-as-of', 'no time of belief', `{"gateways":[],"ledgers":[],"controllers":[]}`],
  [
    'without-ledgers',
    'no ledgers, not even none',
    `{"asOf":${asOf},"gateways":[],"controllers":[]}`,
  ],
  ['as-of-null', 'a time of belief that is null', file('null')],
  ['as-of-number', 'a time of belief as a number', file('1780272000000')],
  ['as-of-local', 'a time without a zone', file('"2026-06-01T00:00:00"')],
  ['as-of-with-space', 'a time with a space in it', file('"2026-06-01 00:00:00Z"')],
  ['as-of-small-z', 'a time with a small z', file('"2026-06-01T00:00:00z"')],
  ['as-of-leap-second', 'a leap second', file('"2016-12-31T23:59:60Z"')],
  ['as-of-no-leap-day', 'a day that does not exist', file('"2026-02-29T00:00:00Z"')],
  ['as-of-hour-24', 'an hour that does not exist', file('"2026-06-01T24:00:00Z"')],
  [
    'as-of-ten-digits',
    'a time with ten digits of fraction',
    file('"2026-06-01T00:00:00.1234567890Z"'),
  ],
  ['as-of-empty-fraction', 'a time with a point and no fraction', file('"2026-06-01T00:00:00.Z"')],
  ['as-of-zone-without-colon', 'a zone without a colon', file('"2026-06-01T08:00:00+0800"')],
  [
    'key-in-capitals',
    'hex in capitals',
    keyed('')
      .toUpperCase()
      .replaceAll(/"[A-Z]+":/g, (key) => key.toLowerCase()),
  ],
  [
    'key-short',
    'a key of 64 bytes',
    keyed('').replace(keyText, `"${hex(a.key.publicKey).slice(2)}"`),
  ],
  [
    'key-not-on-curve',
    'a key that is no point',
    keyed('').replace(keyText, `"${hex(a.key.publicKey).slice(0, -1)}0"`),
  ],
  ['key-doubled', 'one key of one incarnation twice', gateways(`${one},${one}`)],
  [
    'gateway-doubled',
    'one gateway twice',
    file(asOf, `[{"gateway":${gatewayText},"keys":[]},{"gateway":${gatewayText},"keys":[]}]`),
  ],
  ['incarnation-missing', 'a key of no incarnation', gateways(`{"publicKey":${keyText}}`)],
  [
    'incarnation-negative',
    'an incarnation below nothing',
    keyed('').replace('"incarnation":0', '"incarnation":-1'),
  ],
  [
    'incarnation-large',
    'an incarnation of 2 to the 32nd',
    keyed('').replace('"incarnation":0', '"incarnation":4294967296'),
  ],
  ['from-fraction', 'a size with a fraction', keyed(',"from":1.0')],
  ['from-exponent', 'a size with an exponent', keyed(',"from":1e0')],
  ['from-leading-zero', 'a size with a zero before it', keyed(',"from":01')],
  ['from-text', 'a size as text', keyed(',"from":"1"')],
  ['from-null', 'a size that is null', keyed(',"from":null')],
  ['from-zero', 'a key that may sign from size 0', keyed(',"from":0')],
  [
    'to-before-from',
    'a key that may sign up to a size before its first',
    keyed(',"from":5,"to":4'),
  ],
  ['from-large', 'a size of 2 to the 53rd', keyed(',"from":9007199254740992')],
  ['compromised-number', 'a time of theft as a number', keyed(',"compromisedAfter":0')],
  [
    'ledger-of-unknown-kind',
    'a ledger of a kind that nobody knows',
    ledger('').replace('witness', 'notary'),
  ],
  ['ledger-without-key', 'a witness without a key', file(asOf, '[]', '[{"kind":"witness"}]')],
  ['ledger-doubled', 'one witness twice', file(asOf, '[]', `[${witness},${witness}]`)],
  ['ledger-name-empty', 'a ledger of an empty name', ledger(',"name":""')],
  ['ledger-name-long', 'a ledger of a name of 257 bytes', ledger(`,"name":"${'x'.repeat(257)}"`)],
  ['ledger-rules-number', 'rules as a number', ledger(',"rules":1')],
  ['ledger-rules-unknown', 'rules that nobody knows', ledger(',"rules":"all"')],
  ['ledger-independent-number', 'independent as a number', ledger(',"independent":1')],
  ['ledger-independent-null', 'independent as null', ledger(',"independent":null')],
  ['ledger-tolerance-negative', 'a tolerance below nothing', ledger(',"clockToleranceMs":-1')],
  ['chain-without-id', 'a chain without its number', chained({ chainId: '' })],
  ['chain-id-zero', 'a chain of the number 0', chained({ chainId: '0' })],
  ['chain-id-text', 'a number of a chain as text', chained({ chainId: '"1337"' })],
  [
    'chain-id-large',
    'a chain of the number 2 to the 53rd',
    chained({ chainId: '9007199254740992' }),
  ],
  ['chain-without-genesis', 'a chain without its first block', chained({ genesis: '' })],
  [
    'chain-genesis-with-0x',
    'hex that begins with 0x',
    chained({ genesis: `"0x${'01'.repeat(32)}"` }),
  ],
  ['chain-contract-long', 'an address of 21 bytes', chained({ contract: `"${'02'.repeat(21)}"` })],
  [
    'chain-contract-in-capitals',
    'an address in capitals',
    chained({ contract: `"${'AB'.repeat(20)}"` }),
  ],
  ['chain-without-code', 'a chain without the code that it should run', chained({ codeHash: '' })],
  ['chain-with-key', 'a chain with the key of a witness', chained({ publicKey: keyText })],
  ['chain-with-rules', 'a chain with the rules of a witness', chained({ rules: '"extensions"' })],
  ['chain-doubled', 'one contract twice', chained({}, { codeHash: `"${'04'.repeat(32)}"` })],
  ['chain-signers-null', 'signers that are null', chained({ signers: 'null' })],
  ['chain-signers-as-addresses', 'signers without a height', signers(`${s1Text}`)],
  ['chain-signers-none', 'a list of no signers', signers('{"from":0,"addresses":[]}')],
  ['chain-signers-256', 'more signers than may be', signers(`{"addresses":[${addresses(256)}]}`)],
  ['chain-signer-twice', 'one signer twice', signers(`{"addresses":[${s1Text},${s1Text}]}`)],
  ['chain-signer-short', 'an address of 19 bytes', signers(`{"addresses":["${'aa'.repeat(19)}"]}`)],
  [
    'chain-signers-from-twice',
    'two lists from one height',
    signers(`{"addresses":[${s1Text}]}`, `{"addresses":[${s2Text}]}`),
  ],
  [
    'chain-signers-descending',
    'lists in the wrong order',
    signers(`{"from":9,"addresses":[${s1Text}]}`, `{"from":8,"addresses":[${s1Text}]}`),
  ],
  [
    'chain-signers-unknown-key',
    'a list of signers with a key that nobody knows',
    signers(`{"to":9,"addresses":[${s1Text}]}`),
  ],
  ['chain-block-twice', 'one height twice', blocks(pinnedBlock, pinnedBlock.replace('05"', '06"'))],
  ['chain-block-without-hash', 'a block without a hash', blocks('{"height":5}')],
  ['chain-block-negative', 'a block before the first', blocks(pinnedBlock.replace('5', '-5'))],
  [
    'chain-block-unknown-key',
    'a block with a key that nobody knows',
    blocks(pinnedBlock.replace('}', ',"timeMs":0}')),
  ],
  ['controller-doubled', 'one controller twice', file(asOf, '[]', '[]', `[${person},${person}]`)],
  ['text-with-control', 'a line’s end inside a text', ledger(',"name":"a\nb"')],
  ['deep', 'arrays seventeen deep', file(asOf, `${'['.repeat(16)}${']'.repeat(16)}`)],
]

export const trusts: readonly TrustCase[] = [
  ...taken.map(([name, title, text]) => ({ name, title, taken: true, text })),
  ...refused.map(([name, title, text]) => ({ name, title, taken: false, text })),
]
