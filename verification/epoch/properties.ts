import type { SiteId } from '../../machines/actor.ts';
import { brokenInvariant, type Rule } from '../../machines/epoch/invariants.ts';
import type { Fence } from '../../machines/epoch/messages.ts';
import { always, count, every, plain, reachable, some } from '../system/properties.ts';
import type { ActorView, Property, StateView } from '../system/system.ts';
import { type Elections, type Grants, isBelow } from './histories.ts';
import { epochOf, fenceOf, follows, isInside, messages, site, tokens, waits } from './observed.ts';

/* The promises of protocol.md, section 2, under its names; and what keeps them from holding in vain. */

/** One token, in a sum with a digit for each epoch. */
const digit = (epoch: number) => 8 ** epoch;

const S1 = always(
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

const S2 = always(
  'S2',
  plain(({ history }) => Object.values(history as Elections).every(({ length }) => length <= 1)),
  ({ history }) => `epoch by epoch, these were elected: ${JSON.stringify(history)}`,
);

/** Those in the critical section at once, the older one first. */
function* overlaps({ actors }: StateView): Generator<readonly [ActorView, ActorView]> {
  const inside = actors.filter(isInside);
  for (const [index, one] of inside.entries()) {
    for (const other of inside.slice(index + 1)) {
      yield isBelow(fenceOf(other), fenceOf(one)) ? [other, one] : [one, other];
    }
  }
}

/** Was `older` absent from an election by which the lock can have gone to `newer`? */
function wasAbsent(older: ActorView, newer: ActorView, elections: Elections): boolean {
  const [from, to] = [fenceOf(older).epoch, fenceOf(newer).epoch];
  return Object.entries(elections).some(
    ([epoch, won]) =>
      Number(epoch) > from && Number(epoch) <= to && won.some((voters) => !(older.id in voters)),
  );
}

const S4 = always(
  'S4',
  plain((state) => {
    for (const [older, newer] of overlaps(state)) {
      if (!wasAbsent(older, newer, state.history as Elections)) return false;
    }
    return true;
  }),
  (state) =>
    [...overlaps(state)]
      .map(([older, newer]) => `${older.id} and ${newer.id} are in the critical section at once`)
      .join('; '),
);

const S3 = always(
  'S3',
  plain(({ history }) => (history as Grants).again === null),
  ({ history }) => `fence ${text((history as Grants).again!)} was granted twice`,
);

/** Also inside a critical section: its fence stays the one that was granted. */
const S5 = always(
  'S5',
  plain(({ actors, history }) => {
    const { fell, last } = history as Grants;
    return (
      fell === null && actors.every((actor) => !isInside(actor) || isGranted(fenceOf(actor), last[actor.id]))
    );
  }),
  ({ history }) => `what was granted, and what fell: ${JSON.stringify(history)}`,
);

const isGranted = (fence: Fence, granted: Fence | undefined) =>
  granted !== undefined && fence.epoch === granted.epoch && fence.k === granted.k;

const text = ({ epoch, k }: Fence) => `(${epoch}, ${k})`;

function local(rule: Rule): Property {
  const broken = (actor: ActorView) => (actor.up ? brokenInvariant(site(actor), rule) : null);
  return always(
    rule,
    every((actor) => broken(actor) === null),
    ({ actors }) => actors.flatMap((actor) => broken(actor) ?? []).join('; '),
  );
}

/** Whatever is sent names an epoch with the root that everybody knows it by. */
const oneRoot = always(
  'an epoch has one root',
  plain(({ actors }) => {
    const roots = new Map<number, SiteId>();
    for (const { epoch, root } of actors.flatMap(stars)) {
      if ((roots.get(epoch) ?? root) !== root) return false;
      roots.set(epoch, root);
    }
    return true;
  }),
  ({ actors }) => JSON.stringify(actors.flatMap(stars)),
);

function stars(actor: ActorView): readonly { readonly epoch: number; readonly root: SiteId }[] {
  const said = messages(actor).flatMap((message) => ('root' in message ? [message] : []));
  return (actor.up ? [site(actor).context, ...said] : said).map(({ epoch, root }) => ({ epoch, root }));
}

const rules: readonly Property[] = [
  local('L2'),
  local('L3'),
  local('routing'),
  local('promise'),
  local('fence'),
];

const keepsItsSection = (actor: ActorView) =>
  isInside(actor) && follows(actor) && fenceOf(actor).epoch < epochOf(actor);

/** For systems whose history is that of the elections. */
export const ofElections: readonly Property[] = [
  S1,
  S2,
  S4,
  oneRoot,
  ...rules,
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
    'two critical sections overlap',
    count(isInside, (sites) => sites > 1),
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

/** For systems where a site crashes and comes back with its disk. */
export const ofRestarts: readonly Property[] = [
  reachable(
    'a site that crashed is served again',
    some((actor) => isInside(actor) && (actor.crashes ?? 0) > 0),
  ),
];

/** For systems whose history is that of the grants. */
export const ofGrants: readonly Property[] = [
  S1,
  S3,
  S5,
  ...rules,
  reachable(
    'fences of two epochs are granted',
    plain(({ history }) => Object.keys((history as Grants).highest).length > 1),
  ),
  reachable(
    'three grants in one epoch',
    plain(({ history }) => Object.values((history as Grants).highest).some((k) => k > 2)),
  ),
  reachable(
    'a critical section is lost',
    plain(({ history }) => (history as Grants).lost),
  ),
];
