/** The exports of a module, compiled on the spot: a few KB take less than a millisecond, so nobody awaits it. */
export function instantiated<Exports>(base64: string): Exports | undefined {
  // Absent in some realms, so it is asked for by way of globalThis.
  const { WebAssembly } = globalThis as { WebAssembly?: Engine }
  if (WebAssembly === undefined) return undefined
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as Exports
  } catch {
    // A Content-Security-Policy without 'wasm-unsafe-eval', or an engine that lacks what the module uses.
    return undefined
  }
}

/** What is used of WebAssembly, which the types of some realms leave out. */
interface Engine {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}
