/** A GNSS receiver on a vehicle that goes round a block: GGA and RMC at each second of this machine's clock. */
import type { DevicePort } from './device-port.ts'
import type { Spoil } from './spoil.ts'

interface GnssReceiver extends Disposable {
  spoil(how: Spoil | null): void
}

interface GnssSurroundings {
  /** Milliseconds since 1970. */
  now(): number
  random(): number
  /** Every second if not given. */
  readonly everyMs?: number
}

export function gnssReceiver(
  port: DevicePort,
  { now, random, everyMs = 1000 }: GnssSurroundings,
): GnssReceiver {
  let spoil: Spoil | null = null
  let timer: NodeJS.Timeout
  const startMs = now()
  const beat = () => {
    // At the whole second, as a receiver does; the clock may have been set in between.
    timer = setTimeout(
      () => {
        const atMs = Math.round(now() / everyMs) * everyMs
        for (const sentence of epochAt(atMs, atMs - startMs, random())) {
          const bytes = Uint8Array.from(Buffer.from(sentence, 'latin1'))
          port.say(spoil ? spoil(bytes) : bytes)
        }
        beat()
      },
      everyMs - (now() % everyMs),
    )
  }
  beat()
  return {
    spoil: (how) => {
      spoil = how
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  }
}

/** Another checksum than the one that belongs to the sentence. */
export const badChecksum: Spoil = (sentence) =>
  sentence.with(-3, sentence.at(-3) === 0x30 ? 0x31 : 0x30)

function epochAt(atMs: number, drivenMs: number, chance: number): readonly string[] {
  const iso = new Date(atMs).toISOString()
  const time = iso.slice(11, 23).replaceAll(':', '').slice(0, 9)
  const date = iso.slice(8, 10) + iso.slice(5, 7) + iso.slice(2, 4)
  const { north, east, course } = placeAfter(drivenMs)
  const place = `${angle(north, 2)},N,${angle(east, 3)},E`
  const satellites = String(9 + Math.floor(chance * 3)).padStart(2, '0')
  const metres = (11 + chance * 2).toFixed(1)
  return [
    sentence(
      `GNGGA,${time},${place},1,${satellites},0.9${Math.floor(chance * 9)},${metres},M,8.1,M,,`,
    ),
    sentence(`GNRMC,${time},A,${place},${speedKnots},${course.toFixed(1)},${date},,,A`),
  ]
}

const metresPerSecond = 11
const speedKnots = (metresPerSecond * 1.943_844).toFixed(1)

/** Corners of the block in degrees; the last leads back to the first. */
const corners: readonly (readonly [north: number, east: number])[] = [
  [31.3371, 121.5862],
  [31.3398, 121.5931],
  [31.3352, 121.5969],
  [31.3329, 121.5897],
]
const metresPerDegree = 111_320

function placeAfter(drivenMs: number) {
  const legs = corners.map(([north, east], i) => {
    const [toNorth, toEast] = corners[(i + 1) % corners.length] as readonly [number, number]
    const up = (toNorth - north) * metresPerDegree
    const right = (toEast - east) * metresPerDegree * Math.cos((north * Math.PI) / 180)
    const course = ((Math.atan2(right, up) * 180) / Math.PI + 360) % 360
    return { north, east, toNorth, toEast, course, metres: Math.hypot(up, right) }
  })
  let left =
    ((drivenMs / 1000) * metresPerSecond) % legs.reduce((all, { metres }) => all + metres, 0)
  for (const { north, east, toNorth, toEast, course, metres } of legs) {
    if (left <= metres) {
      const part = left / metres
      return {
        north: north + (toNorth - north) * part,
        east: east + (toEast - east) * part,
        course,
      }
    }
    left -= metres
  }
  return { north: corners[0]?.[0] ?? 0, east: corners[0]?.[1] ?? 0, course: 0 }
}

/** Whole degrees and minutes with four decimals, without a separator. */
function angle(degrees: number, digits: number): string {
  // In ten-thousandths of a minute, so that no 60.0000 minutes come out.
  const units = Math.round(degrees * 600_000)
  const whole = Math.floor(units / 600_000)
  const minutes = ((units % 600_000) / 10_000).toFixed(4)
  return String(whole).padStart(digits, '0') + minutes.padStart(7, '0')
}

function sentence(body: string): string {
  let check = 0
  for (let i = 0; i < body.length; i++) check ^= body.charCodeAt(i)
  return `$${body}*${(check + 256).toString(16).slice(1).toUpperCase()}\r\n`
}
