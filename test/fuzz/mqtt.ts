import { Buffer } from 'node:buffer'
import { cursorOf } from '../../anchor-client/evidence/codec.ts'
import { encode } from '../../anchor-client/evidence/encode.ts'
import { readValue } from '../../anchor-client/evidence/values.ts'
import { openFrames } from '../../gateway/ingest/frames.ts'
import { usualLimits } from '../../gateway/ingest/limits.ts'
import { type Packet, readPacket, type Version } from '../../gateway/ingest/packets.ts'
import { readPayload } from '../../gateway/ingest/payload.ts'
import { jsonPieces } from './json-pieces.ts'
import type { Random } from './random.ts'
import type { Target } from './target.ts'

/** Streams of packets and payloads, altered: nothing is thrown, however they are cut, and what is taken fits evidence. */
export const mqtt: Target = {
  summary: 'the MQTT broker: streams of packets, and the payloads in them',

  async run(random, isTimeUp) {
    let tried = 0
    const slowest = { stream: 0, payload: 0 }
    const timed = (what: keyof typeof slowest, run: () => void) => {
      const start = performance.now()
      run()
      slowest[what] = Math.max(slowest[what], performance.now() - start)
      tried += 1
    }
    while (!isTimeUp()) {
      const stream = altered(random, Buffer.concat(someOf(random, packets)))
      timed('stream', () => tryStream(random, stream))
      const payload = altered(random, Buffer.from(random.oneOf(payloads)))
      timed('payload', () => tryPayload(payload))
    }
    const worst = Object.entries(slowest).map(([what, ms]) => ({
      what: `the slowest ${what}`,
      ms: Math.round(ms * 10) / 10,
    }))
    return { tried, worst }
  },
}

function tryStream(random: Random, stream: Buffer): void {
  const whole = packetsIn([stream])
  const pieces: Buffer[] = []
  for (let at = 0; at < stream.length; ) {
    const end = at + 1 + random.below(random.oneOf([1, 4, 100]))
    pieces.push(stream.subarray(at, end))
    at = end
  }
  if (packetsIn(pieces) !== whole)
    throw new Error(`cut, this reads otherwise: ${stream.toString('hex')}`)
}

/** What a connection would make of it, up to where it would close. */
function packetsIn(pieces: readonly Buffer[]): string {
  const frames = openFrames(usualLimits.packetBytes)
  const read: string[] = []
  let version: Version | undefined
  for (const piece of pieces) {
    frames.feed(piece)
    for (let frame = frames.next(); frame !== undefined; frame = frames.next()) {
      if (typeof frame === 'string') return [...read, frame].join()
      if (frame.body.length > usualLimits.packetBytes) throw new Error('a packet beyond its limit')
      const packet: Packet = readPacket(frame, version)
      read.push(JSON.stringify(packet))
      if (packet.type === 'malformed' || packet.type === 'unknown version') return read.join()
      if (packet.type === 'connect') version = packet.version
    }
  }
  return read.join()
}

function tryPayload(payload: Buffer): void {
  const read = readPayload(payload)
  if ('refused' in read) {
    if (read.refused === '' || read.refused.length > 200) throw new Error('no reason to refuse')
    return
  }
  const { value, kind } = read.reading
  const bytes = encode(value as Parameters<typeof encode>[0])
  const again = encode(readValue(cursorOf(bytes)) as Parameters<typeof encode>[0])
  // Strict as it is, it takes nothing that JSON would not, and makes no other number of it.
  const json = JSON.parse(payload.toString())
  const isSame = typeof json.value !== 'number' || Number(decimalText(value)) === json.value + 0
  if (json.kind !== kind || !isSame || Buffer.compare(bytes, again) !== 0) {
    throw new Error(`read otherwise than by JSON: ${payload.toString()}`)
  }
}

const decimalText = (value: unknown): string => {
  const [mantissa, exponent] = value as readonly [number, number]
  return `${mantissa}e${exponent}`
}

const connect = (version: number, ...rest: number[]): Buffer => {
  const body = Buffer.concat([Buffer.of(0, 4), Buffer.from('MQTT'), Buffer.of(version, ...rest)])
  return Buffer.concat([Buffer.of(0x10, body.length), body])
}

const publication = (first: number, payload: string, ...afterTopic: number[]): Buffer => {
  const body = Buffer.concat([
    Buffer.of(0, 8),
    Buffer.from('ingest/a'),
    Buffer.of(...afterTopic),
    Buffer.from(payload),
  ])
  const length = body.length < 128 ? [body.length] : [(body.length & 0x7f) | 0x80, body.length >> 7]
  return Buffer.concat([Buffer.of(first, ...length), body])
}

const payloads = [
  '{"kind":"temperature","value":4.250,"unit":"Cel","id":"a-1","time":"2026-01-31T00:00:00Z"}',
  '{"kind":"blood-pressure","value":{"systolic":128,"diastolic":"81.0"},"unit":"mm[Hg]"}',
  '{"kind":"tag","value":"3034257bf7194e4000001a85","id":"\\u00fc\\ud83d\\ude00"}',
  '{"kind":"contact","value":true,"time":null}',
  '{"kind":"note","value":"door \\"left\\" open","id":"ä"}',
  '{"kind":"pressure","value":-1.0132e-3}',
]

const packets = [
  connect(4, 2, 0, 60, 0, 1, 97),
  connect(5, 0xc6, 0, 60, 5, 17, 0, 0, 0, 9, 0, 1, 97, 0, 0, 1, 97, 0, 1, 98, 0, 1, 99, 0, 1, 100),
  publication(0x32, payloads[0] as string, 0, 1),
  publication(0x32, payloads[0] as string, 0, 1, 0),
  publication(0x3d, payloads[1] as string, 0, 2, 7, 38, 0, 1, 97, 0, 1, 98),
  publication(0x30, payloads[2] as string),
  Buffer.of(0x62, 2, 0, 2),
  Buffer.of(0x82, 6, 0, 1, 0, 1, 97, 1),
  Buffer.of(0xa2, 5, 0, 1, 0, 1, 97),
  Buffer.of(0xc0, 0),
  Buffer.of(0xe0, 0),
]

const someOf = (random: Random, list: readonly Buffer[]): Buffer[] => [
  random.oneOf(list.slice(0, 2)),
  ...Array.from({ length: random.below(6) }, () => random.oneOf(list)),
]

const pieces = [...jsonPieces, 'e9', '0', '.5']

function altered(random: Random, bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes)
  const at = random.below(bytes.length)
  switch (random.below(6)) {
    case 0:
      return changed
    case 1:
      changed[at] = random.below(256)
      return changed
    case 2:
      changed[at] = (changed[at] as number) ^ (1 << random.below(8))
      return changed
    case 3:
      return changed.subarray(0, at)
    case 4:
      return Buffer.concat([
        changed.subarray(0, at),
        random.bytes(random.below(20)),
        changed.subarray(at),
      ])
    default: {
      const piece = random.oneOf(pieces).repeat(random.oneOf([1, 1, 2, 2000]))
      return Buffer.concat([
        changed.subarray(0, at),
        Buffer.from(piece),
        changed.subarray(at + random.below(9)),
      ])
    }
  }
}
