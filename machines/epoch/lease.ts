import type { SiteId } from '../actor.ts';
import type { ClientEvent, SiteMessage } from './messages.ts';

/** A set of sites: no order, and plain JSON. */
export type SiteSet = Readonly<Record<SiteId, true>>;

/** Asked of a site that is bound by a promise: it is asked again when that is over. */
export type PutOff =
  | Extract<ClientEvent, { type: 'suspect' }>
  | Extract<SiteMessage, { type: 'VOTE_REQUEST' }>;

/** The variables of strict mode (protocol.md, section 2). */
export interface Lease {
  /** Rounds of heartbeats that this site began in its epoch. */
  readonly round: number;
  /**
   * The sites that promised in the last round; `null` when none is counted: the round became the lease, or its time is
   * over.
   */
  readonly promises: SiteSet | null;
  /** The round that the lease counts from; `null`: there is no lease. */
  readonly since: number | null;
  /** The highest candidacy that came while this site was bound; `null`: none came. */
  readonly putOff: PutOff | null;
}

export const noLease: Lease = { round: 0, promises: null, since: null, putOff: null };

/** R2: rounds start anew, and a suspicion was of an epoch that is over. */
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

/** The time of `round` is over: no lease counts from it any more, and none will. */
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

function candidacyOf(asked: PutOff | null): number {
  return asked?.type === 'VOTE_REQUEST' ? asked.epoch : -1;
}
