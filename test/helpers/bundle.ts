import vm from 'node:vm'
import { type BuildOptions, build } from 'esbuild'

/** Bundled for browsers, as the verifier's page is. */
export async function browserScript(
  of: Pick<BuildOptions, 'entryPoints' | 'stdin'>,
): Promise<vm.Script> {
  const bundle = await build({
    ...of,
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'iife',
    target: 'es2023',
  })
  return new vm.Script(bundle.outputFiles[0]?.text ?? '')
}

/** What every browser has, and nothing more. */
export const browserGlobals = () => ({ TextEncoder, TextDecoder, atob, btoa })
