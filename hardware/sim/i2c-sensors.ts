/** An SHT3x or SHT4x and a BME280 as the bus sees them: commands in, bytes out, deaf while they measure. */
import type { I2cChip } from './i2c-bus.ts'
import type { Spoil } from './spoil.ts'

export interface SimulatedChip extends I2cChip {
  /** What is measured arrives otherwise; null for no fault. */
  spoil(how: Spoil | null): void
  /** It acknowledges nothing any more, or does again. */
  deafen(isDeaf: boolean): void
}

/** Words as the sensor gives them, so that a test says what the bus carries. */
interface ShtState {
  readonly model: 'sht3x' | 'sht4x'
  words: readonly [temperature: number, humidity: number]
  readonly serial: readonly [high: number, low: number]
}

const busyMs = 8

export function shtChip(state: ShtState): SimulatedChip {
  const named =
    state.model === 'sht4x'
      ? { fd: 'measure', '89': 'serial' }
      : { '2400': 'measure', '3780': 'serial' }
  const commands = new Map(Object.entries(named))
  let [isDeaf, readyMs] = [false, 0]
  let answer: Uint8Array | null = null
  let spoil: Spoil | null = null
  return {
    write(bytes) {
      const command = commands.get(Buffer.from(bytes).toString('hex'))
      if (isDeaf || performance.now() < readyMs || command === undefined) return false
      const isMeasured = command === 'measure'
      const said = (isMeasured ? state.words : state.serial).flatMap(withCheck)
      answer = Uint8Array.from(said)
      if (isMeasured) readyMs = performance.now() + busyMs
      return true
    },
    read() {
      if (isDeaf || answer === null || performance.now() < readyMs) return null
      const said = spoil ? spoil(answer) : answer
      answer = null
      return said
    },
    spoil: (how) => {
      spoil = how
    },
    deafen: (now) => {
      isDeaf = now
    },
  }
}

/** The last bit of the last checksum fell over. */
export const badCheck: Spoil = (said) => said.with(-1, (said.at(-1) ?? 0) ^ 1)

/** The two bytes of a word, and their remainder when they are divided by x⁸ + x⁵ + x⁴ + 1. */
function withCheck(word: number): readonly number[] {
  // It begins from all ones, which stand above the first eight bits.
  let rest = (word * 256) ^ 0xff0000
  for (let bit = 23; bit >= 8; bit--) if (rest & (1 << bit)) rest ^= 0x131 << (bit - 8)
  return [word >> 8, word & 0xff, rest]
}

interface Bme280State {
  /** Registers 88 to A1 and E1 to E7. */
  trimming: Uint8Array
  /** Registers F7 to FE after a measurement. */
  measured: Uint8Array
  readonly id?: number
}

export function bme280Chip(state: Bme280State): SimulatedChip {
  const memory = new Uint8Array(256)
  memory[0xd0] = state.id ?? 0x60
  // Until it has measured it says that it skipped everything.
  memory.set([0x80, 0, 0, 0x80, 0, 0, 0x80, 0], 0xf7)
  let [pointer, isDeaf, wantsHumidity, readyMs] = [0, false, false, 0]
  let spoil: Spoil | null = null
  return {
    write([register = 0, value]) {
      if (isDeaf) return false
      pointer = register
      if (value === undefined) return true
      memory[register] = value
      if (register === 0xf4 && (value & 3) !== 0) {
        wantsHumidity = ((memory[0xf2] ?? 0) & 7) !== 0
        readyMs = performance.now() + busyMs
      }
      return true
    },
    read(length) {
      if (isDeaf) return null
      if (readyMs > 0 && performance.now() >= readyMs) {
        readyMs = 0
        memory.set(state.measured.subarray(0, wantsHumidity ? 8 : 6), 0xf7)
      }
      memory[0xf3] = readyMs > 0 ? 8 : 0
      memory.set(state.trimming.subarray(0, 26), 0x88)
      memory.set(state.trimming.subarray(26), 0xe1)
      const said = memory.slice(pointer, pointer + length)
      return spoil && pointer === 0xf7 ? spoil(said) : said
    },
    spoil: (how) => {
      spoil = how
    },
    deafen: (now) => {
      isDeaf = now
    },
  }
}
