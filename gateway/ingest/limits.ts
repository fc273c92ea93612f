/** What a publisher may cost the gateway; every number but the first holds for each connection on its own. */
export interface Limits {
  readonly connections: number
  readonly payloadBytes: number
  readonly packetBytes: number
  readonly clientIdBytes: number
  /** Taken and not yet answered, each publication counted with `publicationBytes` beside its payload. */
  readonly backlogBytes: number
  /** The same, of all connections together. */
  readonly allBacklogsBytes: number
  readonly publicationBytes: number
  /** Answers of one turn; no more are made before the publisher has read them. */
  readonly answersBytes: number
  /** From the connection to a whole CONNECT. */
  readonly connectMs: number
  /** From the first byte of a packet to its last one, and for answers that nobody reads. */
  readonly stalledMs: number
  /** What is still waited for, once it is clear that a connection will be closed. */
  readonly endMs: number
  /** For the publisher's own end, once everything is said. */
  readonly lingerMs: number
  /** How often all this is looked at. */
  readonly sweepMs: number
}

export const usualLimits: Limits = {
  connections: 1024,
  // More than the 4 KiB of a reading: what is somewhat too large is refused on record, and not resent for ever.
  payloadBytes: 65_536,
  packetBytes: 65_536 + 1024,
  clientIdBytes: 256,
  // 2,048 publications of a usual size.
  backlogBytes: 2 ** 20,
  allBacklogsBytes: 2 ** 25,
  publicationBytes: 384,
  answersBytes: 65_536,
  connectMs: 10_000,
  stalledMs: 60_000,
  endMs: 5000,
  lingerMs: 1000,
  sweepMs: 500,
}
