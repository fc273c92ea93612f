import { fileURLToPath } from 'node:url'
import vm from 'node:vm'
import { build } from 'esbuild'
import { type PureRoom, pureRoom } from './pure-room.ts'

/** The pure room in Node, and bundled for browsers in a realm that has only what every browser has. */
export const pureRooms: readonly (readonly [string, () => Promise<PureRoom>])[] = [
  ['in Node', async () => pureRoom],
  ['in a browser', inBrowser],
]

async function inBrowser(): Promise<PureRoom> {
  const bundle = await build({
    stdin: {
      contents: `import { pureRoom } from './pure-room.ts'
        globalThis.pureRoom = pureRoom
        globalThis.isBare = typeof Buffer === 'undefined' && typeof process === 'undefined'`,
      resolveDir: fileURLToPath(new URL('.', import.meta.url)),
      loader: 'ts',
    },
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'iife',
    target: 'es2023',
  })
  const realm = vm.createContext({ TextEncoder, TextDecoder, atob, btoa })
  new vm.Script(bundle.outputFiles[0]?.text ?? '').runInContext(realm)
  const { pureRoom, isBare } = realm as { pureRoom: PureRoom; isBare: boolean }
  if (!isBare) throw new Error('a realm that has more than a browser')
  return pureRoom
}
