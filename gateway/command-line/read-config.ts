import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { type Loaded, loadConfig, type Refused, tooLarge } from '../../config/load.ts'
import { registry } from '../../config/registry.ts'
import { maxConfigBytes } from '../../config/yaml.ts'
import { readInput } from './read-input.ts'

/** A configuration, or its faults for `terminal.explain`; what cannot be read at all is one fault. */
export async function readConfig(file: string, dataFolder: string): Promise<Loaded | Refused> {
  try {
    const input = await readInput(file, maxConfigBytes)
    if ('tooLarge' in input) return tooLarge(file)
    return loadConfig(input.bytes, file, dataFolder, registry)
  } catch (error) {
    if (!(error instanceof KedgeError)) throw error
    const { code, message, cause } = error
    const hint =
      'kedge init makes one; --config FILE names another; kedge config check FILE checks it'
    return { faults: [{ at: file, error: new KedgeError(code, message, { hint, cause }) }] }
  }
}
