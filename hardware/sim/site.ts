/** All devices of the demo together. */
import { chanceFrom, wandering } from './chance.ts'
import { coldRoom } from './cold-room.ts'
import { openDevicePorts } from './device-port.ts'
import { gnssReceiver } from './gnss-receiver.ts'
import { gpioMachine } from './gpio-chip.ts'
import { linksIn } from './link.ts'
import type { Beginning, Ready } from './messages.ts'
import { fridgeAddress, oneWireSensor } from './one-wire.ts'
import { type Hands, play } from './scenario.ts'
import { comingAndGoing, demoTags } from './tags.ts'
import { uhfReader } from './uhf-reader.ts'
import { openWearable } from './wearable.ts'

/** GPIO17 of the header: high while the door is open. */
const doorLine = 17

const monotonic = (): number => performance.now()

export interface Site extends AsyncDisposable {
  readonly ready: Ready
  publishTo(brokerUrl: string): void
  /** The scenario begins. */
  play(): void
}

export async function openSite(
  { folder, seed, broker, scenario, means }: Beginning,
  onSay: (line: string) => void,
): Promise<Site> {
  const opened: (Disposable | AsyncDisposable)[] = []
  const hold = <One extends Disposable | AsyncDisposable>(one: One): One => {
    opened.push(one)
    return one
  }
  const close = async () => {
    for (let one = opened.pop(); one; one = opened.pop()) {
      if (Symbol.asyncDispose in one) await one[Symbol.asyncDispose]()
      else one[Symbol.dispose]()
    }
  }
  try {
    const w1 = `${folder}/w1`
    const room = scenario && coldRoom({ ...scenario, now: monotonic, random: chanceFrom(seed) })
    const celsius =
      room?.celsius ?? wandering(chanceFrom(seed), { middle: 5, reach: 1.5, step: 0.06 })
    const probe = hold(
      oneWireSensor({ bus: w1, address: fridgeAddress, everyMs: 500, celsius, onFault: onSay }),
    )
    const gpio = gpioMachine(`${folder}/gpio`, '1.6.3').chip('gpiochip0', 'pinctrl-bcm2711', 58)
    gpio.set(doorLine, false)

    const line = await openDevicePorts(
      linksIn(folder).map((link) => ({ link, onFault: onSay })),
      means ?? undefined,
    )
    const [uhf, gnss] = line.ports.map(hold)
    if (uhf === undefined || gnss === undefined) throw new TypeError('two ports were asked for')
    const present = comingAndGoing(demoTags, chanceFrom(seed + 1))
    const beganMs = performance.now()
    const inField = () => present(performance.now() - beganMs)
    hold(uhfReader(uhf, { inField, random: chanceFrom(seed + 2) }))
    let clockAheadMs = 0
    const now = () => Date.now() + clockAheadMs
    hold(gnssReceiver(gnss, { now, random: chanceFrom(seed + 3) }))

    const wearable = hold(await openWearable({ seed: seed + 4, onSay }))
    if (broker !== null) wearable.publishTo(broker)
    const hands: Hands = {
      door(isOpen) {
        room?.door(isOpen)
        gpio.set(doorLine, isOpen)
      },
      compressor: (isRunning) => room?.compressor(isRunning),
      probe: (isPlugged) => (isPlugged ? probe.replug() : probe.unplug()),
      clock: (aheadMs) => {
        clockAheadMs = aheadMs
      },
      say: onSay,
    }
    return {
      ready: { ports: { uhf: uhf.name, gnss: gnss.name }, w1, transport: line.transport },
      publishTo: wearable.publishTo,
      play: () => void (scenario && hold(play(scenario, hands))),
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
