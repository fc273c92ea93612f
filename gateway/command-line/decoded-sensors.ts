/** What sensors on I²C, Modbus and in advertisements say, as `kedge decode` prints it. */
import { bytesToHex } from '../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { parseTrimming, parseWeather } from '../../drivers/bme280.ts'
import { type BthomeObject, parseBthome } from '../../drivers/bthome.ts'
import { nodeCcm } from '../../drivers/bthome-ccm.ts'
import { explainPdu, meaningOf } from '../../drivers/modbus.ts'
import { parseRtu, parseTcp } from '../../drivers/modbus-frames.ts'
import { parsePvvx } from '../../drivers/pvvx.ts'
import { parseRuuvi } from '../../drivers/ruuvi.ts'
import { parseSht, shtModels } from '../../drivers/sht.ts'
import { numberOf, type Said } from './decoded.ts'

/** Reads an option of the verb by its name. */
export type Asked = (option: string) => string | undefined

/** At most 4 KiB: no frame of these devices is longer than 260 bytes. */
function bytesIn(text: string): Uint8Array {
  const hex = text.replace(/\s+/g, '').replace(/^0x/i, '')
  if (hex.length > 8192 || !/^([0-9a-f]{2})+$/i.test(hex)) {
    throw new KedgeError('SENSOR_GARBLED', 'not hexadecimal')
  }
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}

export function decodeSht(text: string, asked: Asked): Said {
  const model = shtModels.find((one) => one === asked('model'))
  if (model === undefined) {
    throw new KedgeError('USAGE', `decode sht needs --model ${shtModels.join('|')}`, {
      hint: 'The two give the same bytes another humidity.',
    })
  }
  const { celsius, humidity, unclipped } = parseSht(model, bytesIn(text))
  return {
    t: numberOf(celsius),
    rh: numberOf(humidity),
    ...(unclipped && { unclipped: numberOf(unclipped) }),
  }
}

export function decodeBme280(text: string, asked: Asked): Said {
  const calibration = asked('calibration')
  if (calibration === undefined) {
    throw new KedgeError('USAGE', 'decode bme280 needs --calibration HEX', {
      hint: 'registers 88 to A1 and then E1 to E7 of this very chip: 33 bytes',
    })
  }
  const weather = parseWeather(parseTrimming(bytesIn(calibration)), bytesIn(text))
  return {
    t: numberOf(weather.celsius),
    pPa: numberOf(weather.pascal),
    rh: numberOf(weather.humidity),
    tFine: weather.tFine,
    ...(weather.isClipped && { clipped: true }),
  }
}

export function decodeModbus(text: string): Said {
  const bytes = bytesIn(text)
  const { pdu, ...frame } = frameIn(bytes)
  const { rest, exception, ...said } = explainPdu(pdu)
  return {
    ...frame,
    ...said,
    ...(exception && { exception, meaning: meaningOf(exception) }),
    ...(rest && { rest: bytesToHex(rest) }),
  }
}

/** A checksum is harder to meet by chance than a header, which only tells the two apart. */
function frameIn(bytes: Uint8Array) {
  try {
    return parseRtu(bytes)
  } catch (error) {
    const isTcp = bytes.length >= 8 && bytes[2] === 0 && bytes[3] === 0 && bytes[4] === 0
    if (!(error instanceof KedgeError) || !isTcp || bytes[5] !== bytes.length - 6) throw error
    return parseTcp(bytes)
  }
}

export function decodeRuuvi(text: string): Said {
  const said = parseRuuvi(bytesIn(text))
  const [ax, ay, az] = said.acceleration
  return {
    t: numberOf(said.celsius),
    rh: numberOf(said.humidity),
    pPa: numberOf(said.pascal),
    ax: numberOf(ax),
    ay: numberOf(ay),
    az: numberOf(az),
    txDbm: said.txDbm,
    battV: numberOf(said.batteryVolt),
    movement: said.movements,
    seq: said.sequence,
    mac: said.mac,
  }
}

export function decodePvvx(text: string): Said {
  const said = parsePvvx(bytesIn(text))
  return {
    t: numberOf(said.celsius),
    rh: numberOf(said.humidity),
    battMv: said.batteryMilliVolt,
    batt: said.batteryPercent,
    counter: said.counter,
    mac: said.mac,
  }
}

export async function decodeBthome(text: string, asked: Asked): Promise<Said> {
  const [key, mac] = [asked('key'), asked('mac')]
  if (key !== undefined && !/^[0-9a-f]{32}$/i.test(key)) {
    throw new KedgeError('USAGE', '--key needs 32 hexadecimal digits')
  }
  const address = mac?.replace(
    /^([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i,
    '$1:$2:$3:$4:$5:$6',
  )
  if (address !== undefined && !/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(address)) {
    throw new KedgeError('USAGE', '--mac needs an address such as AA:BB:CC:DD:EE:FF')
  }
  const said = parseBthome(bytesIn(text), {
    mac: address,
    ...(key !== undefined && { key: bytesIn(key), ccm: await nodeCcm() }),
  })
  return {
    ...(said.mac !== null && { mac: said.mac }),
    ...(said.counter !== null && { counter: said.counter }),
    ...(said.isTriggered && { triggered: true }),
    ...byName(said.objects),
    ...(said.unread.length > 0 && { unread: bytesToHex(said.unread) }),
  }
}

/** What is said once as it is, what is said several times as a list. */
function byName(objects: readonly BthomeObject[]): Said {
  const lists = new Map<string, unknown[]>()
  for (const { name, value } of objects) {
    lists.set(name, [...(lists.get(name) ?? []), shown(value)])
  }
  return Object.fromEntries(
    Array.from(lists, ([name, list]) => [name, list.length === 1 ? list[0] : list]),
  )
}

function shown(value: BthomeObject['value']): unknown {
  if (value instanceof Uint8Array) return bytesToHex(value)
  return Array.isArray(value) ? numberOf(value as unknown as readonly [number, number]) : value
}
