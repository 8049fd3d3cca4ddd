import type { SiteId } from '../../../machines/actor.ts';
import { OperatingError } from '../../api/errors.ts';
import { anySite, asGuest, type Identity, proves } from '../../wire/frames.ts';
import type { Proven } from '../pipe.ts';

/** Only one side of a pair dials, so that two sites seldom have two connections. */
export function dials(self: SiteId, peer: SiteId): boolean {
  return self < peer;
}

/** The name of one incarnation of a link, among all. */
export function linkIncarnation({ incarnation, life }: Pick<Identity, 'incarnation' | 'life'>): string {
  return `${incarnation}/${life}`;
}

/** A peer, as a handshake needs it. */
export interface Greeted {
  readonly id: SiteId;
  /** Why a connection of that incarnation is refused, or null. */
  whyRefused(identity: Identity): string | null;
}

export interface Expectation {
  readonly self: SiteId;
  readonly cluster: string;
  /** Digest of the settings that must be the same at every site. */
  readonly configuration: string;
  /**
   * Digest of the settings that must be the same at all founders; `founded`: the cluster is founded, and has none any
   * more.
   */
  readonly founders: string;
  readonly proven: Proven;
}

/** Stands for the digest once the cluster is founded. */
export const founded = 'founded';

/**
 * The peer at the other end of a connection, by the identity that it claims. `expected` is the peer that this site dialled,
 * or null when the other side dialled. `meet` gives the site, or the guest, of a name, and makes it where this site has not heard of it.
 *
 * Throws the reason for which the connection is refused: `SITE_NOT_PROVEN`, `FOREIGN_CLUSTER`, `FOREIGN_TARGET`, `FOREIGN_SITE`,
 * `FOREIGN_CONFIGURATION`, `PEER_RESTARTED`.
 */
export function identify<Peer extends Greeted>(
  identity: Identity,
  { self, cluster, configuration, founders, proven }: Expectation,
  meet: (site: SiteId, isGuest: boolean) => Peer,
  expected: Peer | null,
): Peer {
  const { site, target } = identity;
  const isGuest = identity.founders === asGuest;
  if (proven && !proves(proven, site)) {
    throw new OperatingError(
      'SITE_NOT_PROVEN',
      `expected ${proven.join(' or ') || 'a certificate of this cluster'}, as the connection proves; one came that says it is ${site}`,
    );
  }
  if (identity.cluster !== cluster) {
    throw new OperatingError(
      'FOREIGN_CLUSTER',
      `expected a site of cluster ${cluster}, got one of ${identity.cluster}; check its configuration`,
    );
  }
  if (target !== self && !(isGuest && target === anySite)) {
    throw new OperatingError(
      'FOREIGN_TARGET',
      `${site} expects ${target} here, this is ${self}; check its addresses`,
    );
  }
  if (site === self || (expected && expected.id !== anySite && site !== expected.id)) {
    const right = expected ? expected.id : 'another site';
    throw new OperatingError('FOREIGN_SITE', `expected ${right}, got ${site}; check addresses and peers`);
  }
  const isUnfounded = [founders, identity.founders].every(
    (digest) => digest !== founded && digest !== asGuest,
  );
  if (identity.configuration !== configuration || (isUnfounded && identity.founders !== founders)) {
    throw new OperatingError(
      'FOREIGN_CONFIGURATION',
      `expected ${site} to be configured like ${self}, it is not; give every site the same strict, and all that found the cluster the ` +
        'same founders, voters and root',
    );
  }
  const peer = expected ?? meet(site, isGuest);
  const over = peer.whyRefused(identity);
  if (over !== null) throw new OperatingError('PEER_RESTARTED', over);
  return peer;
}
