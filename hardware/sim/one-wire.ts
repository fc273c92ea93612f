/** The folder of a 1-Wire bus as the Linux kernel shows it, with one DS18B20 in a fridge. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/** The thermometer of the demo's fridge. */
export const fridgeAddress = '28-0316a2794fff'

interface OneWireSensor extends Disposable {
  /** What stands in the file instead; null for no fault. */
  spoil(how: ((text: string) => string) | null): void
  /** The kernel takes the sensor's folder away. */
  unplug(): void
  replug(): void
}

interface OneWireSurroundings {
  readonly bus: string
  readonly address: string
  readonly everyMs: number
  celsius(): number
  /** Told when the file can no longer be written. */
  onFault(what: string): void
}

/** The first value is there when this returns. */
export function oneWireSensor(surroundings: OneWireSurroundings): OneWireSensor {
  const { bus, address, everyMs, celsius, onFault } = surroundings
  const folder = `${bus}/${address}`
  let spoil: ((text: string) => string) | null = null
  let isPlugged = true
  let isFaulty = false
  const show = () => {
    if (!isPlugged) return
    // Each time: an earlier run that is just ending may take the folder away.
    mkdirSync(folder, { recursive: true })
    const text = fileOf(celsius())
    // In one step: a reader must never see half of it.
    writeFileSync(`${folder}/.next`, spoil ? spoil(text) : text)
    renameSync(`${folder}/.next`, `${folder}/w1_slave`)
  }
  const plug = () => {
    isPlugged = true
    show()
  }
  plug()
  const timer = setInterval(() => {
    try {
      show()
      isFaulty = false
    } catch (error) {
      if (!isFaulty) onFault(`the 1-Wire folder cannot be written: ${(error as Error).message}`)
      isFaulty = true
    }
  }, everyMs)
  const unplug = () => {
    isPlugged = false
    takeSensor(bus, address)
  }
  return {
    spoil: (how) => {
      spoil = how
      show()
    },
    unplug,
    replug: plug,
    [Symbol.dispose]: () => {
      clearInterval(timer)
      // A file that nobody writes any more would be read as a temperature for ever.
      unplug()
    },
  }
}

/** Takes a sensor's folder away, unless another one is just writing there. */
export function takeSensor(bus: string, address: string): void {
  try {
    rmSync(`${bus}/${address}`, { recursive: true, force: true })
  } catch {
    // The other one's, then.
  }
}

/** The sensor's answer was disturbed, and the kernel says so. */
export const crcNo = (text: string): string => text.replace('YES', 'NO')

/** One bit of the temperature fell over, and the kernel did not see it. */
export const flippedBit = (text: string): string =>
  text.replace(/^./, (digit) => (Number.parseInt(digit, 16) ^ 1).toString(16))

/** Nine bytes of a sensor set to 12 bits, and the kernel's two lines about them. */
export function fileOf(celsius: number): string {
  const sixteenths = Math.round(celsius * 16)
  const low = sixteenths & 0xff
  const bytes = [low, (sixteenths >> 8) & 0xff, 0x4b, 0x46, 0x7f, 0xff, 16 - (low & 15), 0x10]
  const check = maximCrc(bytes)
  const hex = (byte: number) => (byte + 256).toString(16).slice(1)
  const shown = [...bytes, check].map(hex).join(' ')
  const thousandths = Math.trunc((sixteenths * 1000) / 16)
  return `${shown} : crc=${hex(check)} YES\n${shown} t=${thousandths}\n`
}

/** CRC-8 of 1-Wire, bit by bit as the data sheet draws its shift register. */
function maximCrc(bytes: readonly number[]): number {
  let register = 0
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit++) {
      const feedback = (register ^ (byte >> bit)) & 1
      register = (register >> 1) ^ (feedback * 0b10001100)
    }
  }
  return register
}
