/** What no single value shows: names that lead nowhere, and two things where only one can be. */

import { type Complaint, complaint } from './complaint.ts'
import { nearest } from './did-you-mean.ts'
import { withPathsFrom } from './paths.ts'
import type { Choices } from './schema.ts'
import type { Spot } from './spots.ts'

/**
 * So many streams can be open at once: each publisher is one, each source of a device, the shipment that is open at a
 * reader, and the gateway's own record.
 */
export const mostOpenStreams = 1024

/** Looks at the values as they were written, so that other faults in the file do not hide these. */
export const inconsistencies = (
  root: Spot,
  dataFolder: string,
  drivers: Choices,
): readonly Complaint[] => {
  const feeding = childrenAt(root, 'devices').map(([device, { value, keyAt }]): Feeding => {
    return { device, keyAt, sources: sourcesOf(withPathsFrom(dataFolder, value), drivers) }
  })
  return [
    ...shipmentComplaints(root),
    ...sourceComplaints(feeding),
    ...streamComplaints(root, feeding),
    ...ledgerComplaints(root),
    ...serialPortComplaints(root),
    ...portComplaints(root),
  ]
}

/** A device, and the streams that it feeds. */
interface Feeding {
  readonly device: string
  readonly keyAt: number
  readonly sources: readonly string[]
}

const spotAt = (root: Spot, ...path: readonly string[]): Spot | undefined =>
  path.reduce<Spot | undefined>((spot, key) => spot?.children.get(key), root)

const childrenAt = (root: Spot, ...path: readonly string[]) =>
  Array.from(spotAt(root, ...path)?.children ?? [])

function shipmentComplaints(root: Spot): Complaint[] {
  const devices = childrenAt(root, 'devices').map(([name]) => name)
  const sources = childrenAt(root, 'ingest', 'mqtt', 'sources').map(([name]) => `mqtt/${name}`)
  const isOpen = spotAt(root, 'ingest', 'mqtt', 'unlisted')?.value !== 'refuse'
  const unknown = (name: string, known: readonly string[], at: number): Complaint[] => {
    if (known.includes(name)) return []
    const near = nearest(name, known)
    const hint = near ? `did you mean ${near}?` : `there are ${known.join(', ') || 'no devices'}`
    return [complaint(at, `shipments: there is no device ${name}`, hint)]
  }
  return childrenAt(root, 'shipments').flatMap(([reader, spot]) => [
    ...unknown(reader, devices, spot.keyAt),
    ...childrenAt(spot, 'members').flatMap(([, { value, at }]) => {
      if (typeof value !== 'string') return []
      if (isOpen && spotAt(root, 'ingest', 'mqtt') && value.startsWith('mqtt/')) return []
      return unknown(value, [...devices, ...sources], at)
    }),
  ])
}

/** Two devices on one address would write one stream, each contradicting the other's promise. */
function sourceComplaints(feeding: readonly Feeding[]): Complaint[] {
  const owners = new Map<string, string>()
  return feeding.flatMap(({ device, keyAt, sources }) =>
    sources.flatMap((source) => {
      const owner = owners.get(source)
      owners.set(source, owner ?? device)
      if (source === 'control' || /^(?:mqtt|import)\//.test(source)) {
        return [complaint(keyAt, `devices.${device}: the stream ${source} is kept for others`)]
      }
      if (owner === undefined) return []
      const message = `devices.${device}: the stream ${source} is already fed by ${owner}`
      return [complaint(keyAt, message, 'check the address, or give one of them another source')]
    }),
  )
}

/** Those that found no place would never be recorded. */
function streamComplaints(root: Spot, feeding: readonly Feeding[]): Complaint[] {
  const others = [childrenAt(root, 'ingest', 'mqtt', 'sources'), childrenAt(root, 'shipments')]
  const allowed = mostOpenStreams - 1 - others.flat().length
  let count = 0
  for (const { device, keyAt, sources } of feeding) {
    count += sources.length
    if (count <= allowed) continue
    const message = `devices.${device}: with its ${sources.length} streams the devices have ${count}, and ${allowed} are allowed`
    const hint = `of ${mostOpenStreams} the gateway, each publisher listed and each reader of shipments have one`
    return [complaint(keyAt, message, hint)]
  }
  return []
}

function sourcesOf(value: unknown, drivers: Choices): readonly string[] {
  const { driver = '', ...options } = (value ?? {}) as { driver?: string }
  const chosen = Object.hasOwn(drivers, driver) ? drivers[driver] : undefined
  const parsed = chosen?.options.safeParse(options)
  if (!parsed?.success) return []
  return chosen?.sources?.(parsed.data as never).map(({ source }) => source) ?? []
}

function ledgerComplaints(root: Spot): Complaint[] {
  const seen = new Set<string>()
  return childrenAt(root, 'anchor').flatMap(([, { value, at }]) => {
    const text = JSON.stringify(value)
    if (seen.has(text)) return [complaint(at, 'anchor: the same ledger stands here twice')]
    seen.add(text)
    return []
  })
}

/** Of two programs that read one serial port each gets half of what it says. */
function serialPortComplaints(root: Spot): Complaint[] {
  const owners = new Map<unknown, string>()
  return childrenAt(root, 'devices').flatMap(([device, spot]) => {
    const port = spot.children.get('port')
    if (typeof port?.value !== 'string' || port.value.includes('://')) return []
    const owner = owners.get(port.value)
    owners.set(port.value, owner ?? device)
    if (owner === undefined) return []
    const message = `devices.${device}.port: ${owner} has this port already`
    return [complaint(port.at, message, 'several transmitters on one line are one device')]
  })
}

function portComplaints(root: Spot): Complaint[] {
  const broker = spotAt(root, 'ingest', 'mqtt', 'listen')
  const pages = spotAt(root, 'http', 'listen')
  if (broker === undefined || pages === undefined || broker.value !== pages.value) return []
  if (String(broker.value).endsWith(':0')) return []
  return [complaint(pages.at, 'http.listen: ingest.mqtt.listen has this address already')]
}
