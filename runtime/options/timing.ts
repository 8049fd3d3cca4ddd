/** When a peer is believed dead, and when that is acted upon. Times are ms. */
export interface Timing {
  /** Between two signs of life to a peer. Default 250. */
  readonly heartbeatMs: number;
  /** Nothing heard of a peer for so long: it is believed dead. Default 1,200. */
  readonly silentMs: number;
  /**
   * A site that waits for the lock suspects so long after a death, drawn anew each time between these two, so that
   * sites which wait do not all stand at once. Default 5 to 45.
   */
  readonly suspectMinMs: number;
  readonly suspectMaxMs: number;
  /**
   * How long a candidate waits for votes before it stands again (R10): doubles with each election that fails up to
   * the longest, and is shortened at random by up to half. Whoever voted for it waits two to three times as long;
   * a candidate waits up to a quarter of the shortest for the votes that a majority does not need, since the holder's
   * may be among them. Default 100 to 2,000.
   */
  readonly electionMinMs: number;
  readonly electionMaxMs: number;
  /**
   * A site that waits while some peer is down, though it has suspected already, suspects again after so long; each
   * time for one wait after twice as long. Default 15,000.
   */
  readonly patienceMs: number;
}
