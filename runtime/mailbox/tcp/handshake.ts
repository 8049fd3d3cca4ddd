import type { SiteId } from '../../../machines/actor.ts';
import { OperatingError } from '../../errors.ts';
import type { Frame } from '../../frame/frames.ts';
import type { Link } from './link.ts';

/** Only one side of a pair dials, so that two sites never end up with two connections. */
export function dials(self: SiteId, peer: SiteId): boolean {
  return self < peer;
}

/**
 * The link that a connection belongs to by its first frame, and the incarnation of the peer. `dialled` is whom
 * this site has called, or null when it was called.
 *
 * Throws what the connection is refused for: `FRAME_OUT_OF_PLACE`, `FOREIGN_CLUSTER`, `FOREIGN_TARGET`,
 * `FOREIGN_SITE`, `DUPLICATE_CONNECTION`, `PEER_RESTARTED`.
 */
export function greet(
  frame: Frame,
  { self, cluster }: { readonly self: SiteId; readonly cluster: string },
  links: ReadonlyMap<SiteId, Link>,
  dialled: Link | null,
): { readonly link: Link; readonly incarnation: string } {
  if (frame.type !== 'hello') {
    throw new OperatingError('FRAME_OUT_OF_PLACE', `expected a hello first, a ${frame.type} came`);
  }
  const { site, target, incarnation } = frame;
  if (frame.cluster !== cluster) {
    throw new OperatingError(
      'FOREIGN_CLUSTER',
      `expected a site of cluster ${cluster}, one of ${frame.cluster} came; check its configuration`,
    );
  }
  if (target !== self) {
    throw new OperatingError(
      'FOREIGN_TARGET',
      `${site} expects ${target} here, this is ${self}; check its addresses`,
    );
  }
  const link = links.get(site);
  if (!link || (dialled ? link !== dialled : dials(self, site))) {
    const expected = dialled ? dialled.peer : 'a peer whose id comes before ours';
    throw new OperatingError('FOREIGN_SITE', `expected ${expected}, ${site} came; check addresses and peers`);
  }
  if (link.connection) {
    throw new OperatingError(
      'DUPLICATE_CONNECTION',
      `${site} is connected already, from ${link.connection.remote}`,
    );
  }
  if (link.incarnation !== null && (link.incarnation !== incarnation || link.over)) {
    link.over ??= 'restarted';
    throw new OperatingError(
      'PEER_RESTARTED',
      `${site} was started again and knows nothing of the run it was part of: it cannot rejoin; start every site again`,
    );
  }
  return { link, incarnation };
}
