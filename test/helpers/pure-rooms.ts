import { fileURLToPath } from 'node:url'
import vm from 'node:vm'
import { browserGlobals, browserScript } from './bundle.ts'
import { type PureRoom, pureRoom } from './pure-room.ts'

/** The pure room in Node, and bundled for browsers in a realm that has only what every browser has. */
export const pureRooms: readonly (readonly [string, () => Promise<PureRoom>])[] = [
  ['in Node', async () => pureRoom],
  ['in a browser', inBrowser],
]

async function inBrowser(): Promise<PureRoom> {
  const script = await browserScript({
    stdin: {
      contents: `import { pureRoom } from './pure-room.ts'
        globalThis.pureRoom = pureRoom
        globalThis.isBare = typeof Buffer === 'undefined' && typeof process === 'undefined'`,
      resolveDir: fileURLToPath(new URL('.', import.meta.url)),
      loader: 'ts',
    },
  })
  const realm = vm.createContext(browserGlobals())
  script.runInContext(realm)
  const { pureRoom, isBare } = realm as { pureRoom: PureRoom; isBare: boolean }
  if (!isBare) throw new Error('a realm that has more than a browser')
  return pureRoom
}
