/** Forms of values that several keys share; a title completes the sentence "expected …". */
import { z } from 'zod'

/** Part of topics, of streams' names and of folders, hence the narrow alphabet. */
export const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,31}$/)
  .meta({ title: 'a name of small letters, digits and dashes, at most 32' })

/** What stands after `ingest/` in the topic that a publisher sends to. */
export const sourceName = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,64}$/)
  .meta({ title: "a publisher's name of letters, digits, dots, dashes and _, at most 64" })

/** Where nothing says from where a path leads, it would lead somewhere else under systemd. */
export const path = z
  .string()
  .regex(/^(?:\/|\.{1,2}\/)[^\0]{0,4095}$/)
  .meta({ title: 'a path: /from/the/root, or ./from/the/data/folder' })

export interface Listen {
  readonly host: string
  readonly port: number
}

/** Where others on this machine may connect: there is no password and no TLS to let in more. */
export const listen = z
  .string()
  .regex(/^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]):\d{1,5}$/)
  .meta({
    title: 'an address of this machine alone and a port, such as 127.0.0.1:1883',
    $comment: '127.0.0.1, [::1] or localhost; port 0 takes a free one, and keeps it',
  })
  .transform((text, { addIssue }): Listen => {
    const at = text.lastIndexOf(':')
    const [host, port] = [text.slice(0, at), Number(text.slice(at + 1))]
    if (port > 65_535) addIssue({ code: 'custom' })
    return { host: host.replace(/^\[|\]$/g, ''), port }
  })

/** Where a secret lies, never the secret itself. */
export const secret = z
  .strictObject({
    file: path.describe('File that holds it; only the gateway may be able to read it').optional(),
    env: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
      .meta({ title: 'the name of an environment variable' })
      .describe('Environment variable that holds it')
      .optional(),
    credential: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,255}$/)
      .meta({ title: 'the name of a systemd credential' })
      .describe('systemd credential that holds it (LoadCredential= in the unit)')
      .optional(),
  })
  .refine((reference) => Object.keys(reference).length === 1)
  .meta({
    title: 'the place where the secret lies: one of file, env or credential',
    $comment:
      'a secret never stands in this file; name where it lies, as in {file: /etc/kedge/secret}',
    minProperties: 1,
    maxProperties: 1,
    // Whatever stands under this key is never shown.
    writeOnly: true,
  })
