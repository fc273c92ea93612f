/** What the simulators and the process that started them say to each other. */
import type { PortMeans } from './device-port.ts'
import type { Scenario } from './scenario.ts'

export interface Beginning {
  /** Holds `dev/` and `w1/`. */
  readonly folder: string
  readonly seed: number
  readonly broker: string | null
  /** Null for a quiet day; else what happens once it is told to play. */
  readonly scenario: Scenario | null
  /** Null for the best that this machine has. */
  readonly means: PortMeans | null
}

export interface Ready {
  readonly ports: { readonly uhf: string; readonly gnss: string }
  /** Folder of the 1-Wire bus. */
  readonly w1: string
  /** What the serial ports are made of, in one line. */
  readonly transport: string
}

export type ToSimulators =
  | { readonly broker: string }
  | { readonly begin: Beginning }
  | { readonly play: true }

export type FromSimulators =
  | { readonly ready: Ready }
  | { readonly failed: string }
  | { readonly say: string }
