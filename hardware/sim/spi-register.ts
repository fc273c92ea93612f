/** A chip on SPI with 64 registers, addressed as many are: a bit for reading, then the register, then the byte. */
import type { SpiChip } from './bus-server.ts'

interface RegisterChip extends SpiChip {
  readonly memory: Uint8Array
  readonly mode: number
  readonly speedHz: number
}

export function registerChip(): RegisterChip {
  const memory = new Uint8Array(64)
  let [mode, speedHz] = [0, 0]
  return {
    memory,
    get mode() {
      return mode
    },
    get speedHz() {
      return speedHz
    },
    heard: (...now) => {
      ;[mode, speedHz] = now
    },
    exchange(sent) {
      const [address = 0] = sent
      const register = (address >> 1) & 63
      const said = new Uint8Array(sent.length)
      if (address & 0x80) {
        // Each further byte names the next register to read; the answer comes a byte later.
        for (let i = 1; i < sent.length; i++) said[i] = memory[((sent[i - 1] ?? 0) >> 1) & 63] ?? 0
      } else {
        for (const byte of sent.subarray(1)) memory[register] = byte
      }
      return said
    },
  }
}
