import { brokenInvariant, type Rule } from '../../../machines/naimi-trehel/invariants.ts';
import type { ActorView, Property, StatePredicate, StateView } from '../../system/system.ts';
import { grantsNow } from '../row.ts';
import type { Options } from '../sites.ts';
import { isInside, messages, places, site, tokens, waits } from './observed.ts';
import { describeEff, isTree, observe, tailsLieOnPaths } from './structure.ts';

/* The rules of protocol.md, section 1, under its names; and what keeps them from holding in vain. */

export function always(
  name: string,
  predicate: StatePredicate,
  because: (state: StateView) => string,
): Property {
  return { kind: 'always', name, predicate, because };
}

export function reachable(name: string, predicate: StatePredicate): Property {
  return { kind: 'reachable', name, predicate };
}

const mutualExclusion = always(
  'mutual exclusion',
  { kind: 'count', of: (actor) => (isInside(actor) ? 1 : 0), is: (sites) => sites <= 1 },
  (state) => `${idsOf(state, isInside)} are in the critical section at once`,
);

/** A waiting site is in exactly one place, and no other site is in any: with itself for one, all are in one. */
const onePlace: StatePredicate = {
  kind: 'tally',
  names: (actor) => (waits(actor) ? places(actor) : [actor.id, ...places(actor)]),
  is: (times) => times === 1,
};

const L1 = always('L1', onePlace, ({ actors }) => {
  const named = actors.flatMap(places);
  const count = (id: string) => named.filter((other) => other === id).length;
  return actors
    .filter((actor) => count(actor.id) !== (waits(actor) ? 1 : 0))
    .map((actor) => `${actor.id} ${waits(actor) ? 'waits' : 'does not wait'}, in ${count(actor.id)} places`)
    .join('; ');
});

/** The part of `rule` that concerns one site alone. L2 also forbids a request that travels to its own origin. */
function local(rule: Rule): Property {
  const isHome = (actor: ActorView) =>
    messages(actor).some((message) => message.type === 'REQUEST' && message.origin === actor.id);
  const broken = (actor: ActorView) =>
    brokenInvariant(site(actor), rule) ??
    (rule === 'L2' && isHome(actor)
      ? `L2: no request travels to its origin, but that of ${actor.id} does`
      : null);
  return always(rule, { kind: 'every', is: (actor) => broken(actor) === null }, ({ actors }) =>
    actors.flatMap((actor) => broken(actor) ?? []).join('; '),
  );
}

const T = always('T', { kind: 'relation', of: observe, holds: isTree, pure: true }, describeEff);
const Q = always('Q', { kind: 'relation', of: observe, holds: tailsLieOnPaths, pure: true }, describeEff);

/**
 * A request that arrives at the root puts its origin into `next`, unless the token is sent at once: so a
 * root that is not idle must have nobody there.
 */
const nextIsKept = (() => {
  const wouldOverwrite = (actor: ActorView) => {
    const { last, next } = site(actor).context;
    return last === null && next !== null && !actor.in('client.idle');
  };
  return always(
    'next is never overwritten',
    { kind: 'every', is: (actor) => !wouldOverwrite(actor) },
    (state) => `${idsOf(state, wouldOverwrite)} has a next, and would put the next request's origin there`,
  );
})();

/** The rules that hold with sites that leave as well. */
export const rules: readonly Property[] = [
  mutualExclusion,
  L1,
  local('L2'),
  local('L3'),
  local('routing'),
  T,
  Q,
  nextIsKept,
];

export const leftKeepsNothing = local('left');

/** States that must be reachable, so that no rule holds vacuously. */
export function happens({ sites, network }: Options): readonly Property[] {
  const inLine = (least: number): StatePredicate => ({
    kind: 'count',
    of: (actor) => (site(actor).context.next === null ? 0 : 1),
    is: (waiting) => waiting >= least,
  });
  const properties = [reachable('a site waits in line', inLine(1))];
  if (sites >= 3) properties.push(reachable('two sites wait in line', inLine(2)));
  if (sites >= 4 && network.order !== 'unordered-by-target') {
    properties.push(reachable('a request is forwarded twice', { kind: 'some', is: forwardsAgain }));
  }
  return properties;
}

/**
 * The next thing that can happen to this site is at least the second forward of a request: one can arrive
 * from a site that is not its origin, and so has forwarded it, and `last` is not nil. Every request that
 * is forwarded twice passes through such a state. It takes four sites: the origin, two on the way, the
 * root. (Where the network does not keep the source, a state cannot tell.)
 */
function forwardsAgain(actor: ActorView): boolean {
  return (
    site(actor).context.last !== null &&
    actor.inbox.some(({ source }, index) => {
      const message = messages(actor)[index]!;
      const isFirst = actor.inbox.findIndex((other) => other.source === source) === index;
      return message.type === 'REQUEST' && isFirst && source !== message.origin;
    })
  );
}

export function properties(options: Options): readonly Property[] {
  return [
    ...rules,
    always(
      'exactly one token',
      { kind: 'count', of: tokens, is: (sum) => sum === 1 },
      (state) => `there are ${state.actors.reduce((sum, actor) => sum + tokens(actor), 0)}`,
    ),
    // A client can always ask or release, or a message arrives: nothing ever rests.
    { kind: 'deadlockFree', name: 'no deadlock' },
    ...happens(options),
  ];
}

const entersAtOnce = (actor: ActorView) => grantsNow(actor, 'ask', 'again', 'try');

/** For clients that also say `again` and `try`. */
export function combinedProperties(): readonly Property[] {
  return [
    always(
      'a site without the token grants nothing to its client',
      { kind: 'every', is: (actor) => site(actor).context.token || !entersAtOnce(actor) },
      (state) =>
        `${idsOf(state, (actor) => !site(actor).context.token && entersAtOnce(actor))} could enter at once`,
    ),
    reachable('a try succeeds', { kind: 'some', is: (actor) => grantsNow(actor, 'try') }),
    reachable('a client goes on while another site waits', {
      kind: 'some',
      is: (actor) => site(actor).context.next !== null && grantsNow(actor, 'again'),
    }),
  ];
}

export function idsOf({ actors }: StateView, is: (actor: ActorView) => boolean): string {
  return actors
    .filter(is)
    .map(({ id }) => id)
    .join(', ');
}
