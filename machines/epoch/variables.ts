import type { SiteId } from '../actor.ts';
import type { Line } from '../line/rule.ts';
import { afterAdoption, afterConfigured, type Lease, noLease, type SiteSet } from './lease.ts';
import type { DurableState, Fence, MembersChange, Membership } from './messages.ts';

/** The variables of protocol.md, section 3, by their names there. */
export interface SiteContext extends Line {
  readonly self: SiteId;
  readonly voters: SiteSet;
  /** Membership of the configuration that names the voters (section 4). */
  readonly membership: Membership;
  /** The highest epoch that this site stood for, voted for or adopted. Persistent. */
  readonly promised: number;
  /** The epoch that was adopted last. Persistent, as is its `root`. */
  readonly epoch: number;
  readonly root: SiteId;
  /** Number of entries of `epoch` so far, as the token tells; 0 at a site without the token. */
  readonly k: number;
  /** Fence of the critical section; `null` outside. Its epoch is older when the section outlived an epoch change. */
  readonly fence: Fence | null;
  /** The sites that voted for this candidate; empty if this site is no candidate. */
  readonly votes: SiteSet;
  /** The voter with the token of the highest epoch; `null` when no voter has a token. */
  readonly holder: { readonly site: SiteId; readonly epoch: number } | null;
  /** The variables of strict mode; `null` without it. */
  readonly lease: Lease | null;
}

/** `founder` is the root of epoch 0. */
export interface SiteInput {
  readonly self: SiteId;
  readonly founder: SiteId;
  /** The voters until `configured` names others. `self` need not be one of them. */
  readonly voters: readonly SiteId[];
  /** Membership of the configuration that names the voters. Default: that of the founders. */
  readonly membership?: Membership;
  /**
   * The disk that an earlier run under this name left; `'none'` when there was no earlier run; `'lost'` when there was
   * one and its disk is gone (R8).
   */
  readonly disk: DurableState | 'none' | 'lost';
  /**
   * `disk` is a promise at least as high as that of the lock when this run forgot it (R13): no promise of a lease binds this site any
   * more. Default: false.
   */
  readonly forgotten?: boolean;
  /**
   * Strict mode: a site enters only with a lease. All sites of a cluster use it or none does. Default: false.
   */
  readonly strict?: boolean;
}

/** No epoch was decided before the founders. */
export const foundersMembership: Membership = { term: 0, version: 1, base: 0 };

export function initialContext(input: SiteInput): SiteContext {
  const { self, founder, voters, membership = foundersMembership, disk, strict } = input;
  const kept = typeof disk === 'string' ? { promised: 0, epoch: 0, root: founder } : disk;
  const isFirst = disk === 'none' && self === founder;
  return {
    self,
    voters: setOf(voters),
    membership,
    ...kept,
    last: kept.root === self ? null : kept.root,
    line: [],
    token: isFirst,
    k: 0,
    fence: null,
    votes: {},
    holder: null,
    lease: strict ? noLease : null,
  };
}

export function setOf(sites: readonly SiteId[]): SiteSet {
  return Object.fromEntries(sites.map((site) => [site, true]));
}

export function diskOf({ promised, epoch, root }: SiteContext): DurableState {
  return { promised, epoch, root };
}

/** The changes of the variables when an epoch is adopted (R2), except those of the client. */
export function adopted(
  { self, promised, lease }: SiteContext,
  { epoch, root }: { readonly epoch: number; readonly root: SiteId },
): Partial<SiteContext> {
  return {
    epoch,
    root,
    promised: Math.max(promised, epoch),
    last: root === self ? null : root,
    line: [],
    token: root === self,
    k: 0,
    votes: {},
    holder: null,
    lease: lease && afterAdoption(lease, epoch),
  };
}

/** R13: the token is gone for good, and its epoch over. */
export const givenUp = { token: false, k: 0 } as const satisfies Partial<SiteContext>;

/** The changes of the variables when a site promises `epoch` (R4, R5): lower epochs count no longer. */
export function promising(epoch: number): Partial<SiteContext> {
  return { promised: epoch, votes: {}, holder: null };
}

/** The changes of the variables by a configuration, without those of the client. */
export function configured(
  { promised, lease }: Pick<SiteContext, 'promised' | 'lease'>,
  { voters, term, version, base, joins }: Omit<MembersChange, 'type'>,
): Partial<SiteContext> {
  return {
    voters,
    membership: { term, version, base },
    votes: {},
    holder: null,
    lease: lease && afterConfigured(lease),
    ...(joins && { promised: Math.max(promised, base + 1), token: false, line: [], k: 0 }),
  };
}

/** R6: counts one more vote, and remembers the voter with the token of the highest epoch so far. */
export function counting(
  { votes, holder }: Pick<SiteContext, 'votes' | 'holder'>,
  voter: SiteId,
  holds: number | null,
): Partial<SiteContext> {
  return {
    votes: { ...votes, [voter]: true },
    holder: holds !== null && holds > (holder?.epoch ?? -1) ? { site: voter, epoch: holds } : holder,
  };
}

/** Reports whether `sites` are more than half of the voters. */
export function isMajority(sites: SiteSet, voters: SiteSet): boolean {
  return 2 * Object.keys(sites).length > Object.keys(voters).length;
}
