import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import type { Ended } from './spawn.ts'

/** Runs a program to its end with something on its standard input. */
export async function runWith(
  input: string | Uint8Array,
  command: string,
  args: readonly string[],
): Promise<Ended> {
  const child = spawn(command, args, { env: { PATH: process.env.PATH } })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve)
  })
  child.stdin.on('error', () => {}).end(input)
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  return { code, stdout, stderr }
}
