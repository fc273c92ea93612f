/** The exports of a module, compiled on the spot: a few KB take less than a millisecond, so nobody awaits it. */
export function instantiated<Exports>(base64: string): Exports | undefined {
  // Absent in some realms, so it is asked for by way of globalThis.
  const { WebAssembly } = globalThis as { WebAssembly?: Engine }
  if (WebAssembly === undefined) return undefined
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(bytesOf(base64))).exports as Exports
  } catch {
    // A Content-Security-Policy without 'wasm-unsafe-eval', or an engine that lacks what the module uses.
    return undefined
  }
}

/** A plain loop: by Uint8Array.from this takes longer than all the rest. */
function bytesOf(base64: string): Uint8Array {
  const characters = atob(base64)
  const bytes = new Uint8Array(characters.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i)
  return bytes
}

/** What is used of WebAssembly, which the types of some realms leave out. */
interface Engine {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}
