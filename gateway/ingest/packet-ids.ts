/** QoS 2 packet ids that were taken and not yet released: one bit each, so that no publisher can fill the memory. */
export interface PacketIds {
  /** Whether it was not there. */
  add(id: number): boolean
  /** Whether it was there. */
  delete(id: number): boolean
}

export function openPacketIds(): PacketIds {
  // Most publishers never use QoS 2.
  let bits: Uint8Array | undefined

  function set(id: number, isThere: boolean): boolean {
    if (bits === undefined && !isThere) return false
    bits ??= new Uint8Array(65_536 / 8)
    const bit = 1 << (id & 7)
    const byte = bits[id >> 3] as number
    bits[id >> 3] = isThere ? byte | bit : byte & ~bit
    return (byte & bit) !== 0
  }

  return { add: (id) => !set(id, true), delete: (id) => set(id, false) }
}
