import type { SiteId } from '../../../machines/actor.ts';
import { brokenInvariant, type Rule } from '../../../machines/epoch/invariants.ts';
import type { Fence } from '../../../machines/epoch/messages.ts';
import { always, count, every, reachable, relation, some } from '../../system/properties.ts';
import type { ActorView, Property, StateView } from '../../system/system.ts';
import { grantsNow } from '../row.ts';
import type { Elections, Grants } from './histories.ts';
import { epochOf, fenceOf, follows, isInside, messages, places, site, tokens, waits } from './observed.ts';

/* The promises of protocol.md, section 3, under its names; and what keeps them from holding in vain. */

/** One token, in a sum with a digit for each epoch. */
const digit = (epoch: number) => 8 ** epoch;

export const S1 = always(
  'S1',
  count(
    (actor) => tokens(actor).reduce((sum, { epoch }) => sum + digit(epoch), 0),
    (sum) => {
      for (let rest = sum; rest > 0; rest = Math.floor(rest / 8)) if (rest % 8 > 1) return false;
      return true;
    },
  ),
  ({ actors }) =>
    actors
      .flatMap((actor) => tokens(actor).map(({ epoch }) => `${actor.id}: token of epoch ${epoch}`))
      .join(', '),
);

/** The bit of a site that stands in two places of another one at once. */
const TWICE = 1 << 31;

/**
 * L1 under epochs: in each epoch a site stands in one place at most. A crash or a new epoch may leave it in none; then it asks again
 * as it adopts (R2). A bit for each site and epoch.
 */
function L1(sites: readonly SiteId[]): Property {
  const index = (id: SiteId) => sites.indexOf(id);
  return always(
    'L1',
    relation(
      (actor) =>
        places(actor, index).reduce((bits, { epoch, site }) => {
          const bit = 1 << (epoch * sites.length + site);
          return bits | bit | ((bits & bit) === 0 ? 0 : TWICE);
        }, 0),
      (observed) => {
        let all = 0;
        for (const bits of observed) {
          if ((bits & (TWICE | all)) !== 0) return false;
          all |= bits;
        }
        return true;
      },
    ),
    ({ actors }) => {
      const named = actors
        .flatMap((actor) => places(actor, index))
        .map(({ epoch, site }) => `${sites[site]} stands more than once in epoch ${epoch}`);
      return [...new Set(named.filter((place, at) => named.indexOf(place) < at))].join('; ');
    },
  );
}

const nothing = () => 0;

const S2 = always(
  'S2',
  relation(nothing, (_, history) => Object.values(history as Elections).every(({ length }) => length <= 1)),
  ({ history }) => `epoch by epoch, these were elected: ${JSON.stringify(history)}`,
);

/**
 * If two sites are in the critical section at once, the one with the fence of the lower epoch was absent from an
 * election between. Between two fences of one epoch there is none, so that such an overlap is always one too many.
 */
function S4(sites: readonly SiteId[]): Property {
  const OUTSIDE = -1;
  const wasAbsent = (older: SiteId, from: number, to: number, elections: Elections): boolean => {
    for (let epoch = from + 1; epoch <= to; epoch++) {
      if (elections[epoch]?.some((voters) => !(older in voters))) return true;
    }
    return false;
  };
  const inside = ({ actors }: StateView) =>
    actors.filter(isInside).map((actor) => `${actor.id} under ${text(fenceOf(actor))}`);
  return always(
    'S4',
    relation(
      (actor) => (isInside(actor) ? fenceOf(actor).epoch : OUTSIDE),
      (epochs, history) =>
        epochs.every((from, older) =>
          epochs.every(
            (to, newer) =>
              older === newer ||
              from === OUTSIDE ||
              to < from ||
              wasAbsent(sites[older]!, from, to, history as Elections),
          ),
        ),
    ),
    (state) => `inside are ${inside(state).join(' and ')}; elected were ${JSON.stringify(state.history)}`,
  );
}

const S3 = always(
  'S3',
  relation(nothing, (_, history) => (history as Grants).again === null),
  ({ history }) => `fence ${text((history as Grants).again!)} was granted twice`,
);

/** Also inside a critical section: its fence stays the one that was granted. */
function S5(sites: readonly SiteId[]): Property {
  const numberOf = ({ epoch, k }: Fence) => epoch * 1024 + k + 1;
  return always(
    'S5',
    relation(
      (actor) => (isInside(actor) ? numberOf(fenceOf(actor)) : 0),
      (fences, history) => {
        const { fell, last } = history as Grants;
        const isGranted = (fence: number, index: number) => {
          const granted = last[sites[index]!];
          return fence === 0 || (granted !== undefined && fence === numberOf(granted));
        };
        return fell === null && fences.every(isGranted);
      },
    ),
    ({ history }) => `what was granted, and what fell: ${JSON.stringify(history)}`,
  );
}

const text = ({ epoch, k }: Fence) => `(${epoch}, ${k})`;

export function local(rule: Rule): Property {
  const broken = (actor: ActorView) => (actor.up ? brokenInvariant(site(actor), rule) : null);
  return always(
    rule,
    every((actor) => broken(actor) === null),
    ({ actors }) => actors.flatMap((actor) => broken(actor) ?? []).join('; '),
  );
}

/** Every message names an epoch with the one root of that epoch. A bit for each epoch and root. */
export function oneRoot(sites: readonly SiteId[], changes: number): Property {
  const ofEpoch = (1 << sites.length) - 1;
  return always(
    'an epoch has one root',
    relation(
      (actor, indexOf) =>
        stars(actor)
          .filter(({ epoch }) => epoch > 0)
          .reduce((bits, { epoch, root }) => bits | (1 << ((epoch - 1) * sites.length + indexOf(root))), 0),
      (observed) => {
        const all = observed.reduce((bits, seen) => bits | seen, 0);
        for (let epoch = 1; epoch <= changes; epoch++) {
          const roots = (all >>> ((epoch - 1) * sites.length)) & ofEpoch;
          if ((roots & (roots - 1)) !== 0) return false;
        }
        return true;
      },
    ),
    ({ actors }) => JSON.stringify(actors.flatMap(stars)),
  );
}

function stars(actor: ActorView): readonly { readonly epoch: number; readonly root: SiteId }[] {
  const said = messages(actor).flatMap((message) => ('root' in message ? [message] : []));
  return (actor.up ? [site(actor).context, ...said] : said).map(({ epoch, root }) => ({ epoch, root }));
}

export const ofOneSite: readonly Property[] = [
  local('L2'),
  local('L3'),
  local('routing'),
  local('promise'),
  local('fence'),
];

const keepsItsSection = (actor: ActorView) =>
  isInside(actor) && follows(actor) && fenceOf(actor).epoch < epochOf(actor);

/** For systems whose history is that of the elections; epochs 0 to `changes`. */
export function ofElections(sites: readonly SiteId[], changes: number): readonly Property[] {
  const rules: readonly Property[] = [S1, S2, S4(sites), L1(sites), oneRoot(sites, changes), ...ofOneSite];
  if (changes === 0) return rules;
  // With two sites, both are in every majority.
  return [...rules, ...happens, ...(sites.length > 2 ? [overlap] : [])];
}

const happens: readonly Property[] = [
  reachable(
    'an epoch change completes',
    every((actor) => follows(actor) && epochOf(actor) > 0),
  ),
  reachable('a holder that voted keeps its critical section', some(keepsItsSection)),
  reachable(
    'a later epoch serves',
    some((actor) => isInside(actor) && fenceOf(actor).epoch > 0),
  ),
  reachable(
    'a site joins the line that it hands on',
    some((actor) => messages(actor).some((message) => message.type === 'TOKEN' && message.line.length > 0)),
  ),
  reachable(
    'two stand against each other',
    count(
      (actor) => actor.in('epoch.candidate'),
      (sites) => sites > 1,
    ),
  ),
  reachable(
    'a frozen site waits',
    some((actor) => waits(actor) && !follows(actor)),
  ),
];

const overlap = reachable(
  'two critical sections overlap',
  count(isInside, (sites) => sites > 1),
);

/** For systems where a site crashes and comes back with its disk. */
export const ofRestarts: readonly Property[] = [
  reachable(
    'a site that crashed is served again',
    some((actor) => isInside(actor) && (actor.crashes ?? 0) > 0),
  ),
];

const entersAtOnce = (actor: ActorView) => grantsNow(actor, 'ask', 'again', 'try');
const mayEnter = (actor: ActorView) => {
  const { token, lease } = site(actor).context;
  return token && follows(actor) && (lease === null || lease.since !== null);
};

/** For systems in which clients also say `again` and `try`. */
export const ofCombining = (strict: boolean): readonly Property[] => [
  always(
    'only a site that follows with the token, and a lease if it needs one, grants at once',
    every((actor) => !entersAtOnce(actor) || mayEnter(actor)),
    ({ actors }) =>
      actors
        .filter((actor) => entersAtOnce(actor) && !mayEnter(actor))
        .map(({ id, value }) => `${id} could enter at once, in ${JSON.stringify(value)}`)
        .join('; '),
  ),
  reachable(
    'a try succeeds',
    some((actor) => grantsNow(actor, 'try')),
  ),
  reachable(
    'a client goes on while another site waits',
    some((actor) => actor.up && site(actor).context.line.length > 0 && grantsNow(actor, 'again')),
  ),
  // Leases hold elections up, so that a section that one of them finds is rare among few rounds.
  ...(strict
    ? []
    : [
        reachable(
          'a client goes on in an epoch that is newer than its fence',
          some((actor) => keepsItsSection(actor) && grantsNow(actor, 'again')),
        ),
      ]),
];

/** For systems whose history is that of the grants, `asks` by each site at most. */
export function ofGrants(sites: readonly SiteId[], asks: number): readonly Property[] {
  const granted = (name: string, is: (grants: Grants) => boolean) =>
    reachable(
      name,
      relation(nothing, (_, history) => is(history as Grants)),
    );
  return [
    S1,
    S3,
    S5(sites),
    ...ofOneSite,
    granted('fences of two epochs are granted', ({ highest }) => Object.keys(highest).length > 1),
    granted('each ask is granted in one epoch', ({ highest }) =>
      Object.values(highest).some((k) => k === asks * sites.length),
    ),
    granted('a critical section is lost', ({ lost }) => lost),
  ];
}
