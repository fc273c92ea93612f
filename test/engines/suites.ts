/** Runs files of tests that `npm test` leaves out, as they need a program that is not everywhere. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('.', import.meta.url))
const ava = fileURLToPath(new URL('../../node_modules/ava/entrypoints/cli.mjs', import.meta.url))

/** Prints a line a test, as soon as it is over, and gives how many failed; what a failure says goes to stderr. */
export async function runSuites(name: string, files: readonly string[]): Promise<number> {
  const paths = files.map((file) => `${folder}${file}`)
  const args = [ava, '--config', `${folder}ava.config.mjs`, '--tap', ...paths]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  let [passed, failed, isOver] = [0, 0, false]
  for await (const line of createInterface(child.stdout)) {
    const [, result, said = ''] = /^(ok|not ok) \d+ - (.*)$/.exec(line) ?? []
    // Where there are several files, theirs come before the title.
    const [title, skipped] = said.replace(/^(?:.* › )?/, '').split(' # SKIP')
    if (/^1\.\.\d+$/.test(line)) isOver = true
    if (result === undefined) {
      if (!/^(TAP version|\d+\.\.\d+|# )/.test(line) && line.trim() !== '') console.error(line)
    } else if (skipped !== undefined) {
      console.log(`skipped ${name}: ${title}`)
    } else {
      if (result === 'ok') passed += 1
      else failed += 1
      console.log(`${result} ${name}: ${title}`)
    }
  }
  const [code] = await closed
  if (isOver && (failed > 0 || (code === 0 && passed > 0))) return failed
  console.log(`not ok ${name}: its tests ran to their end`)
  return failed + 1
}
