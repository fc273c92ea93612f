import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex, concat, utf8 } from '../evidence/bytes.ts'
import type { AbiItem, AbiValue } from './artefact.ts'

/** Contract ABI, as far as the anchor contract uses it: words, fixed arrays of words and one list of words. */
export type AbiInput = bigint | number | Uint8Array | readonly AbiInput[]
export type AbiOutput = bigint | Uint8Array | boolean | readonly AbiOutput[]

const hashes = new Map<string, Uint8Array>()

/** Of the few names that there are, each once: tests make tens of thousands of calls. */
function keccak(name: Uint8Array): Uint8Array {
  const hash = hashes.get(String(name)) ?? keccak_256(name)
  hashes.set(String(name), hash)
  return hash
}

/** An event, or the error of a call that was refused. */
export interface Named {
  readonly name: string
  readonly values: Readonly<Record<string, AbiOutput>>
}

/** The function of this name. */
export const abiItem = (abi: readonly AbiItem[], name: string): AbiItem => {
  const item = abi.find((one) => one.type === 'function' && one.name === name)
  if (!item) throw new TypeError(`the contract has no ${name}`)
  return item
}

export const signatureOf = ({ name, inputs = [] }: AbiItem): string =>
  `${name}(${inputs.map(({ type }) => type).join(',')})`

export function encodeCall(
  item: AbiItem,
  inputs: readonly AbiInput[],
  hash: (bytes: Uint8Array) => Uint8Array = keccak,
): Uint8Array {
  const selector = hash(utf8(signatureOf(item))).subarray(0, 4)
  return concat(selector, encodeValues(item.inputs ?? [], inputs))
}

function encodeValues(types: readonly AbiValue[], inputs: readonly AbiInput[]): Uint8Array {
  if (types.length !== inputs.length) throw new TypeError(`${types.length} values are needed`)
  const headWords = types.reduce((words, { type }) => words + wordsOf(type), 0)
  const heads: Uint8Array[] = []
  const tail: Uint8Array[] = []
  for (const [i, { type }] of types.entries()) {
    const input = inputs[i] as AbiInput
    if (!type.endsWith('[]')) {
      heads.push(...words(input))
      continue
    }
    const items = words(input)
    heads.push(word(BigInt(32 * (headWords + tail.length))))
    tail.push(word(BigInt(items.length)), ...items)
  }
  return concat(...heads, ...tail)
}

export function decodeValues(types: readonly AbiValue[], bytes: Uint8Array): AbiOutput[] {
  let at = 0
  const read = ({ type, components }: AbiValue): AbiOutput => {
    if (components) return components.map(read)
    const [, item, count] = /^(.*)\[(\d+)\]$/.exec(type) ?? []
    if (item) return Array.from({ length: Number(count) }, () => read({ name: '', type: item }))
    if (at + 32 > bytes.length) throw new TypeError('the answer is too short')
    at += 32
    return decodeWord(type, bytes.subarray(at - 32, at))
  }
  const values = types.map(read)
  if (at !== bytes.length) throw new TypeError('the answer is too long')
  return values
}

/** What a call asks, or undefined where the bytes are not the one encoding of such a call. */
export function decodeCall(item: AbiItem, bytes: Uint8Array): AbiOutput[] | undefined {
  const types = item.inputs ?? []
  const content = bytes.subarray(4)
  const values: AbiOutput[] = []
  let at = 0
  for (const { type } of types) {
    const size = 32 * wordsOf(type)
    if (at + size > content.length) return undefined
    const part = content.subarray(at, at + size)
    // There is at most one list, whose items are the rest: what is written otherwise is encoded otherwise below.
    const isList = type.endsWith('[]')
    values.push(
      isList ? listIn(content, part) : (decodeValues([{ name: '', type }], part)[0] as AbiOutput),
    )
    at += size
  }
  const inputs = values as readonly AbiInput[]
  return hexOf(encodeCall(item, inputs)) === hexOf(bytes) ? values : undefined
}

function listIn(content: Uint8Array, offset: Uint8Array): Uint8Array[] {
  const start = Number(BigInt(`0x${bytesToHex(offset)}`)) + 32
  if (!(start <= content.length)) return []
  const count = Math.floor((content.length - start) / 32)
  return Array.from({ length: count }, (_, i) =>
    content.subarray(start + 32 * i, start + 32 * i + 32),
  )
}

export const decodeError = (abi: readonly AbiItem[], bytes: Uint8Array): Named => {
  const item = abi.find(
    (one) => one.type === 'error' && hexOf(topicOf(one).subarray(0, 4)) === hexOf(bytes, 4),
  )
  return item
    ? named(item, item.inputs ?? [], bytes.subarray(4))
    : { name: `0x${bytesToHex(bytes)}`, values: {} }
}

export function decodeEvent(
  abi: readonly AbiItem[],
  topics: readonly Uint8Array[],
  bytes: Uint8Array,
): Named {
  const [first, ...indexed] = topics
  const item = abi.find(
    (one) => one.type === 'event' && first && hexOf(topicOf(one)) === hexOf(first),
  )
  if (!item?.name) throw new TypeError('an event of another contract')
  const inputs = item.inputs ?? []
  const open = named(
    item,
    inputs.filter((input) => !input.indexed),
    bytes,
  )
  const hidden = inputs.filter((input) => input.indexed)
  const values = hidden.map(({ name, type }, i) => [
    name,
    decodeWord(type, indexed[i] as Uint8Array),
  ])
  return { name: item.name, values: { ...Object.fromEntries(values), ...open.values } }
}

const named = (item: AbiItem, inputs: readonly AbiValue[], bytes: Uint8Array): Named => {
  const values = decodeValues(inputs, bytes)
  return {
    name: item.name ?? '',
    values: Object.fromEntries(inputs.map(({ name }, i) => [name, values[i] as AbiOutput])),
  }
}

export const topicOf = (item: AbiItem): Uint8Array => keccak(utf8(signatureOf(item)))

const hexOf = (bytes: Uint8Array, most = bytes.length): string =>
  bytesToHex(bytes.subarray(0, most))

const wordsOf = (type: string): number => Number(/\[(\d+)\]$/.exec(type)?.[1] ?? 1)

const isList = (input: AbiInput): input is readonly AbiInput[] => Array.isArray(input)

function words(input: AbiInput): Uint8Array[] {
  if (isList(input)) return input.flatMap(words)
  return [input instanceof Uint8Array ? padded(input) : word(BigInt(input))]
}

export const word = (value: bigint): Uint8Array => {
  const bytes = new Uint8Array(32)
  for (let i = 31, rest = value; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 0xffn)
  return bytes
}

/** An address of 20 bytes stands at the right; what has 32 fills the word. */
const padded = (bytes: Uint8Array): Uint8Array => concat(new Uint8Array(32 - bytes.length), bytes)

function decodeWord(type: string, bytes: Uint8Array): AbiOutput {
  if (type === 'address') return bytes.subarray(12)
  if (type === 'bytes4') return bytes.subarray(0, 4)
  if (type === 'bytes32') return bytes
  const value = BigInt(`0x${bytesToHex(bytes)}`)
  return type === 'bool' ? value !== 0n : value
}
