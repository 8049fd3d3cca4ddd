import { brokenInvariant, type Rule } from '../../../machines/naimi-trehel/invariants.ts';
import { always, count, every, reachable, relation, some } from '../../system/properties.ts';
import type { ActorView, Property, StatePredicate } from '../../system/system.ts';
import type { Options } from '../sites.ts';
import * as token from '../token.ts';
import { messages, places, site } from './observed.ts';
import { describeEff, isTree, nonePointsAtLeft, observe, tailsLieOnPaths } from './structure.ts';

/* The rules of docs/protocol.md, section 1, by their names, and the states that must be reachable. */

const local = (rule: Rule) => token.local((actor, of: Rule) => brokenInvariant(site(actor), of), rule);

const hasNext = (actor: ActorView) => site(actor).context.next !== null;

/**
 * A request that arrives at the root puts its origin into `next`, unless the token is sent at once: so the `next` of a root
 * that is not idle must be nil.
 */
function wouldOverwrite(actor: ActorView): boolean {
  return site(actor).context.last === null && hasNext(actor) && !actor.in('client.idle');
}

const rules: readonly Property[] = [
  token.mutualExclusion,
  token.onePlace(places),
  local('L2'),
  local('L3'),
  local('routing'),
  always('T', { kind: 'relation', of: observe, holds: isTree, pure: true }, describeEff),
  always('Q', { kind: 'relation', of: observe, holds: tailsLieOnPaths, pure: true }, describeEff),
  always(
    'next is never overwritten',
    every((actor) => !wouldOverwrite(actor)),
    (state) =>
      `${token.idsOf(state, wouldOverwrite)} has a next, and would put the next request's origin there`,
  ),
];

/** States that must be reachable, so that no rule holds vacuously. */
function happens({ sites, network }: Options): readonly Property[] {
  const inLine = (least: number): StatePredicate => count(hasNext, (waiting) => waiting >= least);
  const properties = [reachable('a site waits in line', inLine(1))];
  if (sites >= 3) properties.push(reachable('two sites wait in line', inLine(2)));
  if (sites >= 4 && network.order !== 'unordered-by-target') {
    properties.push(reachable('a request is forwarded twice', some(forwardsAgain)));
  }
  return properties;
}

/**
 * The next thing that can happen to this site is at least the second forward of a request: a request can arrive from a site that
 * is not its origin, and so has forwarded it, and `last` is not nil. Every request that is forwarded twice passes through such a
 * state. It takes four sites: the origin, two on the way, the root. (Where the network does not keep the source, a state cannot tell.)
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

/** Properties of systems whose sites all stay. */
export function properties(options: Options): readonly Property[] {
  return [...rules, ...token.stayingProperties, ...happens(options)];
}

/** Properties of systems whose clients also say `again` and `try`. */
export const combinedProperties = token.combinedProperties(hasNext);

/** Properties of systems whose sites leave. */
export function leavingProperties(options: Options): readonly Property[] {
  const properties = [
    ...rules,
    ...token.leavingProperties(options, local('left'), relation(observe, nonePointsAtLeft), describeEff),
    ...happens(options),
  ];
  if (options.sites < 3) return properties;
  // With two sites, the other site's request comes after the token that the withdrawn one awaits.
  const isPassedBy = some((actor) => actor.in('client.withdrawn') && hasNext(actor));
  return [...properties, reachable('a site that withdrew is passed by', isPassedBy)];
}
