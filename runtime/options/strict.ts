/**
 * Leases (protocol.md, strict mode). Entering asks a majority for promises, one round trip, unless a lease is in force;
 * inside, four heartbeats a lease renew it; an idle lock sends nothing. When it cannot be renewed, `Held.signal`
 * aborts at its end. A process that is stopped (SIGSTOP, a long pause) hears of that when it wakes, so what must not
 * come late still needs a fence. A new epoch waits for the promises to be over: a death costs up to a lease more.
 */
export interface Strict {
  /** How long a lease lasts, counted from the site's own asking. At least 4 times the longest round trip; 50 to 3,600,000. */
  readonly leaseMs: number;
  /** By what share of its rate any site's monotonic clock may be off, 0 to 0.5. Default 0.01. */
  readonly driftShare?: number;
}
