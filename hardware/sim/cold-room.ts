/** A cold space as physics has it, roughly: a compressor that holds a set point, walls that leak, a door. */

export interface ColdRoom {
  /** Of the air at this moment, in °C. */
  celsius(): number
  door(isOpen: boolean): void
  compressor(isRunning: boolean): void
}

export interface ColdRoomFacts {
  readonly setPoint: number
  /** Outside, in °C. */
  readonly ambient: number
  /** Milliseconds on any clock that only goes forward. */
  now(): number
  random(): number
}

/** The part of the way to where it tends that the air goes in a second. */
const rates = { cooling: 0.15, leaking: 0.02, open: 0.12 }

export function coldRoom({ setPoint, ambient, now, random }: ColdRoomFacts): ColdRoom {
  let air = setPoint
  let isOpen = false
  let isRunning = true
  let lastMs = now()

  /** Towards one place at a time, exactly for any length of time. */
  function goOn(): void {
    const seconds = (now() - lastMs) / 1000
    lastMs = now()
    const pulls = [
      { to: setPoint, rate: isRunning ? rates.cooling : 0 },
      { to: ambient, rate: isOpen ? rates.open : rates.leaking },
    ]
    const rate = pulls.reduce((sum, pull) => sum + pull.rate, 0)
    const rest = pulls.reduce((sum, pull) => sum + pull.rate * pull.to, 0) / rate
    // A closed and running fridge holds its set point: the leak is what its thermostat makes up for.
    const tendsTo = isRunning && !isOpen ? setPoint : rest
    air = tendsTo + (air - tendsTo) * Math.exp(-rate * seconds)
  }

  return {
    celsius() {
      goOn()
      return air + (random() - 0.5) * 0.12
    },
    door(opens) {
      goOn()
      isOpen = opens
    },
    compressor(runs) {
      goOn()
      isRunning = runs
    },
  }
}
