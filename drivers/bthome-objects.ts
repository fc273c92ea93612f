/** Objects of BTHome v2 by their number: what each is called here, and how its bytes are read. */

export interface ObjectForm {
  readonly name: string
  /** Bytes, least significant first; 0 where a byte of their own says how many. */
  readonly length: number
  readonly form: 'unsigned' | 'signed' | 'switch' | 'text' | 'bytes'
  readonly factor: number
  readonly exponent: number
}

type Row = readonly [id: number, name: string, length: number, factor?: number, exponent?: number]

const unsigned: readonly Row[] = [
  [0x00, 'packetId', 1],
  [0x01, 'battery', 1],
  [0x03, 'rh', 2, 1, -2],
  [0x04, 'pHpa', 3, 1, -2],
  [0x05, 'lux', 3, 1, -2],
  [0x06, 'massKg', 2, 1, -2],
  [0x07, 'massLb', 2, 1, -2],
  [0x09, 'count', 1],
  [0x0a, 'energyKwh', 3, 1, -3],
  [0x0b, 'powerW', 3, 1, -2],
  [0x0c, 'voltV', 2, 1, -3],
  [0x0d, 'pm25UgM3', 2],
  [0x0e, 'pm10UgM3', 2],
  [0x12, 'co2Ppm', 2],
  [0x13, 'tvocUgM3', 2],
  [0x14, 'moisture', 2, 1, -2],
  [0x2e, 'rh', 1],
  [0x2f, 'moisture', 1],
  [0x3a, 'button', 1],
  // The event in the low byte, its steps in the high one.
  [0x3c, 'dimmer', 2],
  [0x3d, 'count', 2],
  [0x3e, 'count', 4],
  [0x40, 'distanceMm', 2],
  [0x41, 'distanceM', 2, 1, -1],
  [0x42, 'durationS', 3, 1, -3],
  [0x43, 'currentA', 2, 1, -3],
  [0x44, 'speedMS', 2, 1, -2],
  [0x46, 'uvIndex', 1, 1, -1],
  [0x47, 'volumeL', 2, 1, -1],
  [0x48, 'volumeMl', 2],
  [0x49, 'flowM3H', 2, 1, -3],
  [0x4a, 'voltV', 2, 1, -1],
  [0x4b, 'gasM3', 3, 1, -3],
  [0x4c, 'gasM3', 4, 1, -3],
  [0x4d, 'energyKwh', 4, 1, -3],
  [0x4e, 'volumeL', 4, 1, -3],
  [0x4f, 'waterL', 4, 1, -3],
  [0x50, 'unixS', 4],
  [0x51, 'accelerationMS2', 2, 1, -3],
  [0x52, 'gyroscopeDegS', 2, 1, -3],
  [0x55, 'storedL', 4, 1, -3],
  [0x56, 'conductivityUsCm', 2],
  [0x5e, 'directionDeg', 2, 1, -2],
  [0x5f, 'precipitationMm', 2, 1, -1],
  [0x60, 'channel', 1],
  [0x61, 'rpm', 2],
  [0x64, 'lightLevel', 1],
  [0xf0, 'deviceType', 2],
  [0xf1, 'firmware', 4],
  [0xf2, 'firmware', 3],
]

const signed: readonly Row[] = [
  [0x02, 't', 2, 1, -2],
  [0x08, 'dewPoint', 2, 1, -2],
  [0x3f, 'rotationDeg', 2, 1, -1],
  [0x45, 't', 2, 1, -1],
  [0x57, 't', 1],
  [0x58, 't', 1, 35, -2],
  [0x59, 'count', 1],
  [0x5a, 'count', 2],
  [0x5b, 'count', 4],
  [0x5c, 'powerW', 4, 1, -2],
  [0x5d, 'currentA', 2, 1, -3],
  [0x62, 'speedMS', 4, 1, -6],
  [0x63, 'accelerationMS2', 4, 1, -6],
]

/** Each row goes on number by number; a name says what 1 means. */
const switches: readonly (readonly [from: number, ...names: string[]])[] = [
  [0x0f, 'on', 'power', 'open'],
  [0x15, 'batteryLow', 'charging', 'carbonMonoxide', 'cold', 'connected', 'door', 'garageDoor'],
  [0x1c, 'gas', 'heat', 'light', 'unlocked', 'wet', 'motion', 'moving', 'occupied', 'plugged'],
  [0x25, 'present', 'problem', 'running', 'safe', 'smoke', 'sound', 'tampered', 'vibration'],
  [0x2d, 'window'],
]

const numbers = (form: ObjectForm['form'], rows: readonly Row[]) =>
  rows.map(([id, name, length, factor = 1, exponent = 0]) => {
    return [id, { name, length, form, factor, exponent }] as const
  })

export const bthomeObjects: ReadonlyMap<number, ObjectForm> = new Map<number, ObjectForm>([
  ...numbers('unsigned', unsigned),
  ...numbers('signed', signed),
  ...switches.flatMap(([from, ...names]) =>
    numbers(
      'switch',
      names.map((name, i) => [from + i, name, 1] as const),
    ),
  ),
  ...numbers('text', [[0x53, 'text', 0]]),
  ...numbers('bytes', [[0x54, 'raw', 0]]),
])
