/** A stand-in for BlueZ on a private bus: an adapter without a radio, and whoever a test lets advertise. */
import { ask, type Peer, type PrivateBus } from './bluez-bus.ts'

export interface Heard {
  readonly manufacturer?: Readonly<Record<number, Uint8Array>>
  /** By the four hexadecimal digits of the service. */
  readonly service?: Readonly<Record<string, Uint8Array>>
  readonly rssiDbm?: number
}

export interface SimulatedBluez extends AsyncDisposable {
  /** Said on the bus as BlueZ says it, while somebody discovers; true if it was. */
  advertise(address: string, heard: Heard): boolean
  /** What BlueZ still knows of a device from the day before. */
  remember(address: string, heard: Heard): void
  /** Who discovers at the moment, with the filter that was set. */
  discovering(): ReadonlyMap<string, ReadonlyMap<string, unknown>>
  /** Every call that was made to it. */
  readonly calls: readonly string[]
  power(isOn: boolean): void
  /** The dongle is drawn. */
  takeAdapter(): void
  /** The program ends, as in a restart, and is there again. */
  leave(): Promise<void>
  join(): Promise<void>
}

const adapterPath = '/org/bluez/hci0'
const adapterFace = 'org.bluez.Adapter1'
const deviceFace = 'org.bluez.Device1'

type Entries = (readonly [name: string, variant: readonly [type: string, value: unknown]])[]

export async function openSimulatedBluez(bus: PrivateBus): Promise<SimulatedBluez> {
  let peer: (Peer & AsyncDisposable) | null = null
  let isOn = true
  const known = new Map<string, Heard>()
  const filters = new Map<string, ReadonlyMap<string, unknown>>()
  const discovering = new Map<string, ReadonlyMap<string, unknown>>()
  const calls: string[] = []

  async function join(): Promise<void> {
    peer = await bus.join()
    const adapter = {
      get Powered() {
        return isOn
      },
      SetDiscoveryFilter(
        entries: [string, [unknown, [unknown]]][],
        { sender }: { sender: string },
      ) {
        calls.push('SetDiscoveryFilter')
        filters.set(sender, new Map(entries.map(([name, [, [value]]]) => [name, value])))
      },
      StartDiscovery({ sender }: { sender: string }) {
        calls.push('StartDiscovery')
        if (!isOn) return refusal('NotReady', 'Resource Not Ready')
        if (discovering.has(sender)) return refusal('InProgress', 'Operation already in progress')
        discovering.set(sender, filters.get(sender) ?? new Map())
        return undefined
      },
      StopDiscovery({ sender }: { sender: string }) {
        calls.push('StopDiscovery')
        if (!discovering.delete(sender)) return refusal('Failed', 'No discovery started')
        return undefined
      },
    }
    peer.exportInterface(adapter, adapterPath, {
      name: adapterFace,
      methods: {
        SetDiscoveryFilter: ['a{sv}', ''],
        StartDiscovery: ['', ''],
        StopDiscovery: ['', ''],
      },
      properties: { Powered: 'b' },
    })
    const objects = {
      GetManagedObjects() {
        calls.push('GetManagedObjects')
        const devices = Array.from(known, ([address, heard]) => {
          return [pathOf(address), [[deviceFace, propertiesOf(address, heard)]]]
        })
        return [[adapterPath, [[adapterFace, [['Powered', ['b', isOn]]]]]], ...devices]
      },
    }
    peer.exportInterface(objects, '/', {
      name: 'org.freedesktop.DBus.ObjectManager',
      methods: { GetManagedObjects: ['', 'a{oa{sa{sv}}}'] },
    })
    // Who leaves the bus discovers no longer.
    await ask(peer, 'AddMatch', 's', ["type='signal',member='NameOwnerChanged'"])
    const left = peer.mangle('/org/freedesktop/DBus', 'org.freedesktop.DBus', 'NameOwnerChanged')
    peer.signals.on(left, ([name, , owner]: string[]) => {
      if (owner === '' && name !== undefined) discovering.delete(name)
    })
    await ask(peer, 'RequestName', 'su', ['org.bluez', 0])
  }

  async function leave(): Promise<void> {
    const before = peer
    peer = null
    discovering.clear()
    filters.clear()
    known.clear()
    await before?.[Symbol.asyncDispose]()
  }

  const changed = (path: string, face: string, entries: Entries) =>
    peer?.sendSignal(path, 'org.freedesktop.DBus.Properties', 'PropertiesChanged', 'sa{sv}as', [
      ...[face, entries, []],
    ])

  await join()
  return {
    advertise(address, heard) {
      if (peer === null || !isOn || discovering.size === 0) return false
      const before = known.get(address)
      known.set(address, heard)
      if (before === undefined) {
        peer.sendSignal(
          '/',
          'org.freedesktop.DBus.ObjectManager',
          'InterfacesAdded',
          'oa{sa{sv}}',
          [...[pathOf(address), [[deviceFace, propertiesOf(address, heard)]]]],
        )
        return true
      }
      const isRepeated = [...discovering.values()].some(
        (filter) => filter.get('DuplicateData') === true,
      )
      // Without that filter the same bytes are not said twice.
      const isSame = JSON.stringify(dataOf(before)) === JSON.stringify(dataOf(heard))
      const entries =
        isSame && !isRepeated ? signalOf(heard) : [...signalOf(heard), ...dataOf(heard)]
      changed(pathOf(address), deviceFace, entries)
      return true
    },
    remember: (address, heard) => void known.set(address, heard),
    discovering: () => discovering,
    calls,
    power(on) {
      isOn = on
      if (!on) discovering.clear()
      changed(adapterPath, adapterFace, [['Powered', ['b', on]]])
    },
    takeAdapter() {
      discovering.clear()
      if (peer) delete peer.exportedObjects[adapterPath]
      peer?.sendSignal('/', 'org.freedesktop.DBus.ObjectManager', 'InterfacesRemoved', 'oas', [
        ...[adapterPath, [adapterFace]],
      ])
    },
    leave,
    join,
    [Symbol.asyncDispose]: leave,
  }
}

const pathOf = (address: string) => `${adapterPath}/dev_${address.replaceAll(':', '_')}`

const propertiesOf = (address: string, heard: Heard): Entries => [
  ['Address', ['s', address]],
  ['AddressType', ['s', 'random']],
  ['Alias', ['s', address.replaceAll(':', '-')]],
  ['Paired', ['b', false]],
  ['UUIDs', ['as', []]],
  ...signalOf(heard),
  ...dataOf(heard),
]

const signalOf = ({ rssiDbm }: Heard): Entries =>
  rssiDbm === undefined ? [] : [['RSSI', ['n', rssiDbm]]]

function dataOf({ manufacturer = {}, service = {} }: Heard): Entries {
  const bytes = (value: Uint8Array) => ['ay', Array.from(value)] as const
  const companies = Object.entries(manufacturer).map(([id, value]) => [Number(id), bytes(value)])
  const services = Object.entries(service).map(([id, value]) => {
    return [`0000${id}-0000-1000-8000-00805f9b34fb`, bytes(value)]
  })
  return [
    ...(companies.length > 0 ? [['ManufacturerData', ['a{qv}', companies]] as const] : []),
    ...(services.length > 0 ? [['ServiceData', ['a{sv}', services]] as const] : []),
  ]
}

const refusal = (name: string, message: string) =>
  Object.assign(new Error(message), { dbusName: `org.bluez.Error.${name}` })
