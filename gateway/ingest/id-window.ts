import { utf8 } from '../../anchor-client/evidence/bytes.ts'
import { sm3 } from '../../anchor-client/evidence/sm3.ts'

/**
 * The last ids of one source, 16 bytes of SM3 each, so that no length of an id costs more than another: a ring in
 * the order of their coming, and an open hash table of places in the ring. 220 KiB when full, touched as it fills.
 */
export interface IdWindow {
  has(key: IdKey): boolean
  /** The oldest goes when there are too many. */
  add(key: IdKey): void
}

/** 16 bytes. */
export type IdKey = Uint32Array

export const idKey = (id: string): IdKey => new Uint32Array(sm3(utf8(id)).slice(0, 16).buffer)

export function openIdWindow(maxIds: number): IdWindow {
  const ring = new Uint32Array(4 * maxIds)
  // A slot holds a place + 1, or 0. Half of them or more stay empty, so that probing is short.
  const slots = new Uint16Array(2 ** Math.ceil(Math.log2(2 * maxIds)))
  const mask = slots.length - 1
  let next = 0

  const homeOf = (place: number): number => (ring[4 * place] as number) & mask

  const isAt = (place: number, key: IdKey): boolean =>
    ring[4 * place] === key[0] &&
    ring[4 * place + 1] === key[1] &&
    ring[4 * place + 2] === key[2] &&
    ring[4 * place + 3] === key[3]

  /** The slot that holds the key, or the empty one where it belongs. */
  function slotOf(key: IdKey): number {
    let slot = (key[0] as number) & mask
    for (let held = slots[slot]; held; held = slots[slot]) {
      if (isAt(held - 1, key)) break
      slot = (slot + 1) & mask
    }
    return slot
  }

  /** Closes the hole, so that no search ends at it too early. */
  function forget(place: number): void {
    let hole = slotOf(ring.subarray(4 * place, 4 * place + 4))
    slots[hole] = 0
    for (let slot = (hole + 1) & mask; slots[slot]; slot = (slot + 1) & mask) {
      const home = homeOf((slots[slot] as number) - 1)
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue
      slots[hole] = slots[slot] as number
      slots[slot] = 0
      hole = slot
    }
  }

  return {
    has: (key) => slots[slotOf(key)] !== 0,
    add(key) {
      if (slots[slotOf(key)]) return
      const place = next % maxIds
      if (next >= maxIds) forget(place)
      ring.set(key, 4 * place)
      slots[slotOf(key)] = place + 1
      next += 1
    },
  }
}
