/** What one file says of one key; the file may be broken elsewhere. */
import { childOf, type JsonSchema } from './json-schema.ts'
import { positionOf, textOf } from './load.ts'
import type { Spot } from './spots.ts'
import { parseYaml } from './yaml.ts'

export interface Setting {
  readonly at: string
  /** Absent for a section, and for what may be a secret. */
  readonly value?: unknown
}

export interface Settings {
  readonly root: Spot | undefined
  find(key: string): Setting | null
}

export function settingsIn(bytes: Uint8Array, file: string, whole: JsonSchema): Settings {
  const text = textOf(bytes)
  const root = typeof text === 'string' ? parseYaml(text).root : undefined
  return { root, find }

  function find(key: string): Setting | null {
    let spot = root
    let schema: JsonSchema | undefined = whole
    let isHidden = false
    for (const part of key.split('.')) {
      schema = childOf(schema ?? {}, part, spot?.value)
      spot = spot?.children.get(part)
      // What the schema does not know could be anything.
      isHidden ||= schema === undefined || schema.writeOnly === true
    }
    if (spot === undefined || typeof text !== 'string') return null
    const at = `${file}:${positionOf(text, spot.keyAt)}`
    return isHidden || typeof spot.value === 'object' ? { at } : { at, value: spot.value }
  }
}
