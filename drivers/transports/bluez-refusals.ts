/** Why BlueZ cannot listen, in a sentence, and what a person can do about it. */
import { KedgeError } from '../../anchor-client/evidence/errors.ts'

/** By the name of the error that came over the bus. */
export function refusal(error: string, adapter: string): KedgeError {
  if (/\.(AccessDenied|NotAuthorized)$/.test(error)) {
    return absent(
      'this user may not speak to BlueZ',
      'Put the user of the gateway into the group bluetooth.',
    )
  }
  if (/\.(ServiceUnknown|NameHasNoOwner|Disconnected)$|\.Spawn\./.test(error)) {
    return absent('BlueZ is not running', 'Run systemctl enable --now bluetooth.')
  }
  // Which of them, is a matter of the version.
  if (/\.(UnknownObject|UnknownMethod|UnknownInterface)$/.test(error)) return noAdapter(adapter)
  if (error.endsWith('.NotReady')) return switchedOff(adapter)
  const name = error.slice(0, 100)
  return error.endsWith('.NoReply')
    ? absent('BlueZ does not answer', 'See systemctl status bluetooth.')
    : absent(`BlueZ cannot listen: ${name}`, 'See journalctl -u bluetooth.')
}

const absent = (message: string, hint: string) => new KedgeError('SENSOR_ABSENT', message, { hint })

export const bluezGone = () =>
  absent('BlueZ was stopped or started anew', 'See systemctl status bluetooth if it stays away.')

export const noAdapter = (adapter: string) =>
  absent(
    `there is no Bluetooth adapter ${adapter}`,
    'See bluetoothctl list, and that config.txt has no disable-bt.',
  )

export const switchedOff = (adapter: string) =>
  absent(
    `the Bluetooth adapter ${adapter} is switched off`,
    'Run rfkill unblock bluetooth and bluetoothctl power on.',
  )

export const silent = (address: string, silentMs: number) =>
  absent(
    `${address} was not heard for ${silentMs} ms`,
    'Check its battery, its distance, and the address on it.',
  )
