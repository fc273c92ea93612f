/** Messages of the Firmata protocol in what a board says: only what is whole and known goes further. */

/** The first byte names it, or the second one of a system message. */
interface FirmataMessage {
  readonly what: 'version' | 'analog' | 'digital' | 'firmware' | 'capabilities' | 'mapping'
  readonly bytes: Uint8Array
}

type FirmataSaid =
  | FirmataMessage
  | { readonly what: 'fault'; readonly reason: string; readonly bytes: Uint8Array }

export const sysexStart = 0xf0
export const sysexEnd = 0xf7
export const reportVersion = 0xf9
export const queryFirmware = 0x79
export const systemReset = 0xff

/** What a board with 128 pins and ten modes for each says of itself is shorter. */
const mostBytes = 4096
/** Noise is told in pieces of at most so many bytes. */
const mostNoise = 64

/** Takes what arrives, in whatever pieces, and gives the messages in it. */
export function firmataFrames(): (chunk: Uint8Array) => readonly FirmataSaid[] {
  let rest: number[] = []
  let noise: number[] = []

  return (chunk) => {
    const said: FirmataSaid[] = []
    const tellNoise = () => {
      if (noise.length > 0) said.push(fault('no Firmata message: noise', noise))
      noise = []
    }
    const give = (one: FirmataSaid | null) => {
      tellNoise()
      if (one !== null) said.push(one)
      rest = []
    }
    for (const byte of chunk) {
      const isCommand = byte >= 0x80 && !(byte === sysexEnd && rest[0] === sysexStart)
      if (isCommand) {
        if (rest.length > 0) give(fault('half a Firmata message', rest))
        if (isStart(byte)) rest = [byte]
        else noise.push(byte)
      } else if (rest.length === 0) {
        noise.push(byte)
      } else {
        rest.push(byte)
        if (rest[0] === sysexStart) {
          if (byte === sysexEnd) give(systemMessage(rest))
          else if (rest.length >= mostBytes) give(fault('a Firmata message without an end', rest))
        } else if (rest.length === 3) {
          give(shortMessage(rest))
        }
      }
      if (noise.length >= mostNoise) tellNoise()
    }
    if (rest.length === 0) tellNoise()
    return said
  }
}

const isStart = (byte: number) =>
  byte === sysexStart || byte === reportVersion || (byte & 0xf0) === 0xe0 || (byte & 0xf0) === 0x90

function shortMessage(bytes: readonly number[]): FirmataSaid {
  const [first = 0] = bytes
  const what = first === reportVersion ? 'version' : (first & 0xf0) === 0xe0 ? 'analog' : 'digital'
  return { what, bytes: Uint8Array.from(bytes) }
}

function systemMessage(bytes: readonly number[]): FirmataSaid | null {
  const message = Uint8Array.from(bytes)
  const body = message.subarray(2, -1)
  switch (message[1]) {
    case queryFirmware:
      // Two numbers of the version, then the name in pairs.
      if (body.length < 2 || body.length % 2 !== 0) return fault('half a name of a firmware', bytes)
      return { what: 'firmware', bytes: message }
    case 0x6c: {
      const reason = faultIn(body)
      return reason === null ? { what: 'capabilities', bytes: message } : fault(reason, bytes)
    }
    case 0x6a:
      if (body.length === 0 || body.length > 128) return fault('no map of analog pins', bytes)
      return { what: 'mapping', bytes: message }
    default:
      // Texts and the answers of other features: right, and of no use here.
      return message.length > 2 ? null : fault('an empty Firmata message', bytes)
  }
}

/** For each pin pairs of a mode and its bits, then 127. */
function faultIn(body: Uint8Array): string | null {
  let pins = 0
  let inPin = 0
  for (const byte of body) {
    if (inPin % 2 === 0 && byte === 0x7f) {
      pins++
      inPin = 0
    } else {
      if (inPin % 2 === 1 && byte > 32) return 'a pin with more than 32 bits'
      inPin++
    }
  }
  return inPin > 0 || pins === 0 || pins > 128 ? 'no list of what pins can do' : null
}

const fault = (reason: string, bytes: readonly number[]): FirmataSaid => ({
  what: 'fault',
  reason,
  bytes: Uint8Array.from(bytes.slice(0, mostNoise)),
})
