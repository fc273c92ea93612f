import { z } from 'zod'
import { type Fault, loadConfig } from '../../config/load.ts'
import { registry } from '../../config/registry.ts'

export const bytesOf = (text: string) => new TextEncoder().encode(text)

/** Options as drivers have them, so that these tests stand whatever drivers there are. */
const drivers = {
  probe: {
    summary: 'A probe',
    options: z.strictObject({
      address: z.string().regex(/^28-[0-9a-f]{12}$/, '28- and twelve hexadecimal digits'),
      everyMs: z.int().min(1000).default(10_000).describe('Time between readings'),
    }),
    sources: ({ address }: { address: string }) => [{ source: address }],
  },
  board: {
    summary: 'A board with many probes',
    options: z.strictObject({ probes: z.int(), source: z.string().default('board') }),
    sources: ({ probes, source }: { probes: number; source: string }) =>
      Array.from({ length: probes }, (_, i) => ({ source: `${source}/${i}` })),
  },
  reader: {
    summary: 'A reader',
    options: z.strictObject({
      port: z.string().regex(/^\//, 'a path'),
      readPower: z.int().min(0).max(30).default(20),
    }),
  },
}

export const load = (text: string | Uint8Array) =>
  loadConfig(typeof text === 'string' ? bytesOf(text) : text, 'kedge.yaml', '/data', {
    ...registry,
    drivers,
  })

export const faultsOf = (text: string | Uint8Array): readonly Fault[] => load(text).faults ?? []

/** One line a fault: where, what, and what to do. */
export const told = (text: string | Uint8Array) =>
  faultsOf(text).map(({ at, error }) =>
    [at.replace('kedge.yaml:', ''), error.message, error.hint].filter(Boolean).join(' | '),
  )

/** What every configuration must say. */
export const names = 'site: ward-3\ngateway: gw-1\n'
