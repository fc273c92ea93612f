/** What drivers read, as `kedge decode` prints it: plain numbers, null for what was not said. */
import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import type { Decimal } from '../../anchor-client/evidence/model.ts'
import { decimalText } from '../../anchor-client/evidence/show.ts'
import { parseScratchpad, parseW1Slave } from '../../drivers/cold-ds18b20.ts'
import { decodeEpc, describeEpc } from '../../drivers/epc.ts'
import { parseEpcUri } from '../../drivers/epc-forms.ts'
import { decodeSentence, type Sentence } from '../../drivers/nmea.ts'
import type { Position, Utc } from '../../drivers/nmea-fields.ts'

export type Said = Readonly<Record<string, unknown>>

export function decodeW1(text: string): Said {
  const { celsius, quality } = text.includes('crc=')
    ? parseW1Slave(text.trimStart())
    : parseScratchpad(bytesOf(text))
  const [word = 'good', reason = null] = quality?.split(': ') ?? []
  return { celsius: numberOf(celsius), quality: word, reason }
}

function bytesOf(text: string): Uint8Array {
  const hex = text.replace(/\s+/g, '')
  if (!/^([0-9a-f]{2})+$/i.test(hex)) throw new KedgeError('SENSOR_GARBLED', 'not hexadecimal')
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}

export function decodeNmea(text: string): Said {
  const { talker, name, ...sentence } = decodeSentence(text.trim())
  return { talker, sentence: name, ...fieldsOf(sentence as Sentence) }
}

function fieldsOf(sentence: Sentence): Said {
  switch (sentence.type) {
    case 'RMC':
      return {
        valid: sentence.isValid,
        utc: utcOf(sentence.utc),
        ...placeOf(sentence.position),
        speedKn: numberOf(sentence.speedKnots),
        courseDeg: numberOf(sentence.courseDegrees),
        mode: sentence.mode,
      }
    case 'GGA':
      return {
        time: sentence.time,
        ...placeOf(sentence.position),
        fix: sentence.fix,
        sats: sentence.satellites,
        hdop: numberOf(sentence.hdop),
        altM: numberOf(sentence.altitudeMetres),
      }
    case 'GLL':
      return { valid: sentence.isValid, time: sentence.time, ...placeOf(sentence.position) }
    case 'ZDA':
      return { utc: utcOf(sentence.utc) }
    case 'other':
      return { fields: sentence.fields }
  }
}

const utcOf = (utc: Utc | null): string | null => utc?.text ?? null

const placeOf = (position: Position | null) => ({
  lat: numberOf(position?.lat),
  lon: numberOf(position?.lon),
})

export const numberOf = (decimal: Decimal | null | undefined): number | null =>
  decimal ? Number(decimalText(decimal)) : null

export const decodeEpcText = (text: string): Said => {
  const epc = text.trim()
  return describeEpc(/^urn:/i.test(epc) ? parseEpcUri(epc) : decodeEpc(epc.replace(/\s+/g, '')))
}
