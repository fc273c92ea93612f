import { KedgeError } from '../../anchor-client/evidence/errors.ts'

export interface ListenAddress {
  readonly host: string
  readonly port: number
  /** Nobody but this machine can reach it. */
  readonly isLoopback: boolean
}

/** `127.0.0.1:8471`, `[::]:8471`, `witness.example:8471`, as typed after `--listen`. */
export function parseListen(text: string): ListenAddress {
  const [, bracketed, plain, digits] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(text) ?? []
  const host = bracketed ?? plain
  const port = Number(digits)
  if (host === undefined || port > 65_535) {
    throw new KedgeError('USAGE', `--listen ${text} is no address and port`, {
      hint: 'such as 127.0.0.1:8471, or 0.0.0.0:8471 with --tls-key and --tls-cert',
    })
  }
  const isLoopback = host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
  return { host, port, isLoopback }
}
