import type { SiteId } from '../../../machines/actor.ts';
import { always, every, reachable, relation, some } from '../../system/properties.ts';
import type { Property, StatePredicate } from '../../system/system.ts';
import { siteNames } from '../sites.ts';
import { hasTimer, holdsLease } from './clocks.ts';
import { epochOf, fenceOf, follows, isInside, leaseOf } from './observed.ts';
import { local, ofOneSite, oneRoot, S1 } from './properties.ts';
import type { EpochOptions } from './system.ts';

/** The numbers of sites inside with a lease that is valid in fact, and without one. */
function inside(sites: readonly SiteId[], is: (valid: number, stale: number) => boolean): StatePredicate {
  return relation(
    (actor) => Number(isInside(actor)),
    (observed, history) => {
      let valid = 0;
      let stale = 0;
      for (const [index, site] of sites.entries()) {
        if (observed[index] === 0) continue;
        if (holdsLease(history, site)) valid++;
        else stale++;
      }
      return is(valid, stale);
    },
  );
}

/** Strict mode: no two critical sections with a valid lease overlap, and no resource need see to it. */
const S6 = (sites: readonly SiteId[]): Property =>
  always(
    'S6',
    inside(sites, (valid) => valid <= 1),
    ({ actors, history }) =>
      actors
        .filter((actor) => isInside(actor) && holdsLease(history, actor.id))
        .map(
          (actor) =>
            `${actor.id} is inside under a valid lease, with the fence of epoch ${fenceOf(actor).epoch}`,
        )
        .join('; '),
  );

/** Every site inside will be told when its lease is over. */
const timed = (sites: readonly SiteId[]): Property =>
  always(
    'a critical section has its time',
    relation(
      (actor) => Number(isInside(actor)),
      (observed, history) => sites.every((site, index) => observed[index] === 0 || hasTimer(history, site)),
    ),
  );

/** For systems whose history is that of the clocks. */
export function ofLeases(options: EpochOptions): readonly Property[] {
  const { changes = 1, renews = 'none' } = options;
  const sites = siteNames(options);
  return [
    S6(sites),
    timed(sites),
    S1,
    oneRoot(sites, changes),
    ...ofOneSite,
    local('lease'),
    reachable(
      'a grant under a lease',
      inside(sites, (valid) => valid > 0),
    ),
    ...(renews === 'none' ? [] : [renewed]),
    ...(changes === 0 ? [] : ofChanges),
    ...(changes === 0 || sites.length < 3 ? [] : [stopped(sites)]),
  ];
}

const renewed = reachable(
  'a lease is renewed inside',
  some((actor) => isInside(actor) && (leaseOf(actor).since ?? 0) > 1),
);

/** With two sites, both are in every majority. */
const stopped = (sites: readonly SiteId[]) =>
  reachable(
    'a stopped site is still inside, without a lease, when another has one',
    inside(sites, (valid, stale) => valid > 0 && stale > 0),
  );

const ofChanges: readonly Property[] = [
  reachable(
    'an epoch change completes when leases have run out',
    every((actor) => follows(actor) && epochOf(actor) > 0),
  ),
  reachable(
    'a later epoch serves under a lease',
    some((actor) => isInside(actor) && fenceOf(actor).epoch > 0),
  ),
  reachable(
    'a vote is put off',
    some((actor) => actor.up && leaseOf(actor).putOff?.type === 'VOTE_REQUEST'),
  ),
];
