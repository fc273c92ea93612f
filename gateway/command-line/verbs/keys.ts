import { hexToBytes } from '../../../anchor-client/evidence/bytes.ts'
import { KedgeError } from '../../../anchor-client/evidence/errors.ts'
import { publicKeyPem } from '../../../anchor-client/evidence/extract.ts'
import { nearest } from '../../../config/did-you-mean.ts'
import {
  deviceKeyNumbers,
  deviceKeyPath,
  type ShownKey,
  showDeviceKey,
} from '../../keys/device-keys.ts'
import { parseName } from '../../keys/distinguished-name.ts'
import { createKeyFile, openKeyFile } from '../../keys/key-file.ts'
import { readSecret, type SecretReference, secretBesideKeys } from '../../keys/secret.ts'
import { openSm2 } from '../../keys/sm2.ts'
import { makeKeysFolder } from '../../keys/write-new-file.ts'
import { writePublic } from '../../keys/write-public.ts'
import { certificateRequest, selfSignedCertificate } from '../../keys/x509.ts'
import type { Arguments, OptionTable } from '../arguments.ts'
import type { Command } from '../command.ts'
import { configFileOf, dataOf } from '../data-of.ts'
import { readConfig } from '../read-config.ts'
import { jsonLine, printable, type Terminal } from '../terminal.ts'
import { askAndPrint } from './asking.ts'

interface Part {
  readonly usage: string
  readonly summary: string
  run(args: Arguments, terminal: Terminal): Promise<number>
}

const parts: Readonly<Record<string, Part>> = {
  show: { usage: 'show', summary: 'the public key, and the names that come from it', run: showKey },
  new: { usage: 'new', summary: 'make the first key of a gateway', run: newKey },
  rotate: {
    usage: 'rotate',
    summary: 'go over to a new key; the running gateway signs it with both',
    run: (args, terminal) => askAndPrint(args, terminal, 'rotate', {}, inWords),
  },
  csr: {
    usage: 'csr -o FILE',
    summary: 'a request for a certificate (PEM), --subject for another name than the gateway’s',
    run: request,
  },
  export: {
    usage: 'export -o FILE [--x509]',
    summary: 'the public key (PEM), or a certificate that it gives itself',
    run: exported,
  },
}
const usages = Object.values(parts).map(({ usage }) => usage)

const options: OptionTable = {
  output: { value: 'FILE', short: 'o', means: 'where to write the PEM file' },
  x509: { means: 'export a self-signed certificate (SM2 with SM3) instead of the bare key' },
  subject: { value: 'NAME', means: 'CN=…,O=…,C=CN for a request or a certificate' },
}

export const keys: Command = {
  summary: "Make and show the gateway's own SM2 key; a secret is never printed",
  usage: usages.join(' | '),
  options,
  notes: [
    Object.values(parts)
      .map(({ usage, summary }) => `  ${usage.padEnd(24)} ${summary}`)
      .join('\n'),
    'Signatures are SM2 with the id 1234567812345678, which openssl must be told:\n' +
      '  openssl req -in FILE -verify -noout -vfyopt distid:1234567812345678',
  ],

  async run(args, terminal) {
    const [name = '', ...more] = args.operands
    const part = Object.hasOwn(parts, name) ? parts[name] : undefined
    if (part && more.length === 0) return await part.run(args, terminal)
    const near = nearest(name, Object.keys(parts))
    throw new KedgeError('USAGE', part ? `too much after ${name}` : 'keys needs one of its parts', {
      hint: near && !part ? `did you mean keys ${near}?` : `kedge keys ${usages.join(' | ')}`,
    })
  },
}

async function showKey(args: Arguments, terminal: Terminal): Promise<number> {
  await print(await showDeviceKey(keysFolderOf(args)), terminal)
  return 0
}

async function newKey(args: Arguments, terminal: Terminal): Promise<number> {
  const folder = keysFolderOf(args)
  const [first] = await deviceKeyNumbers(folder)
  if (first !== undefined) {
    throw new KedgeError('KEY_EXISTS', `there is a key already: ${deviceKeyPath(folder, first)}`, {
      hint: 'Change keys with `kedge keys rotate`; another gateway needs another --data folder.',
    })
  }
  const reference = await referenceOf(args)
  const secret = await readSecret(reference, folder)
  try {
    await makeKeysFolder(folder)
    await createKeyFile(deviceKeyPath(folder, 1), secret)
  } finally {
    secret.fill(0)
  }
  if (reference === undefined) note(secretBesideKeys)
  await print(await showDeviceKey(folder), terminal)
  return 0
}

async function request(args: Arguments, terminal: Terminal): Promise<number> {
  using signing = await openForSigning(args)
  return write(args, certificateRequest(signing.key, signing.subject), terminal)
}

async function exported(args: Arguments, terminal: Terminal): Promise<number> {
  if (args.flag('x509')) {
    using signing = await openForSigning(args)
    return write(args, selfSignedCertificate(signing.key, signing.subject, Date.now()), terminal)
  }
  const { publicKey } = await showDeviceKey(keysFolderOf(args))
  return write(args, publicKeyPem(hexToBytes(publicKey)), terminal)
}

async function openForSigning(args: Arguments) {
  const asked = args.text('subject')
  const named = asked === undefined ? undefined : parseName(asked)
  outputOf(args)
  const folder = keysFolderOf(args)
  const { path, gateway } = await showDeviceKey(folder)
  const secret = await readSecret(await referenceOf(args), folder)
  try {
    const key = await openKeyFile(path, secret)
    const { why } = openSm2()
    if (why !== null) note(`signed by sm-crypto, since OpenSSL here fails its self-test: ${why}`)
    const subject = named ?? ([['CN', gateway]] as const)
    return { key, subject, [Symbol.dispose]: () => key[Symbol.dispose]() }
  } finally {
    secret.fill(0)
  }
}

const keysFolderOf = (args: Arguments): string => dataOf(args).keys

/** What the configuration says of the secret; without `--config` there need be none. */
async function referenceOf(args: Arguments): Promise<SecretReference | undefined> {
  const loaded = await readConfig(configFileOf(args), dataOf(args).folder)
  if (loaded.faults === undefined) return loaded.config.keys.secret
  const [fault] = loaded.faults
  const isAbsent = fault?.error.code === 'FILE_UNREADABLE' && fault.error.message === 'no such file'
  if (isAbsent && args.text('config') === undefined) return undefined
  throw new KedgeError('CONFIG_INVALID', `${fault?.at}: ${fault?.error.message}`, {
    hint: 'kedge config check names every fault',
  })
}

const note = (text: string) => process.stderr.write(`kedge: note: ${printable(text)}\n`)

async function print({ gateway, keyId, algorithm, publicKey }: ShownKey, terminal: Terminal) {
  const shown = { gateway, keyId, algorithm, publicKey }
  await terminal.print(terminal.json ? jsonLine(shown) : inWords(shown))
}

const inWords = (shown: Readonly<Record<string, unknown>>): string =>
  Object.entries(shown)
    .map(([name, value]) => `${name.padEnd(10)} ${value}`)
    .join('\n')

function outputOf(args: Arguments): string {
  const file = args.text('output')
  if (file !== undefined) return file
  throw new KedgeError('USAGE', 'no file to write to', { hint: 'name one with -o FILE' })
}

async function write(args: Arguments, pem: string, terminal: Terminal): Promise<number> {
  const file = outputOf(args)
  await writePublic(file, pem)
  await terminal.print(terminal.json ? jsonLine({ file }) : printable(file))
  return 0
}
