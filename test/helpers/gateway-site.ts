/** A site on the bench: devices simulated in this process, told by a test what to do, and what a gateway makes of them. */

import { KedgeError } from '../../anchor-client/evidence/errors.ts'
import { decodeEvidence } from '../../anchor-client/evidence/file.ts'
import type { Questions, Report } from '../../anchor-client/evidence/model.ts'
import { shownReadings } from '../../anchor-client/evidence/show.ts'
import { parseTrust } from '../../anchor-client/evidence/trust.ts'
import { verifyEvidence } from '../../anchor-client/evidence/verify.ts'
import { parseExpectation } from '../../gateway/command-line/questions.ts'
import type { DataFolder } from '../../gateway/data-folder.ts'
import type { Asked } from '../../gateway/queries/query.ts'
import { chanceFrom } from '../../hardware/sim/chance.ts'
import { openDevicePorts } from '../../hardware/sim/device-port.ts'
import { gnssReceiver } from '../../hardware/sim/gnss-receiver.ts'
import { fridgeAddress, oneWireSensor } from '../../hardware/sim/one-wire.ts'
import { demoTags } from '../../hardware/sim/tags.ts'
import { uhfReader } from '../../hardware/sim/uhf-reader.ts'
import { type Line, until } from './gateway.ts'
import { asked } from './running-gateway.ts'

export const fridge = `w1/${fridgeAddress}`

/** `hasty` devices break their promises within seconds, the others not on any machine. */
export async function openSite(folder: string, isHasty = true) {
  const bus = `${folder}/w1`
  const sensor = oneWireSensor({
    bus,
    address: fridgeAddress,
    everyMs: 100,
    celsius: () => 4.5,
    onFault() {},
  })
  const { ports } = await openDevicePorts(
    ['uhf', 'gnss'].map((name) => ({ link: `${folder}/dev/${name}`, onFault() {} })),
  )
  const [uhf, gnss] = ports
  if (uhf === undefined || gnss === undefined) throw new Error('no ports')
  const reader = uhfReader(uhf, { inField: () => demoTags.slice(0, 2), random: chanceFrom(1) })
  const receiver = gnssReceiver(gnss, { now: Date.now, random: chanceFrom(2), everyMs: 200 })
  const patience = isHasty ? 1000 : 600_000
  return {
    ...{ sensor, uhf, gnss, reader, receiver },
    devices: `
devices:
  fridge: { driver: cold-ds18b20, address: ${fridgeAddress}, bus: ${bus}, everyMs: 1000, toleranceMs: ${patience} }
  dock: { driver: rfid-uhf-m100, port: "${uhf.name}", source: uhf/dock, everyMs: 50, seenAgainMs: 300, aliveMs: ${2 * patience}, silentMs: 2000 }
  road: { driver: gnss-nmea, port: "${gnss.name}", everyMs: 0, aliveMs: ${2 * patience}, silentMs: 2000 }
`,
    async [Symbol.asyncDispose]() {
      for (const one of [sensor, reader, receiver]) one[Symbol.dispose]()
      for (const port of ports) await port[Symbol.asyncDispose]()
    },
  }
}

/** What `export` prints of a stream; none where there is no such stream so far. */
export async function exported(data: DataFolder, stream: string): Promise<Line[]> {
  return asked(data, 'export', { stream }).then(({ lines }) => lines as Line[], none)
}

const none = (error: unknown): Line[] => {
  if (error instanceof KedgeError && error.code === 'NOT_FOUND') return []
  throw error
}

export const isReading = ({ value }: Line): boolean => value !== undefined

/** Waits until so many readings more than now are in a stream. */
export async function readingsMore(data: DataFolder, stream: string, more = 1): Promise<void> {
  const count = async () => (await exported(data, stream)).filter(isReading).length
  const before = await count()
  await until(async () => (await count()) >= before + more, `readings of ${stream}`)
}

export const refusals = async (data: DataFolder): Promise<Line[]> =>
  (await asked(data, 'export', { refused: true })).lines as Line[]

export const statusOf = async (data: DataFolder): Promise<Line> =>
  (await asked(data, 'status', {})).lines[0] as Line

/** For a gateway to which nothing comes any more. */
export const allSealed = (data: DataFolder) =>
  until(async () => (await statusOf(data)).journal.unsealed === 0, 'the last batch')

export async function allAnchored(data: DataFolder): Promise<void> {
  await allSealed(data)
  await until(async () => (await statusOf(data)).anchors[0]?.lag === 0, 'the last anchor')
}

/** Evidence over what is asked for, as soon as a ledger has it, and what the gateway's own trust file makes of it. */
export async function judged(data: DataFolder, wanted: Asked, expect: readonly string[] = []) {
  const { bytes } = await until(
    () =>
      asked(data, 'prove', wanted).catch((error) => {
        if (error instanceof KedgeError && error.code === 'NOT_ANCHORED') return null
        throw error
      }),
    'an anchor',
  )
  const trust = new TextDecoder().decode((await asked(data, 'trust', {})).bytes)
  const questions: Questions = { expect: expect.map(parseExpectation), maxLagMs: null }
  const report: Report = verifyEvidence(bytes, parseTrust(trust), questions)
  const why = report.lines
    .filter(({ result }) => result !== 'PASS')
    .map(({ property, reason }) => `${property}: ${reason}`)
    .join('\n')
  return {
    bytes,
    report,
    verdict: report.verdict,
    why,
    shown: Array.from(shownReadings(bytes)) as Line[],
  }
}

/** The whole stream as it is now. */
export async function wholeStream(
  data: DataFolder,
  stream: string,
  expect: readonly string[] = [],
) {
  const { streams } = await statusOf(data)
  const leaves = streams.findLast((of: Line) => of.stream === stream).leaves
  return judged(data, { stream, index: `0-${leaves - 1}` }, expect)
}

export const recordsIn = (bytes: Uint8Array) =>
  decodeEvidence(bytes).ranges.flatMap(({ leaves }) =>
    Array.from(leaves, ([, leaf]) => (leaf.form === 'opened' ? leaf.record : null)),
  )
