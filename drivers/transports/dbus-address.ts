/** Where a bus listens, by the address that its specification gives it. */
import { KedgeError } from '../../anchor-client/evidence/errors.ts'

export const standardAddress = 'unix:path=/run/dbus/system_bus_socket'

/** The first of the addresses, which are separated by semicolons, that is a socket of this computer. */
export function socketPath(addresses: string): string {
  for (const address of addresses.split(';')) {
    const [, kind, escaped] = /^unix:(?:[^,]*,)*(path|abstract)=([^,]+)/.exec(address) ?? []
    if (kind === undefined || escaped === undefined) continue
    const path = unescaped(escaped)
    if (path !== null) return kind === 'abstract' ? `\0${path}` : path
  }
  throw new KedgeError(
    'SENSOR_ABSENT',
    'the address of the D-Bus names no socket of this computer',
    {
      hint: 'Write it as unix:path=/run/dbus/system_bus_socket.',
    },
  )
}

function unescaped(text: string): string | null {
  try {
    const path = decodeURIComponent(text)
    return path.includes('\0') ? null : path
  } catch {
    return null
  }
}

/** For a person: an abstract name begins with a zero. */
export const named = (path: string) => path.replace('\0', '@')
