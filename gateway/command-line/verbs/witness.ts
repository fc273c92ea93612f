import { KedgeError } from '../../../anchor-client/evidence/errors.ts'
import type { SecretReference } from '../../keys/secret.ts'
import { readTls } from '../../witness/http-server.ts'
import { parseListen } from '../../witness/listen-address.ts'
import { runWitness, type WitnessEvent } from '../../witness/run-witness.ts'
import type { Arguments, OptionTable } from '../arguments.ts'
import type { Command } from '../command.ts'
import { typedPath } from '../paths.ts'
import { jsonLine, printable, type Terminal } from '../terminal.ts'
import { noOperands } from './asking.ts'
import { stopSignal } from './running.ts'

/** Where the passphrase of a witness's key lies: as `keys.secret` of a gateway, but it has no configuration. */
export const secretOptions: OptionTable = {
  'secret-file': { value: 'FILE', means: "file that holds the passphrase of the witness's key" },
  'secret-env': { value: 'NAME', means: 'environment variable that holds it' },
  'secret-credential': { value: 'NAME', means: 'systemd credential that holds it' },
}

export function secretOf(args: Arguments): SecretReference | undefined {
  const [file, env, credential] = ['file', 'env', 'credential'].map((kind) =>
    args.text(`secret-${kind}`),
  )
  const given = [file, env, credential].filter((one) => one !== undefined)
  if (given.length === 0) return undefined
  if (given.length === 1) return { file: file && typedPath(file), env, credential }
  throw new KedgeError('USAGE', 'the secret lies in one place: file, environment or credential')
}

/** A witness has no usual folder: what it must never be is the gateway's one. */
export function witnessFolderOf(args: Arguments, usage: string): string {
  const folder = args.text('data')
  if (folder !== undefined) return typedPath(folder)
  throw new KedgeError('USAGE', "--data DIR is wanted: the witness's own folder", { hint: usage })
}

const usage = '--listen ADDRESS --data DIR'

export const witness: Command = {
  summary: 'Keep the heads of gateways that others run: an independent anchor without a chain',
  usage,
  options: {
    listen: { value: 'HOST:PORT', means: 'where gateways connect; but for 127.0.0.1 it needs TLS' },
    'tls-key': { value: 'FILE', means: 'private key of the TLS certificate (PEM)' },
    'tls-cert': { value: 'FILE', means: 'TLS certificate and those that it comes from (PEM)' },
    ...secretOptions,
  },
  notes: [
    'It takes only extensions of what each registered gateway anchored before, and signs what it\n' +
      'took with a key of its own, made at its first start. Gateways are registered with\n' +
      'kedge enrol approve FILE --data DIR, on this machine alone.',
    'SIGINT, SIGTERM and SIGHUP stop it cleanly. Exit: 75 when another process holds DIR.',
  ],

  async run(args, terminal) {
    noOperands(args, 'witness')
    const listen = args.text('listen')
    if (listen === undefined) {
      throw new KedgeError('USAGE', 'where to listen? --listen HOST:PORT is wanted', {
        hint: `kedge witness ${usage}`,
      })
    }
    const run = {
      folder: witnessFolderOf(args, `kedge witness ${usage}`),
      listen: parseListen(listen),
      secret: secretOf(args),
      tls: await tlsOf(args),
      onEvent: (event: WitnessEvent) => {
        void terminal.print(terminal.json ? jsonLine(event) : inWords(event, terminal))
      },
    }
    await runWitness(run, stopSignal())
    return 0
  },
}

async function tlsOf(args: Arguments) {
  const [key, cert] = [args.text('tls-key'), args.text('tls-cert')]
  if (key !== undefined && cert !== undefined) return readTls(typedPath(key), typedPath(cert))
  if (key === undefined && cert === undefined) return undefined
  throw new KedgeError('USAGE', '--tls-key and --tls-cert belong together')
}

function inWords(event: WitnessEvent, { good, doubtful }: Terminal): string {
  switch (event.event) {
    case 'started': {
      const { url, ledger, publicKey, data, entries } = event
      return printable(
        `witness ${ledger.slice(0, 16)}… at ${url}, ${entries} entries in ${data}`,
      ).concat(`\npublic key ${publicKey}`)
    }
    case 'entry': {
      const { number, type, gateway, incarnation, size, at } = event
      const what = size === null ? type : `${type} of ${size} batches`
      const of = `${gateway.slice(0, 16)}…/${incarnation}`
      return good(`entry ${number}  ${at ?? 'no time'}  ${what}, gateway ${of}`)
    }
    case 'warning':
      return doubtful(printable(event.message))
    case 'stopped':
      return 'stopped cleanly'
  }
}
