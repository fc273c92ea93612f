/**
 * Runs before every npm script, so before there is a node_modules: plain JavaScript, node alone.
 * A full `npm ci` when node_modules is absent or older than the lock file, else nothing.
 * Standard output stays empty: it belongs to the script that comes next.
 */
import { spawn } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const wanted = join(root, 'package-lock.json')
const installed = join(root, 'node_modules/.package-lock.json')
const lock = join(root, '.installing')
const longestWaitMs = 15 * 60_000
const tryLater = 75

/** @param {string} line */
const say = (line) => process.stderr.write(`kedge: ${line}\n`)

/** @param {string} file */
const changedMs = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0

const isMissing = () =>
  existsSync(wanted) && (!existsSync(installed) || changedMs(installed) < changedMs(wanted))

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const isTooOld = major < 20 || (major === 20 && minor < 19)

try {
  if (isTooOld) throw new Error(`node ${process.versions.node} is too old, 20.19 is the oldest`)
  if (isMissing()) process.exitCode = running() ? tryLater : await installAlone()
} catch (error) {
  // Besides an old node: a folder that may not be written, a full disk.
  say(`cannot start: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
}

/** A gateway that runs from this clone would lose the packages it has not loaded yet. */
function running() {
  for (const name of readdirSync(root)) {
    const pid = /^\.running-(\d+)$/.exec(name)?.[1]
    if (pid === undefined) continue
    if (isAlive(pid)) {
      say(
        `process ${pid} runs a gateway from this clone: stop it before new packages are installed`,
      )
      return true
    }
    rmSync(join(root, name), { force: true })
  }
  return false
}

async function installAlone() {
  if (!(await takeLock())) return 1
  try {
    // Whoever held the lock before us may have done it.
    return isMissing() ? await install() : 0
  } finally {
    removeLock()
  }
}

async function install() {
  say('installing what is missing (npm ci)')
  const npm = process.env.npm_execpath
  const [command, ...args] = npm?.endsWith('.js') ? [process.execPath, npm] : ['npm']
  // What the person set for the script itself (-s, --omit) must not hide an error or half the tools.
  const options = ['--include=dev', '--include=optional', '--loglevel=error']
  const { code, problem } = await run(String(command), [...args, 'ci', ...options])
  if (code === 0) {
    // A lock file from the future, as a clock that was never set sees it, would install every time.
    const time = new Date(Math.max(Date.now(), Math.ceil(changedMs(wanted))))
    utimesSync(installed, time, time)
    return 0
  }
  say(`npm ci failed (${problem}); it needs the package registry once, or npm's cache of it`)
  return 1
}

/** Where Node has brought its headers along, optional packages are compiled without a network. */
function headers() {
  const prefix = join(process.execPath, '../..')
  return existsSync(join(prefix, 'include/node/node.h')) ? { npm_config_nodedir: prefix } : {}
}

/**
 * @param {string} command
 * @param {string[]} args
 * @returns {Promise<{ code: number, problem: string }>}
 */
function run(command, args) {
  return new Promise((resolve) => {
    const env = { ...headers(), ...process.env }
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 2, 2] })
    // If we are killed and npm lives on, the lock still names a living process.
    appendFileSync(join(lock, 'pid'), ` ${child.pid ?? ''}`)
    let stopped = ''
    for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
      process.on(signal, () => {
        stopped = signal
        child.kill(signal)
      })
    }
    child.on('error', (error) => resolve({ code: 1, problem: error.message }))
    child.on('exit', (code, signal) =>
      resolve({ code: code ?? 1, problem: stopped || signal || `exit ${code}` }),
    )
  })
}

/** Waits for another install of this clone; false when that takes too long. */
async function takeLock() {
  const giveUpMs = Date.now() + longestWaitMs
  const mine = `${lock}-${process.pid}`
  rmSync(mine, { recursive: true, force: true })
  mkdirSync(mine)
  writeFileSync(join(mine, 'pid'), String(process.pid))
  try {
    for (let said = false; Date.now() < giveUpMs; said = true) {
      // A rename onto a folder that is not empty fails: the lock appears at once with its owner.
      if (tryRename(mine, lock)) return true
      const owner = ownerOfLock()
      if (isAlive(owner)) {
        if (!said) say(`waiting for the install of process ${owner.split(' ')[0]}`)
        await sleep(200)
      } else {
        removeLock(owner)
      }
    }
  } finally {
    rmSync(mine, { recursive: true, force: true })
  }
  say(`another install did not end; if none is running, remove ${lock}`)
  return false
}

/** Takes the lock away, and puts it back if it is no longer the one that was judged dead. */
function removeLock(judged = ownerOfLock()) {
  const away = `${lock}-${process.pid}-old`
  if (!tryRename(lock, away)) return
  if (ownerOfLock(away) !== judged && tryRename(away, lock)) return
  rmSync(away, { recursive: true, force: true })
}

function ownerOfLock(folder = lock) {
  try {
    return readFileSync(join(folder, 'pid'), 'utf8')
  } catch {
    return ''
  }
}

/** @param {string} owner process ids with spaces between them */
function isAlive(owner) {
  return owner.split(' ').some((pid) => pid !== '' && answers(Number(pid)))
}

/** @param {number} pid */
function answers(pid) {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM'
  }
}

/**
 * @param {string} from
 * @param {string} to
 */
function tryRename(from, to) {
  try {
    renameSync(from, to)
    return true
  } catch (error) {
    const code = /** @type {NodeJS.ErrnoException} */ (error).code ?? ''
    if (['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(code)) return false
    throw error
  }
}
