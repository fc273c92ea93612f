/** What one Bluetooth LE device advertises, as BlueZ hears it: by discovery alone, nothing is ever connected. */
import { z } from 'zod'
import { bluezGone, noAdapter, refusal, silent, switchedOff } from './bluez-refusals.ts'
import { type DBus, openDBus, theBus } from './dbus.ts'
import type { Call, Message } from './dbus-messages.ts'
import type { DBusValue, Variant } from './dbus-values.ts'

/** One advertisement; maps are empty where it carries nothing of that sort. */
export interface Advertisement {
  /** By the number of the company. */
  readonly manufacturer: ReadonlyMap<number, Uint8Array>
  /** By the UUID in full, in small letters. */
  readonly service: ReadonlyMap<string, Uint8Array>
  /** Null where the adapter does not know it. */
  readonly rssiDbm: number | null
}

export const bleOptions = {
  address: z
    .string()
    .regex(/^[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}$/)
    .meta({ title: 'an address of Bluetooth, such as A4:C1:38:8D:18:B2' })
    .transform((address) => address.toUpperCase())
    .describe('Address of the sensor, as printed on it or by bluetoothctl'),
  adapter: z
    .string()
    .regex(/^hci\d{1,2}$/)
    .meta({ title: 'hci and a number' })
    .default('hci0')
    .describe('Bluetooth adapter, as `bluetoothctl list` or `hciconfig` prints it'),
  silentMs: z
    .int()
    .min(100)
    .max(86_400_000)
    .default(120_000)
    .describe('A sensor that is not heard for so long counts as gone'),
  bus: z
    .string()
    .regex(/^unix:[ -~]{1,500}$/)
    .meta({ title: 'an address of D-Bus, such as unix:path=/run/dbus/system_bus_socket' })
    .optional()
    .describe('Address of the D-Bus (DBUS_SYSTEM_BUS_ADDRESS, or the usual one if not given)'),
}

export interface BleOptions {
  readonly address: string
  readonly adapter: string
  readonly silentMs: number
  readonly bus?: string | undefined
}

/** Ends quietly on abort; a device that is not heard, or an adapter that goes away, is SENSOR_ABSENT. */
export async function* advertisements(
  options: BleOptions,
  signal: AbortSignal,
): AsyncGenerator<Advertisement, void> {
  const { address, adapter, silentMs } = options
  // BlueZ ends the discovery of who leaves the bus: there is nothing else to close.
  await using bus = await openDBus({ address: options.bus, signal })
  const device = `/org/bluez/${adapter}/dev_${address.replaceAll(':', '_')}`
  const owner = await startDiscovery(bus, adapter, device)
  let heardMs = performance.now()
  while (!signal.aborted) {
    const leftMs = heardMs + silentMs - performance.now()
    // Others may be heard all the time.
    const said = leftMs < -1000 ? null : await bus.signal(leftMs)
    if (signal.aborted) return
    if (said === null) throw silent(address, silentMs)
    throwIfGone(said, adapter, owner)
    // Anyone on the bus may send a signal to anyone: only BlueZ's own count.
    if (said.sender !== owner) continue
    const changed = changesOf(said, device)
    if (changed === null || !evidenceOfHearing.some((name) => changed.has(name))) continue
    heardMs = performance.now()
    yield advertisementOf(changed)
  }
}

/** Whatever of these is said anew was heard anew; what BlueZ keeps from before is never asked for. */
const evidenceOfHearing = ['RSSI', 'ManufacturerData', 'ServiceData']

/** Gives BlueZ's own name on the bus, by which its signals are known. */
async function startDiscovery(bus: DBus, adapter: string, device: string): Promise<string> {
  const path = `/org/bluez/${adapter}`
  const ask = async (call: Call): Promise<readonly DBusValue[]> => {
    const answer = await bus.call(call)
    if (answer.error !== undefined) throw refusal(answer.error, adapter)
    return answer.values
  }
  const watch = (rule: string) =>
    ask({ ...theBus, member: 'AddMatch', signature: 's', body: [`type='signal',${rule}`] })
  const onAdapter = (member: string, signature = '', body: DBusValue[] = []) =>
    ask({ destination: bluez, path, interface: 'org.bluez.Adapter1', member, signature, body })

  await watch(`sender='${theBus.destination}',member='NameOwnerChanged',arg0='${bluez}'`)
  const [powered] = await ask({
    ...{ destination: bluez, path, interface: properties, member: 'Get' },
    ...{ signature: 'ss', body: ['org.bluez.Adapter1', 'Powered'] },
  })
  if ((powered as Variant | undefined)?.value !== true) throw switchedOff(adapter)
  const [owner] = await ask({ ...theBus, member: 'GetNameOwner', signature: 's', body: [bluez] })
  // Whom nobody asked for is left out by the bus: a street full of others costs nothing.
  const objects = `sender='${bluez}',interface='${manager}'`
  await watch(`sender='${bluez}',interface='${properties}',path='${path}'`)
  await watch(`sender='${bluez}',interface='${properties}',path='${device}'`)
  await watch(`${objects},member='InterfacesAdded',arg0path='${device}'`)
  await watch(`${objects},member='InterfacesRemoved',arg0path='${path}'`)
  const filter = new Map<string, Variant>([
    ['Transport', { type: 's', value: 'le' }],
    // Without it BlueZ keeps quiet about what it has heard before.
    ['DuplicateData', { type: 'b', value: true }],
  ])
  await onAdapter('SetDiscoveryFilter', 'a{sv}', [filter])
  await onAdapter('StartDiscovery')
  return owner as string
}

function throwIfGone({ sender, path, member, body }: Message, adapter: string, owner: string) {
  const [subject, second] = body
  if (sender === theBus.destination && member === 'NameOwnerChanged' && subject === bluez) {
    // The start that our own first question brought about is no end.
    if (body[2] !== owner) throw bluezGone()
  }
  if (sender !== owner) return
  const isAdapter = (one: unknown) => one === `/org/bluez/${adapter}`
  if (member === 'InterfacesRemoved' && isAdapter(subject)) throw noAdapter(adapter)
  if (member === 'PropertiesChanged' && isAdapter(path) && second instanceof Map) {
    const { value } = (second.get('Powered') as Variant | undefined) ?? {}
    if (value === false) throw switchedOff(adapter)
  }
}

/** What is new about the device, in either of the two signals that say it. */
function changesOf({ path, member, body }: Message, device: string) {
  const [first, second] = body
  const isChange = member === 'PropertiesChanged' && path === device && first === deviceInterface
  const isNew = member === 'InterfacesAdded' && first === device && second instanceof Map
  const changed = isChange ? second : isNew ? second.get(deviceInterface) : undefined
  return changed instanceof Map ? (changed as ReadonlyMap<DBusValue, DBusValue>) : null
}

function advertisementOf(changed: ReadonlyMap<DBusValue, DBusValue>): Advertisement {
  const said = (name: string, type: string): DBusValue | undefined => {
    const variant = changed.get(name) as Variant | undefined
    return variant?.type === type ? variant.value : undefined
  }
  const bytesBy = <Key extends DBusValue>(content: DBusValue | undefined) =>
    Array.from((content as ReadonlyMap<Key, Variant> | undefined) ?? []).flatMap(
      ([key, { type, value }]) => (type === 'ay' ? [[key, value as Uint8Array] as const] : []),
    )
  const rssi = said('RSSI', 'n') as number | undefined
  return {
    manufacturer: new Map(bytesBy<number>(said('ManufacturerData', 'a{qv}'))),
    service: new Map(
      bytesBy<string>(said('ServiceData', 'a{sv}')).map(([uuid, bytes]) => {
        return [uuid.toLowerCase(), bytes] as const
      }),
    ),
    // 127 stands for "not known".
    rssiDbm: rssi === undefined || rssi >= 127 || rssi < -127 ? null : rssi,
  }
}

const bluez = 'org.bluez'
const deviceInterface = 'org.bluez.Device1'
const properties = 'org.freedesktop.DBus.Properties'
const manager = 'org.freedesktop.DBus.ObjectManager'
