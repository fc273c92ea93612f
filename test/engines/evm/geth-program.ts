/** geth, built here by Go from one version: the last that seals with Clique. A tool for tests, never handed on. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from '../../helpers/spawn.ts'

const version = '1.13.15'
const module = `github.com/ethereum/go-ethereum/cmd/geth@v${version}`
/** A dependency reaches into Go's runtime, which newer linkers refuse unless they are told. */
const flags = ['-ldflags=-checklinkname=0']

const folder = fileURLToPath(
  new URL(`../../../node_modules/.cache/kedge/geth-${version}`, import.meta.url),
)
export const gethProgram = join(folder, 'geth')

/** Builds it where it is not there yet, once. Gives why it cannot be had, or null. */
export async function buildGeth(): Promise<string | null> {
  if (await gethIsBuilt()) return null
  const go = await run('go', ['version']).catch(() => null)
  if (go === null) return 'Go is not installed, so that geth cannot be built'
  console.error(`building geth ${version} with ${go.stdout.trim()}: some two minutes, once`)
  await mkdir(folder, { recursive: true })
  const began = performance.now()
  const child = spawn('go', ['install', ...flags, module], {
    cwd: folder,
    // Without a C compiler it is the same program, with slower curves.
    env: { ...process.env, GOBIN: folder, GOFLAGS: '', CGO_ENABLED: '0' },
    stdio: ['ignore', 'inherit', 'pipe'],
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000)
  })
  const seconds = () => Math.round((performance.now() - began) / 1000)
  const progress = setInterval(() => console.error(`building geth: ${seconds()} s`), 20_000)
  const [code] = await once(child, 'close')
  clearInterval(progress)
  if (code !== 0) return `go install ${module} failed: ${said.trim()}`
  console.error(`geth was built in ${seconds()} s`)
  return (await gethIsBuilt()) ? null : `what go install ${module} made is no geth ${version}`
}

export async function gethIsBuilt(): Promise<boolean> {
  const said = await run(gethProgram, ['version']).catch(() => null)
  return said?.code === 0 && said.stdout.includes(`Version: ${version}`)
}
