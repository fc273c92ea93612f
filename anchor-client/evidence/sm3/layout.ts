/** Where the scalar module keeps what: the state, the digest, the constants, a message and room for its padding. */
export const scalarMemory = {
  state: 0,
  digest: 32,
  constants: 64,
  message: 512,
  capacity: 65_536,
} as const
