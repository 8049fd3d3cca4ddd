import type { SiteId } from '../actor.ts';
import type { ClientEvent, SiteMessage } from './messages.ts';

/** A set of sites. It has no order and is plain JSON. */
export type SiteSet = Readonly<Record<SiteId, true>>;

/** A message to a site that is bound by a promise. The site handles it again when the promise ends. */
export type PutOff =
  | Extract<ClientEvent, { type: 'suspect' }>
  | Extract<SiteMessage, { type: 'VOTE_REQUEST' }>;

/** The variables of strict mode (protocol.md, section 3). */
export interface Lease {
  /** Rounds of heartbeats that this site began in its epoch. */
  readonly round: number;
  /**
   * The sites that promised in the last round; `null` while no round is open: the round became the lease, or
   * its time is over.
   */
  readonly promises: SiteSet | null;
  /** The round that the lease counts from. `null`: there is no lease. */
  readonly since: number | null;
  /** The highest candidacy that arrived while this site was bound. `null`: none. */
  readonly putOff: PutOff | null;
}

export const noLease: Lease = { round: 0, promises: null, since: null, putOff: null };

/** R2: rounds start again, and an earlier suspicion does not hold in the new epoch. */
export function afterAdoption({ putOff }: Lease, epoch: number): Lease {
  return { ...noLease, putOff: candidacyOf(putOff) > epoch ? putOff : null };
}

export function begun(lease: Lease, promises: SiteSet): Lease {
  return { ...lease, round: lease.round + 1, promises };
}

export function promisedBy(lease: Lease, voter: SiteId): Lease {
  return { ...lease, promises: { ...lease.promises, [voter]: true } };
}

export function won(lease: Lease): Lease {
  return { ...lease, since: lease.round, promises: null };
}

/** Ends the time of `round`: it becomes no lease, and a lease that counts from it ends. */
export function over(lease: Lease, round: number): Lease {
  const { since, promises } = lease;
  return {
    ...lease,
    since: since === round ? null : since,
    promises: lease.round === round ? null : promises,
  };
}

export function putOff(lease: Lease, asked: PutOff): Lease {
  return candidacyOf(asked) > candidacyOf(lease.putOff) || lease.putOff === null
    ? { ...lease, putOff: asked }
    : lease;
}

/**
 * M3: under another configuration a candidacy that was put off elects nobody any more. This site stands in its place: a suspicion of its own may
 * have given way to that candidacy.
 */
export function afterConfigured({ putOff, ...lease }: Lease): Lease {
  const stands = { type: 'suspect', because: { reason: 'election', down: {} } } as const;
  return { ...lease, promises: null, putOff: putOff?.type === 'VOTE_REQUEST' ? stands : putOff };
}

function candidacyOf(asked: PutOff | null): number {
  return asked?.type === 'VOTE_REQUEST' ? asked.epoch : -1;
}
