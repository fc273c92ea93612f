import { z } from 'zod'
import { openSerial, type SerialOptions } from './serial.ts'
import { openTcp } from './tcp.ts'
import type { Wire } from './wire.ts'

/** Options of a driver whose device hangs on a serial line or behind a TCP socket. */
export const wireOptions = ({ baudRate, silentMs }: { baudRate: number; silentMs: number }) => ({
  port: z
    .string()
    .refine((port) => /^\/[^\0\r\n]+$/.test(port) || isTcp(port), 'a path or tcp://host:port')
    .describe('Serial port, such as /dev/serial/by-id/…, or tcp://host:port'),
  baudRate: z.int().min(300).max(4_000_000).default(baudRate).describe('Speed of a serial port'),
  silentMs: z
    .int()
    .min(100)
    .max(3_600_000)
    .default(silentMs)
    .describe('A device that says nothing for so long counts as gone'),
})

/** Opens what `port` names. */
export const openWire = (port: string, options: SerialOptions): Promise<Wire> =>
  isTcp(port) ? openTcp(port, options) : openSerial(port, options)

const isTcp = (port: string): boolean =>
  /^tcp:\/\/(\[[0-9a-f:]+\]|[\w.-]+):[1-9]\d{0,4}$/.test(port) && URL.canParse(port)
