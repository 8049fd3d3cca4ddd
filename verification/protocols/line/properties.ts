import { brokenInvariant, type Rule } from '../../../machines/line/invariants.ts';
import {
  always,
  count,
  deadlockFree,
  messages as deliveriesOf,
  every,
  leadsTo,
  reachable,
  relation,
  some,
  tally,
  weakly,
} from '../../system/properties.ts';
import type { ActorView, Fairness, Property, StatePredicate, StateView } from '../../system/system.ts';
import { grantsNow, sectionEnds } from '../row.ts';
import { type Options, siteNames } from '../sites.ts';
import {
  describeTree,
  hasLeft,
  isInside,
  isTree,
  messages,
  nonePointsAtLeft,
  observe,
  places,
  site,
  tokens,
  travelling,
  waits,
} from './observed.ts';

/* The rules of docs/protocol.md, section 1b, by their names, and the states that must be reachable. */

export const mutualExclusion = always(
  'mutual exclusion',
  count(isInside, (sites) => sites <= 1),
  (state) => `${idsOf(state, isInside)} are in the critical section at once`,
);

/** A waiting site is named once, any other site never: with itself for one, each other site is named once too. */
const L1 = always(
  'L1',
  tally(
    (actor) => (waits(actor) ? places(actor) : [actor.id, ...places(actor)]),
    (times) => times === 1,
  ),
  ({ actors }) => {
    const named = actors.flatMap(places);
    const times = (id: string) => named.filter((other) => other === id).length;
    return actors
      .filter((actor) => times(actor.id) !== (waits(actor) ? 1 : 0))
      .map((actor) => `${actor.id} ${waits(actor) ? 'waits' : 'does not wait'}, in ${times(actor.id)} places`)
      .join('; ');
  },
);

/** The part of `rule` about one site; L2 also says that no request travels to its origin. */
function local(rule: Rule): Property {
  const isHome = (actor: ActorView) =>
    messages(actor).some((message) => message.type === 'REQUEST' && message.origin === actor.id);
  const broken = (actor: ActorView) =>
    brokenInvariant(site(actor), rule) ??
    (rule === 'L2' && isHome(actor)
      ? `L2: no request travels to its origin, but that of ${actor.id} does`
      : null);
  return always(
    rule,
    every((actor) => broken(actor) === null),
    ({ actors }) => actors.flatMap((actor) => broken(actor) ?? []).join('; '),
  );
}

const T = always('T', { kind: 'relation', of: observe, holds: isTree, pure: true }, describeTree);

const rules: readonly Property[] = [mutualExclusion, L1, local('L2'), local('L3'), local('routing'), T];

function happens({ sites }: Options): readonly Property[] {
  const line = (actor: ActorView, least: number) => site(actor).context.line.length >= least;
  const properties = [
    reachable(
      'a waiting site keeps a request',
      some((actor) => waits(actor) && line(actor, 1)),
    ),
    reachable(
      'the token carries a line',
      some((actor) => messages(actor).some((message) => message.type === 'TOKEN' && message.line.length > 0)),
    ),
  ];
  if (sites < 3) return properties;
  return [
    ...properties,
    reachable(
      'two sites stand in one line',
      some((actor) => line(actor, 2)),
    ),
  ];
}

/** Properties of systems whose sites all stay. */
export function properties(options: Options): readonly Property[] {
  return [
    ...rules,
    always(
      'exactly one token',
      count(tokens, (sum) => sum === 1),
      (state) => `there are ${state.actors.reduce((sum, actor) => sum + tokens(actor), 0)}`,
    ),
    deadlockFree('no deadlock'),
    ...(options.sites > 2 ? happens(options) : []),
  ];
}

/** Properties of systems whose clients also say `again` and `try`. */
export const combinedProperties: readonly Property[] = [
  always(
    'a site without the token grants nothing to its client',
    every((actor) => site(actor).context.token || !grantsNow(actor, 'ask', 'again', 'try')),
  ),
  reachable(
    'a try succeeds',
    some((actor) => grantsNow(actor, 'try')),
  ),
  reachable(
    'a client goes on while another site waits',
    some((actor) => site(actor).context.line.length > 0 && grantsNow(actor, 'again')),
  ),
];

/** A site that has left, in a sum that also counts tokens or goodbyes. */
const GONE = 1 << 8;

/** Properties of systems whose sites leave. The last one keeps the token as it leaves. */
export function leavingProperties(options: Options): readonly Property[] {
  const { sites } = options;
  const haveLeft = (least: number): StatePredicate => count(hasLeft, (sum) => sum >= least);
  const isReached = (actor: ActorView) => hasLeft(actor) && actor.inbox.length > 0;
  return [
    ...rules,
    always(
      'exactly one token, until all have left',
      count(
        (actor) => (hasLeft(actor) ? GONE : tokens(actor)),
        (sum) => sum % GONE === 1 || sum === sites * GONE,
      ),
    ),
    deadlockFree('no deadlock, until all have left', haveLeft(sites)),
    local('left'),
    always(
      'nothing travels to a site that has left',
      every((actor) => !isReached(actor)),
      (state) => `a message is on its way to ${idsOf(state, isReached)}`,
    ),
    always('no site points at one that has left', relation(observe, nonePointsAtLeft), describeTree),
    always(
      'a leaver awaits the goodbyes that will come',
      relation(
        (actor) =>
          (actor.in('client.leaving') ? site(actor).context.peers * GONE : 0) +
          travelling(actor, 'LEAVE') +
          travelling(actor, 'GOODBYE'),
        (observed) => {
          const sum = observed.reduce((total, one) => total + one, 0);
          return Math.floor(sum / GONE) === sum % GONE;
        },
      ),
    ),
    ...(sites > 2 ? happens(options) : []),
    reachable('all have left', haveLeft(sites)),
  ];
}

/** No message is delayed for ever, and no critical section lasts for ever. Clients need not ask. */
const deliveriesAndEnds = weakly(deliveriesOf, sectionEnds);

/** Every site that requests enters, or withdraws: one property for each site. */
export function liveness(options: Options, fairness: Fairness = deliveriesAndEnds): readonly Property[] {
  return siteNames(options).map((id) => {
    const at = (...states: readonly string[]) =>
      some((actor) => actor.id === id && states.some((state) => actor.in(state)));
    return leadsTo(
      `${id} is served`,
      at('client.requesting'),
      at('client.inCS', 'client.withdrawn'),
      fairness,
    );
  });
}

function idsOf({ actors }: StateView, is: (actor: ActorView) => boolean): string {
  return actors
    .filter(is)
    .map(({ id }) => id)
    .join(', ');
}
