import { fileURLToPath } from 'node:url'
import vm from 'node:vm'
import { build } from 'esbuild'
import type { Questions, Report } from '../../anchor-client/evidence/model.ts'

type Judge = (file: Uint8Array, trust: string | null, questions: Questions) => Report

/** The library, bundled for browsers, in a realm that has only what every browser has. */
export async function browserVerifier(): Promise<Judge> {
  const bundle = await build({
    entryPoints: [fileURLToPath(new URL('browser-verifier.ts', import.meta.url))],
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'iife',
    target: 'es2023',
  })
  const realm = vm.createContext({ TextEncoder, TextDecoder, atob, btoa })
  new vm.Script(bundle.outputFiles[0]?.text ?? '').runInContext(realm)
  const { judge } = realm as {
    judge: (file: string, trust: string | null, asked: string) => string
  }
  return (file, trust, questions) =>
    JSON.parse(judge(Buffer.from(file).toString('base64'), trust, JSON.stringify(questions)))
}
