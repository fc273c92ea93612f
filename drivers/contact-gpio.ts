/** A door or tamper contact on a GPIO line: open or closed, as the kernel saw it change. */
import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import { type Driver, defineDriver, type Sample, sourceOption } from './driver.ts'
import { type Edge, gpioOptions, openGpioLine } from './transports/gpio.ts'

const options = z
  .strictObject({
    ...gpioOptions,
    source: sourceOption('gpio/CHIP-LINE, or gpio/LINE without a chip'),
    activeLow: z
      .boolean()
      .default(false)
      .describe('The line is low while the contact is open (else high, as with a pull-up)'),
    debounceMs: z
      .int()
      .min(0)
      .max(10_000)
      .default(50)
      .describe('What lasts shorter is the bouncing of the contact'),
    checkMs: z
      .int()
      .min(100)
      .max(3_600_000)
      .default(20_000)
      .describe('Time between two looks at the line itself, besides its edges'),
    aliveMs: z
      .int()
      .min(1000)
      .max(86_400_000)
      .default(60_000)
      .describe('Without a change for so long the stream says that it is alive'),
  })
  .refine(
    ({ checkMs, aliveMs, debounceMs }) => checkMs < aliveMs && debounceMs < checkMs,
    'debounceMs is less than checkMs, and checkMs less than aliveMs',
  )

type Options = z.output<typeof options>

export const contactGpio: Driver<typeof options> = defineDriver({
  summary: 'Door or tamper contact on a GPIO line',
  options,

  sources: (options) => [
    {
      source: nameOf(options),
      kinds: ['contact'],
      promise: { type: 'events', ms: options.aliveMs },
      erasable: false,
    },
  ],

  async *read(options, { signal, refuse, heard }) {
    const { activeLow, checkMs, debounceMs } = options
    const source = nameOf(options)
    const line = await openGpioLine(options, signal)
    const sample = (isHigh: boolean, quality?: string): Sample => ({
      ...{ source, kind: 'contact', value: isHigh !== activeLow },
      ...(quality && { quality }),
    })
    let known: boolean | null = null
    // The kernel gives a line to one program at a time: looking and watching take turns. The moment
    // between them is shorter than a bounce, and what changed in it is seen by the next look.
    while (!signal.aborted) {
      const looked = await line.look()
      if ('reason' in looked) {
        refuse(looked.reason, looked.bytes)
        await setTimeout(Math.min(checkMs, 1000), undefined, { signal })
        continue
      }
      if (looked.value === known) heard(source)
      else yield sample(looked.value, known === null ? undefined : missed)
      known = looked.value
      const contact = settling(known, debounceMs)
      for await (const said of line.watch(checkMs, debounceMs)) {
        if (said !== null && 'reason' in said) {
          refuse(said.reason, said.bytes)
          continue
        }
        for (const { isHigh, wasMissed } of said ? contact.take(said.value) : contact.rest()) {
          yield sample(isHigh, wasMissed ? missed : undefined)
          known = isHigh
        }
      }
      // An edge that came last of all is left to the look that follows.
    }
  },
})

const missed = 'suspect: edge missed'

const nameOf = ({ source, chip, line }: Pick<Options, 'source' | 'chip' | 'line'>) =>
  source ?? `gpio/${chip ? `${chip.replace(/[^\w.-]+/g, '-').slice(-48)}-` : ''}${line}`

interface Level {
  readonly isHigh: boolean
  readonly wasMissed?: boolean
}

/** Finds the levels that lasted, by the kernel's own times: a gateway that was busy gets its edges late. */
function settling(now: boolean, debounceMs: number) {
  const debounceNs = BigInt(debounceMs) * 1_000_000n
  let settled = now
  let last: Edge | null = null
  function* settle(): Generator<Level> {
    if (last === null || last.isHigh === settled) return
    settled = last.isHigh
    yield { isHigh: settled }
  }
  return {
    *take(edge: Edge): Generator<Level> {
      const isLater = last === null || edge.atNs - last.atNs >= debounceNs
      const level = last?.isHigh ?? settled
      if (isLater) yield* settle()
      last = edge
      // To the level where it was already: it must have been away.
      if (isLater && edge.isHigh === level) {
        yield { isHigh: !level, wasMissed: true }
        settled = !level
      }
      if (debounceMs === 0) yield* settle()
    },
    /** No edge came for so long that the last one holds. */
    rest: settle,
  }
}
