/** Where both modules keep what in their memories. */
export const layout = {
  /** The 64 constants of the rounds. */
  constants: 0,
  /** The state: eight words, or eight of each of four messages. */
  state: 256,
  digest: 384,
  /** For each of four messages a word: where its next block is, where its tail takes over, its blocks. */
  next: 448,
  turn: 464,
  blocks: 480,
  /** What is left of each of four messages after its whole blocks, padded. */
  tails: 512,
  /** From one tail to the next: two blocks. */
  tailStride: 128,
  /** One message, with room for its padding. */
  message: 1_024,
  messageCapacity: 65_536,
  /** Where each of many messages ends, counted from the first one's start. */
  ends: 66_688,
  /** Two buffers, read and written in turn, each with room to read and write too much. */
  flat: [83_456, 215_552],
  flatCapacity: 131_072,
  /** A longer message is hashed on its own, which costs it nothing: four would not fit. */
  longest: 32_768,
  /** A prefix byte, so many bytes and the padding fit into a tail. */
  longestPrefixed: 64,
  /** So many messages have room for their digests, and for their ends. */
  most: 4_096,
  pages: 6,
} as const
