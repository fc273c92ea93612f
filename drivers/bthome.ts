/** What a BTHome v2 device advertises as service data of FCD2, plain or encrypted. Pure. */
import { KedgeError } from '../anchor-client/evidence/errors.ts'
import type { Decimal } from '../anchor-client/evidence/model.ts'
import { bthomeObjects, type ObjectForm } from './bthome-objects.ts'

export interface BthomeObject {
  readonly id: number
  readonly name: string
  readonly value: Decimal | boolean | string | Uint8Array
}

export interface Bthome {
  /** `AA:BB:CC:DD:EE:FF`, where the frame or the caller says it. */
  readonly mac: string | null
  /** It speaks when something happens, not at intervals. */
  readonly isTriggered: boolean
  /** Of an encrypted frame: never goes back, or it is a replay. */
  readonly counter: number | null
  readonly objects: readonly BthomeObject[]
  /** From the first object on whose number is not known: its length is not known either. */
  readonly unread: Uint8Array
}

/** AES-128-CCM with a tag of four bytes; null where the tag does not fit. */
export type Ccm = (sealed: Sealed, key: Uint8Array) => Uint8Array | null

interface Sealed {
  readonly nonce: Uint8Array
  readonly ciphertext: Uint8Array
  readonly tag: Uint8Array
}

interface Opening {
  /** 16 bytes, and who opens with it. */
  readonly key?: Uint8Array | undefined
  readonly ccm?: Ccm | undefined
  /** The sender's, where the frame does not carry it. */
  readonly mac?: string | undefined
}

/** One frame, with or without D2FC before it; what is none is SENSOR_GARBLED, with the reason. */
export function parseBthome(
  advertised: Uint8Array,
  { key, ccm, mac: known }: Opening = {},
): Bthome {
  const bytes =
    advertised[0] === 0xd2 && advertised[1] === 0xfc ? advertised.subarray(2) : advertised
  if (bytes.length > 255) throw garbled(`${bytes.length} bytes, more than an advertisement holds`)
  const [info] = bytes
  if (info === undefined) throw garbled('empty')
  if (info >> 5 !== 2) throw garbled(`version ${info >> 5} of BTHome, not 2`)
  const carriesMac = (info & 2) !== 0
  const start = carriesMac ? 7 : 1
  if (bytes.length < start) throw garbled('half a frame: it ends within the address')
  const address = carriesMac ? bytes.slice(1, 7).reverse() : known ? macBytes(known) : null
  const mac = address && macText(address)
  if (known !== undefined && mac !== null && mac !== known.toUpperCase()) {
    throw garbled(`it names ${mac} as its sender, not ${known.toUpperCase()}`)
  }
  const isTriggered = (info & 4) !== 0
  const body = bytes.subarray(start)
  if ((info & 1) === 0) return { mac, isTriggered, counter: null, ...objectsIn(body) }

  // Payload, counter of four bytes, tag of four bytes.
  if (body.length < 9) throw garbled('half a frame: encrypted, and nothing in it')
  if (address === null) throw garbled('encrypted, and the address of its sender is not known')
  if (key === undefined || ccm === undefined) throw garbled('encrypted, and no key is known')
  const counter = body.subarray(-8, -4)
  const sealed = {
    nonce: Uint8Array.of(...address, 0xd2, 0xfc, info, ...counter),
    ciphertext: body.subarray(0, -8),
    tag: body.subarray(-4),
  }
  const plain = ccm(sealed, key)
  if (plain === null) throw garbled('bad checksum: another key, another sender, or altered')
  const view = new DataView(counter.buffer, counter.byteOffset, 4)
  return { mac, isTriggered, counter: view.getUint32(0, true), ...objectsIn(plain) }
}

function objectsIn(body: Uint8Array): Pick<Bthome, 'objects' | 'unread'> {
  const objects: BthomeObject[] = []
  let at = 0
  while (at < body.length) {
    const id = body[at] as number
    const form = bthomeObjects.get(id)
    if (form === undefined) break
    const isCounted = form.length === 0
    const from = at + (isCounted ? 2 : 1)
    const end = from + (isCounted ? (body[at + 1] ?? 1) : form.length)
    if (end > body.length) throw garbled(`half a frame: it ends within ${form.name}`)
    objects.push({ id, name: form.name, value: valueIn(form, body.slice(from, end)) })
    at = end
  }
  return { objects, unread: body.slice(at) }
}

function valueIn({ name, form, factor, exponent }: ObjectForm, bytes: Uint8Array) {
  if (form === 'bytes') return bytes
  if (form === 'text') return textOf(bytes)
  const unsigned = bytes.reduceRight((all, byte) => all * 256 + byte, 0)
  if (form === 'switch') {
    if (unsigned > 1) throw garbled(`${name} is neither 0 nor 1`)
    return unsigned === 1
  }
  const span = 256 ** bytes.length
  const isNegative = form === 'signed' && unsigned >= span / 2
  return [(isNegative ? unsigned - span : unsigned) * factor, exponent] as const
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw garbled('a text that is not UTF-8')
  }
}

const macText = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'))
    .join(':')
    .toUpperCase()

function macBytes(text: string): Uint8Array {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) throw new TypeError('no MAC address')
  return Uint8Array.from(text.split(':'), (byte) => Number.parseInt(byte, 16))
}

const garbled = (reason: string) => new KedgeError('SENSOR_GARBLED', reason)
