/** Who of the publishers is there, and what they have said already. */

interface Words {
  readonly online: string
  readonly offline: string
}

/** Tells once that a publisher went, and once that it is back. Null for what is neither word. */
export function openAttendance(warn: (message: string) => void) {
  const gone = new Set<string>()
  return (
    name: string,
    words: Words,
    payload: Uint8Array,
  ): 'online' | 'offline' | 'nothing' | null => {
    const text = new TextDecoder().decode(payload.subarray(0, 256)).trim()
    // Zigbee2MQTT writes {"state":"online"}.
    const word = /^\{\s*"state"\s*:\s*"([^"\\]{1,64})"\s*\}$/.exec(text)?.[1] ?? text
    if (word === words.offline) {
      if (!gone.has(name)) warn(`${name} says that it is gone`)
      gone.add(name)
      return 'offline'
    }
    if (word === words.online) {
      if (gone.delete(name)) warn(`${name} says that it is back`)
      return 'online'
    }
    // What was kept is taken back by a message of no bytes.
    return text === '' ? 'nothing' : null
  }
}

const mostIds = 1000

/** Whether a publisher has sent this id before: the last thousand of each are known. */
export function openRepeats() {
  const known = new Map<string, Set<string>>()
  return (name: string, id: string): boolean => {
    const ids = known.get(name) ?? new Set()
    known.set(name, ids)
    if (ids.has(id)) return true
    ids.add(id)
    const [oldest] = ids
    if (ids.size > mostIds && oldest !== undefined) ids.delete(oldest)
    return false
  }
}
