/** What happens to the simulated devices, and when: the hands that open doors and pull plugs. */

/** One thing that happens `atMs` after the beginning. */
export interface Step {
  readonly atMs: number
  readonly door?: 'open' | 'closed' | undefined
  readonly compressor?: 'on' | 'off' | undefined
  readonly probe?: 'unplugged' | 'plugged' | undefined
  /** How far the satellite receiver's clock is ahead of the true time from now on; less than 0 is behind. */
  readonly clockAheadMs?: number | undefined
}

export interface Scenario {
  readonly setPoint: number
  readonly ambient: number
  readonly steps: readonly Step[]
}

export interface Hands {
  door(isOpen: boolean): void
  compressor(isRunning: boolean): void
  probe(isPlugged: boolean): void
  clock(aheadMs: number): void
  say(what: string): void
}

/** Does what the scenario says, beginning now. */
export function play({ steps }: Scenario, hands: Hands): Disposable {
  const timers = steps.map((step) => setTimeout(() => act(step, hands), step.atMs))
  return {
    [Symbol.dispose]() {
      for (const timer of timers) clearTimeout(timer)
    },
  }
}

function act({ door, compressor, probe, clockAheadMs }: Step, hands: Hands): void {
  if (door !== undefined) {
    hands.door(door === 'open')
    hands.say(`the door is ${door}`)
  }
  if (compressor !== undefined) {
    hands.compressor(compressor === 'on')
    hands.say(`the compressor is ${compressor}`)
  }
  if (probe !== undefined) {
    hands.probe(probe === 'plugged')
    hands.say(`the probe is ${probe}`)
  }
  if (clockAheadMs !== undefined) {
    hands.clock(clockAheadMs)
    const seconds = Math.abs(clockAheadMs) / 1000
    const where =
      clockAheadMs === 0 ? 'right again' : `${seconds} s ${clockAheadMs > 0 ? 'ahead' : 'behind'}`
    hands.say(`the satellite receiver's clock is ${where}`)
  }
}
