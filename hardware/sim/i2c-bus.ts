/** An I²C bus that does not exist, with the calls of the package i2c-bus and the errors of the kernel. */

/** What a chip does with the bytes of a transfer; without an acknowledgement it gives false or null. */
export interface I2cChip {
  write(bytes: Uint8Array): boolean
  read(length: number): Uint8Array | null
}

interface I2cBus {
  openPromisified(bus: number): Promise<{
    i2cWrite(address: number, length: number, buffer: Buffer): Promise<unknown>
    i2cRead(address: number, length: number, buffer: Buffer): Promise<unknown>
    close(): Promise<void>
  }>
  /** How often it is open. */
  opened(): number
  /** The whole bus is gone, as when a USB adapter is drawn. */
  unplug(): void
  replug(): void
}

export function i2cBus(chips: Readonly<Record<number, I2cChip>>): I2cBus {
  let opened = 0
  let isThere = true
  const fails = (code: string) => Object.assign(new Error(`${code}, transfer failed`), { code })
  const chipAt = (address: number): I2cChip => {
    if (!isThere) throw fails('ENOENT')
    const chip = chips[address]
    if (chip === undefined) throw fails('EREMOTEIO')
    return chip
  }
  return {
    // As the package has it: a bus that is not there is noticed at the first transfer.
    async openPromisified() {
      opened++
      let isOpen = true
      const usable = () => {
        if (!isOpen) throw fails('EBADF')
      }
      return {
        async i2cWrite(address, length, buffer) {
          usable()
          if (!chipAt(address).write(Uint8Array.from(buffer.subarray(0, length))))
            throw fails('EREMOTEIO')
        },
        async i2cRead(address, length, buffer) {
          usable()
          const said = chipAt(address).read(length)
          if (said === null) throw fails('EREMOTEIO')
          buffer.set(said.subarray(0, length))
        },
        async close() {
          usable()
          isOpen = false
          opened--
        },
      }
    },
    opened: () => opened,
    unplug: () => {
      isThere = false
    },
    replug: () => {
      isThere = true
    },
  }
}
