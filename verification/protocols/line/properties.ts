import { brokenInvariant, type Rule } from '../../../machines/line/invariants.ts';
import { always, reachable, relation, some } from '../../system/properties.ts';
import type { ActorView, Property } from '../../system/system.ts';
import type { Options } from '../sites.ts';
import * as token from '../token.ts';
import { describeTree, isTree, messages, nonePointsAtLeft, observe, places, site } from './observed.ts';

/* The rules of docs/protocol.md, section 2, by their names, and the states that must be reachable. */

const local = (rule: Rule) => token.local((actor, of: Rule) => brokenInvariant(site(actor), of), rule);

const rules: readonly Property[] = [
  token.mutualExclusion,
  token.onePlace(places),
  local('L2'),
  local('L3'),
  local('routing'),
  always('T', { kind: 'relation', of: observe, holds: isTree, pure: true }, describeTree),
];

const lengthOf = (actor: ActorView) => site(actor).context.line.length;

/** Other sites wait in the site's line. */
export const hasLine = (actor: ActorView) => lengthOf(actor) > 0;

function happens({ sites }: Options): readonly Property[] {
  if (sites < 3) return [];
  return [
    reachable(
      'a waiting site keeps a request',
      some((actor) => token.waits(actor) && hasLine(actor)),
    ),
    reachable(
      'the token carries a line',
      some((actor) => messages(actor).some((message) => message.type === 'TOKEN' && message.line.length > 0)),
    ),
    reachable(
      'two sites stand in one line',
      some((actor) => lengthOf(actor) >= 2),
    ),
  ];
}

/** Properties of systems whose sites all stay. */
export function properties(options: Options): readonly Property[] {
  return [...rules, ...token.stayingProperties, ...happens(options)];
}

/** Properties of systems whose clients also say `again` and `try`. */
export const combinedProperties = token.combinedProperties(hasLine);

/** Properties of systems whose sites leave. */
export function leavingProperties(options: Options): readonly Property[] {
  const pointsAtNone = relation(observe, nonePointsAtLeft);
  return [
    ...rules,
    ...token.leavingProperties(options, local('left'), pointsAtNone, describeTree),
    ...happens(options),
  ];
}
