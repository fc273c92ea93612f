import { fileURLToPath } from 'node:url'
import vm from 'node:vm'
import type { Questions, Report } from '../../anchor-client/evidence/model.ts'
import { browserGlobals, browserScript } from './bundle.ts'

type Judge = (file: Uint8Array, trust: string | null, questions: Questions) => Report

/** The library, bundled for browsers, in a realm that has only what every browser has. */
export async function browserVerifier(): Promise<Judge> {
  const script = await browserScript({
    entryPoints: [fileURLToPath(new URL('browser-verifier.ts', import.meta.url))],
  })
  const realm = vm.createContext(browserGlobals())
  script.runInContext(realm)
  const { judge } = realm as {
    judge: (file: string, trust: string | null, asked: string) => string
  }
  return (file, trust, questions) =>
    JSON.parse(judge(Buffer.from(file).toString('base64'), trust, JSON.stringify(questions)))
}
