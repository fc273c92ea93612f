/** What can go wrong on a wire: each takes what a device says, and gives what arrives. */
export type Spoil = (said: Uint8Array) => Uint8Array

/** The cable is touched in the middle. */
export const half: Spoil = (said) => said.subarray(0, Math.ceil(said.length / 2))

/** The device is connected and says nothing. */
export const silent: Spoil = () => new Uint8Array(0)

/** Bytes that no device said come before the others. */
export const withNoise =
  (random: () => number, most = 40): Spoil =>
  (said) => {
    const noise = Array.from({ length: 1 + Math.floor(random() * most) }, () => random() * 256)
    return Uint8Array.from([...noise, ...said])
  }
