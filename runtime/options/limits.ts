/** How much of what a site takes and keeps. */
export interface Limits {
  /**
   * Messages that wait for one peer's acknowledgement; past it, what waits is dropped, and the peer meets a new life
   * of the link. Default 10,000.
   */
  readonly maxOutbox: number;
  /**
   * Connections that have not said who they are; past it, the machine that has the most of them loses its oldest.
   * Default 64.
   */
  readonly maxHandshakes: number;
  /** From the first packet of one who calls to its welcome, TLS and all. Default 5,000. */
  readonly handshakeTimeoutMs: number;
  /** First pause between two attempts to dial; doubles up to the longest, and is shortened at random by up to half. Default 20. */
  readonly dialMinMs: number;
  /** Default 1,000. */
  readonly dialMaxMs: number;
  /** How long a clean close waits for who holds a lock here, and then for what is not sent yet. Default 2,000. */
  readonly closeTimeoutMs: number;
  /** Locks in use or used before, at this site. Default 1,000,000. */
  readonly maxLocks: number;
  /**
   * Of those, the ones of which this site heard first from one and the same peer. One more is not taken, and who waits
   * for it goes on with the others, in an epoch without this site; who finds no majority with room is told
   * `TOO_MANY_LOCKS`. Default 250,000.
   */
  readonly maxLocksOfPeer: number;
  /**
   * How many local callers of a lock are served in a row while another site may wait for it, and how many critical
   * sections a lock may have here within one turn of the event loop. Default 16.
   */
  readonly combine: number;
}
