/** A machine with GPIO chips and without any: stand-ins for the commands of gpiod, and hands on the contacts. */
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { fileURLToPath } from 'node:url'

interface GpioMachine {
  /** Folder of gpiomon, gpioget and gpiodetect. */
  readonly tools: string
  /** How many of them are running. */
  running(): number
  /** The pull that was asked for last. */
  pull(): string
  chip(name: string, label: string, lines: number): GpioChip
}

interface GpioChip {
  /** The level changes, and whoever watches the line is told. */
  set(line: number, isHigh: boolean): void
  /** It changes while nobody is told. */
  slip(line: number, isHigh: boolean): void
  /** Edges at these times, all in one go. */
  edges(line: number, edges: readonly (readonly [isHigh: boolean, atMs: number])[]): void
  /** What the level reads as from now on. */
  says(line: number, text: string): void
  /** gpiomon prints this instead of an edge. */
  prints(line: number, text: string): void
  /** Whoever looks at the line waits. */
  hang(line: number, isHanging: boolean): void
  isWatched(line: number): boolean
  deny(isDenied: boolean): void
  unplug(): void
  replug(): void
}

export function gpioMachine(folder: string, version: '1.6.3' | '2.2.1'): GpioMachine {
  for (const part of ['chips', 'running', 'aside'])
    mkdirSync(`${folder}/${part}`, { recursive: true })
  writeFileSync(`${folder}/version`, version)
  const script = fileURLToPath(new URL('gpio-tools.sh', import.meta.url))
  for (const name of ['gpiodetect', 'gpioget', 'gpiomon']) {
    copyFileSync(script, `${folder}/${name}`)
    chmodSync(`${folder}/${name}`, 0o755)
  }
  return {
    tools: folder,
    running: () =>
      readdirSync(`${folder}/running`).filter((pid) => /^\d+$/.test(pid) && isAlive(Number(pid)))
        .length,
    pull: () => readFileSync(`${folder}/running/bias`, 'utf8').trim(),
    chip: (name, label, lines) => gpioChip(folder, name, label, lines),
  }
}

function gpioChip(folder: string, name: string, label: string, lines: number): GpioChip {
  const at = `${folder}/chips/${name}`
  const touched = new Set<number>()
  const clock = process.hrtime.bigint
  const make = () => {
    mkdirSync(at, { recursive: true })
    writeFileSync(`${at}/label`, label)
    writeFileSync(`${at}/lines`, String(lines))
  }
  const put = (line: number, text: string) => {
    touched.add(line)
    mkdirSync(`${at}/${line}`, { recursive: true })
    // In one step: a reader must never find it empty.
    writeFileSync(`${at}/${line}/next`, `${text}\n`)
    renameSync(`${at}/${line}/next`, `${at}/${line}/level`)
  }
  const tell = (line: number, what: string) => {
    if (!existsSync(`${at}/${line}/holder`)) return
    try {
      const pipe = openSync(`${at}/${line}/edges`, constants.O_WRONLY | constants.O_NONBLOCK)
      writeSync(pipe, what)
      closeSync(pipe)
    } catch {
      // Nobody watches: nobody is told.
    }
  }
  const edge = (isHigh: boolean, ns: bigint) =>
    `${Number(isHigh)} ${ns / 1_000_000_000n} ${ns % 1_000_000_000n}\n`
  make()
  return {
    set(line, isHigh) {
      put(line, String(Number(isHigh)))
      tell(line, edge(isHigh, clock()))
    },
    slip: (line, isHigh) => put(line, String(Number(isHigh))),
    edges(line, edges) {
      const startNs = clock()
      put(line, String(Number(edges.at(-1)?.[0] ?? false)))
      const text = edges.map(([isHigh, ms]) => edge(isHigh, startNs + BigInt(ms) * 1_000_000n))
      tell(line, text.join(''))
    },
    says: put,
    prints: (line, text) => tell(line, `raw ${text}\n`),
    hang(line, isHanging) {
      if (isHanging) writeFileSync(`${at}/${line}/hangs`, '')
      else rmSync(`${at}/${line}/hangs`, { force: true })
    },
    isWatched: (line) => {
      try {
        return isAlive(Number(readFileSync(`${at}/${line}/holder`, 'utf8')))
      } catch {
        return false
      }
    },
    deny(isDenied) {
      if (isDenied) writeFileSync(`${at}/denied`, '')
      else rmSync(`${at}/denied`, { force: true })
    },
    unplug() {
      for (const line of touched) tell(line, 'gone\n')
      rmSync(`${folder}/aside/${name}`, { recursive: true, force: true })
      renameSync(at, `${folder}/aside/${name}`)
    },
    replug: () => renameSync(`${folder}/aside/${name}`, at),
  }
}

function isAlive(pid: number): boolean {
  try {
    // A dead child that nobody has asked about yet is no process any more.
    return pid > 0 && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}
