import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import vm from 'node:vm'
import test from 'ava'
import { bytesToHex, concat, hexToBytes } from '../anchor-client/evidence/bytes.ts'
import { sm3InJavaScript } from '../anchor-client/evidence/sm3/javascript.ts'
import { layout } from '../anchor-client/evidence/sm3/layout.ts'
import { openScalar } from '../anchor-client/evidence/sm3/one-shot.ts'
import { sm3 } from '../anchor-client/evidence/sm3.ts'
import { browserGlobals, browserScript } from './helpers/bundle.ts'
import { compiledFile, compiledSm3 } from './helpers/compile-sm3.ts'
import { byOpenssl, cutEvery, noise, rootLeafByLeaf, there, vectors } from './helpers/sm3.ts'

/** Both are tried here, though only one is the fastest. */
const singly = { WebAssembly: there(openScalar()), JavaScript: sm3InJavaScript }
for (const [engine, hash] of Object.entries(singly)) {
  test(`every published digest is found (${engine})`, (t) => {
    for (const { name, msg, digest } of vectors.tests) {
      t.is(bytesToHex(hash([hexToBytes(msg)])), digest, name)
    }
    t.is(bytesToHex(hash([new Uint8Array(1e6).fill(0x61)])), vectors.million_a)
  })

  test(`any length hashes as with OpenSSL, however it is cut into parts (${engine})`, (t) => {
    const bytes = noise(400)
    for (let length = 0; length <= bytes.length; length++) {
      const message = bytes.subarray(0, length)
      const cut = Math.floor(length / 3)
      const parts = [
        message.subarray(0, cut),
        message.subarray(cut, cut + 5),
        message.subarray(cut + 5),
      ]
      t.is(bytesToHex(hash([message])), byOpenssl(message))
      t.is(bytesToHex(hash(parts)), byOpenssl(concat(...parts)))
    }
  })

  test(`a message larger than the working memory hashes in odd parts (${engine})`, (t) => {
    const message = noise(5 * 2 ** 20 + 7)
    const parts: Uint8Array[] = []
    for (
      let at = 0, length = 1;
      at < message.length;
      at += length, length = (length * 7) % 99_991
    ) {
      parts.push(message.subarray(at, at + length))
    }
    t.is(bytesToHex(hash(parts)), byOpenssl(message))
    const { messageCapacity } = layout
    for (const length of [
      messageCapacity - 1,
      messageCapacity,
      messageCapacity + 1,
      2 * messageCapacity,
    ]) {
      const some = message.subarray(0, length)
      t.is(bytesToHex(hash([some])), byOpenssl(some))
    }
  })
}

test('a digest stays as it is when the next one is made', (t) => {
  const digest = sm3(Uint8Array.of(1))
  const before = bytesToHex(digest)
  sm3(Uint8Array.of(2))
  t.is(bytesToHex(digest), before)
})

const browsers = [
  { which: 'with WebAssembly', open: () => vm.createContext(browserGlobals()), compiles: true },
  {
    which: 'without WebAssembly',
    open: () => {
      const realm = vm.createContext(browserGlobals())
      vm.runInContext('delete globalThis.WebAssembly', realm)
      return realm
    },
    compiles: false,
  },
  {
    which: 'whose policy forbids WebAssembly',
    open: () => {
      const codeGeneration = { strings: false, wasm: false }
      return vm.createContext(browserGlobals(), { codeGeneration })
    },
    compiles: false,
  },
]

for (const { which, open, compiles } of browsers) {
  test(`a browser ${which} finds the same digests`, async (t) => {
    const realm = open()
    ;(await browserHashes()).runInContext(realm)
    const { hashes, compiled } = realm as {
      hashes: (hex: string, of: number) => [string, string, string]
      compiled: readonly boolean[]
    }
    t.deepEqual([...compiled], [compiles, compiles])
    const bytes = noise(64 * 5)
    const [whole, each, root] = hashes(bytesToHex(bytes), 64)
    t.is(whole, byOpenssl(bytes))
    t.is(each, cutEvery(64, bytes).map(byOpenssl).join(''))
    t.is(root, bytesToHex(rootLeafByLeaf(bytes)))
  })
}

const compiled = 'what is committed is what the sources compile to'
const [check, title] = isInstalled('wabt')
  ? [test, compiled]
  : [test.skip, `${compiled} (wabt, the compiler, is not installed)`]
check(title, async (t) => {
  t.is(readFileSync(compiledFile, 'utf8'), await compiledSm3())
})

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name)
    return true
  } catch {
    return false
  }
}

/** The library as a browser has it, asked in text: its bytes are not the test's. */
function browserHashes(): Promise<vm.Script> {
  return browserScript({
    stdin: {
      contents: `import { bytesToHex, hexToBytes } from './bytes.ts'
        import { openFour } from './sm3/many.ts'
        import { openScalar } from './sm3/one-shot.ts'
        import { sm3 } from './sm3.ts'
        import { sm3Batch } from './sm3-batch.ts'
        globalThis.compiled = [openScalar(), openFour()].map((engine) => engine !== undefined)
        globalThis.hashes = (hex, length) => {
          const bytes = hexToBytes(hex)
          const { ofEach, root } = sm3Batch()
          return [sm3(bytes), ofEach(bytes, length), root(bytes)].map(bytesToHex)
        }`,
      resolveDir: 'anchor-client/evidence',
      loader: 'ts',
    },
  })
}
