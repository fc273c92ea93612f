import { link, readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { KedgeError } from '../../evidence/errors.ts'

/**
 * Holds a folder for one process until disposed. A holder that was killed leaves the file behind; it is told from
 * a living one by its process id together with when that process was born, so that a reused id does not lock for ever.
 */
export async function lockFolder(folder: string): Promise<AsyncDisposable> {
  const lock = join(folder, 'lock')
  const own = `${lock}.${process.pid}.${++attempts}`
  const holder = `${process.pid} ${await birthOf(process.pid)}\n`
  // Written apart and linked: nobody ever reads a lock that is half written.
  await writeFile(own, holder)
  try {
    while (!(await succeeds(link(own, lock), 'EEXIST'))) await clearAway(lock, own)
  } finally {
    await unlink(own)
  }
  return {
    async [Symbol.asyncDispose]() {
      if ((await readIfThere(lock)) === holder) await unlink(lock)
    },
  }
}

let attempts = 0

/** Takes away the lock of a process that is gone, or throws. */
async function clearAway(lock: string, own: string): Promise<void> {
  const found = await readIfThere(lock)
  if (found === undefined) return
  const pid = Number(found.split(' ')[0])
  if (await isAlive(pid, found)) {
    throw new KedgeError('LEDGER_IN_USE', `process ${pid} holds ${lock}`, {
      hint: 'Stop that process, or give this one a folder of its own.',
    })
  }
  const aside = `${own}.stale`
  if (!(await succeeds(rename(lock, aside), 'ENOENT'))) return
  // Somebody else may have cleared away and locked in between: then it is theirs.
  const isTheirs = (await readFile(aside, 'utf8')) !== found
  if (isTheirs) await succeeds(link(aside, lock), 'EEXIST')
  await unlink(aside)
}

async function isAlive(pid: number, found: string): Promise<boolean> {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (!isCode(error, 'EPERM')) return false
  }
  const birth = await birthOf(pid)
  return birth !== 'dead' && found === `${pid} ${birth}\n`
}

/** When a process was born, by this machine's boot; `-` where the system does not tell. */
async function birthOf(pid: number): Promise<string> {
  const boot = await readIfThere('/proc/sys/kernel/random/boot_id')
  const stat = await readIfThere(`/proc/${pid}/stat`)
  if (boot === undefined || stat === undefined) return '-'
  // The name in brackets may hold anything; state and start time are the 1st and 20th field after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' || fields[0] === 'X' ? 'dead' : `${boot.trim()}/${fields[19]}`
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isCode(error, 'ENOENT') || isCode(error, 'ESRCH')) return undefined
    throw error
  }
}

async function succeeds(work: Promise<unknown>, unless: string): Promise<boolean> {
  try {
    await work
    return true
  } catch (error) {
    if (isCode(error, unless)) return false
    throw error
  }
}

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code
