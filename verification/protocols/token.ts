import type { AnyStateMachine } from 'xstate';
import type { SiteId } from '../../machines/actor.ts';
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
} from '../system/properties.ts';
import type {
  ActorSpec,
  ActorView,
  EnvironmentEvent,
  Fairness,
  Property,
  StatePredicate,
  StateView,
  System,
} from '../system/system.ts';
import { grantsNow, sectionEnds } from './row.ts';
import { type Options, OptionsError, siteNames } from './sites.ts';
import { nothingUnexpected } from './unexpected.ts';

/*
 * The systems and properties that the published algorithm (naimi-trehel) and the line rule (line) share: sites with one token
 * whose clients ask, release and withdraw, and which leave. Each protocol adds its pointers, queues and lines.
 */

/** `machine` runs in place of the protocol's own site: a mutant. */
export type SiteOptions = Options & { readonly machine?: AnyStateMachine };

export const hasLeft = (actor: ActorView) => actor.in('client.left');
export const waits = (actor: ActorView) => actor.in('client.requesting') || actor.in('client.withdrawn');
export const isInside = (actor: ActorView) => actor.in('client.inCS') || actor.in('client.leaving');
export const hasToken = ({ context }: ActorView) => context['token'] === true;

/** The number of messages of this type on their way to the site. */
export function travelling({ inbox }: ActorView, type: string): number {
  return inbox.filter(({ message }) => message.type === type).length;
}

/** Tokens at this site or on their way to it. */
export function tokens(actor: ActorView): number {
  return travelling(actor, 'TOKEN') + (hasToken(actor) ? 1 : 0);
}

/** The names of the sites for which it holds, for the text of a violation. */
export function idsOf({ actors }: StateView, is: (actor: ActorView) => boolean): string {
  return actors
    .filter(is)
    .map(({ id }) => id)
    .join(', ');
}

export const mutualExclusion = always(
  'mutual exclusion',
  count(isInside, (sites) => sites <= 1),
  (state) => `${idsOf(state, isInside)} are in the critical section at once`,
);

/** A waiting site is in exactly one place, any other site in none: with itself for one, each other site is in one too. */
export function onePlace(places: (actor: ActorView) => readonly SiteId[]): Property {
  return always(
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
        .map(
          (actor) => `${actor.id} ${waits(actor) ? 'waits' : 'does not wait'}, in ${times(actor.id)} places`,
        )
        .join('; ');
    },
  );
}

/** The part of `rule` about one site; L2 also says that no request travels to its origin. */
export function local<Rule extends string>(
  brokenInvariant: (actor: ActorView, rule: Rule) => string | null,
  rule: Rule,
): Property {
  const isHome = ({ id, inbox }: ActorView) =>
    inbox.some(
      ({ message }) => message.type === 'REQUEST' && (message as { readonly origin?: SiteId }).origin === id,
    );
  const broken = (actor: ActorView) =>
    brokenInvariant(actor, rule) ??
    (rule === 'L2' && isHome(actor)
      ? `L2: no request travels to its origin, but that of ${actor.id} does`
      : null);
  return always(
    rule,
    every((actor) => broken(actor) === null),
    ({ actors }) => actors.flatMap((actor) => broken(actor) ?? []).join('; '),
  );
}

/** Properties of systems whose sites all stay. */
export const stayingProperties: readonly Property[] = [
  always(
    'exactly one token',
    count(tokens, (sum) => sum === 1),
    (state) => `there are ${state.actors.reduce((sum, actor) => sum + tokens(actor), 0)}`,
  ),
  // A client can always ask or release, or a message arrives.
  deadlockFree('no deadlock'),
];

/** Properties of systems whose clients also say `again` and `try`. `isNext`: another site waits for this one's token. */
export function combinedProperties(isNext: (actor: ActorView) => boolean): readonly Property[] {
  const breaks = (actor: ActorView) => !hasToken(actor) && grantsNow(actor, 'ask', 'again', 'try');
  return [
    always(
      'a site without the token grants nothing to its client',
      every((actor) => !breaks(actor)),
      (state) => `${idsOf(state, breaks)} could enter at once`,
    ),
    reachable(
      'a try succeeds',
      some((actor) => grantsNow(actor, 'try')),
    ),
    reachable(
      'a client goes on while another site waits',
      some((actor) => isNext(actor) && grantsNow(actor, 'again')),
    ),
  ];
}

/** A site that has left, in a sum that also counts tokens or goodbyes. */
const GONE = 1 << 8;

/**
 * Properties of systems whose sites leave: nothing points or travels to a site that has left. The last site has no other to
 * hand the token to, and leaves with it. `keepsNothing` is the protocol's rule `left`, `pointsAtNone` relates the sites' pointers.
 */
export function leavingProperties(
  { sites }: Options,
  keepsNothing: Property,
  pointsAtNone: StatePredicate,
  describe: (state: StateView) => string,
): readonly Property[] {
  const haveLeft = (least: number): StatePredicate => count(hasLeft, (sum) => sum >= least);
  const isReached = (actor: ActorView) => hasLeft(actor) && actor.inbox.length > 0;
  const isStaying = (actor: ActorView) => !hasLeft(actor) && tokens(actor) > 0;
  return [
    always(
      'exactly one token, until all have left',
      count(
        (actor) => (hasLeft(actor) ? GONE : tokens(actor)),
        (sum) => sum % GONE === 1 || sum === sites * GONE,
      ),
      (state) => `among the sites that have not left, a token is at ${idsOf(state, isStaying) || 'none'}`,
    ),
    deadlockFree('no deadlock, until all have left', haveLeft(sites)),
    keepsNothing,
    always(
      'nothing travels to a site that has left',
      every((actor) => !isReached(actor)),
      (state) => `a message is on its way to ${idsOf(state, isReached)}`,
    ),
    always('no site points at one that has left', pointsAtNone, describe),
    always(
      'a leaver awaits the goodbyes that will come',
      // No `count`: a mutant awaits fewer than none.
      relation(
        (actor) =>
          (actor.in('client.leaving') ? (actor.context['peers'] as number) * GONE : 0) +
          travelling(actor, 'LEAVE') +
          travelling(actor, 'GOODBYE'),
        (observed) => {
          const sum = observed.reduce((total, one) => total + one, 0);
          return Math.floor(sum / GONE) === sum % GONE;
        },
      ),
      (state) => `${idsOf(state, (actor) => actor.in('client.leaving'))} awaits more or fewer`,
    ),
    reachable('all have left', haveLeft(sites)),
  ];
}

/** No message is delayed for ever, and no critical section lasts for ever. Clients need not ask. */
const deliveriesAndEnds = weakly(deliveriesOf, sectionEnds);

/** Every site that requests enters, or withdraws: one property for each site. Violated with `unfair`. */
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

/** Anything may be delayed for ever: shows that `liveness` needs its fairness. */
export const unfair: Fairness = {};

/** The events that clients tell their sites. */
export const clients = {
  ask: {
    event: { type: 'ask' },
    when: (actor) => actor.in('client.idle') || actor.in('client.withdrawn'),
  },
  release: { event: { type: 'release' }, when: (actor) => actor.in('client.inCS') },
  withdraw: { event: { type: 'withdraw' }, when: (actor) => actor.in('client.requesting') },
  leave: { event: { type: 'leave' }, when: (actor) => actor.in('client.inCS') },
} satisfies Record<string, EnvironmentEvent>;

/** Throws `NETWORK_UNFIT` unless the network is `fifo`: after a GOODBYE nothing more comes. */
export function requireFifo({ network: { order } }: Options): void {
  if (order === 'fifo') return;
  throw new OptionsError(
    'NETWORK_UNFIT',
    `Sites can leave on a fifo network, not on ${order}: ask for fifo.`,
  );
}

/** A system of equal sites; the first starts with the token. */
export function tokenSystem(
  name: string,
  { machine, network, ...options }: SiteOptions & { readonly machine: AnyStateMachine },
  environment: readonly EnvironmentEvent[],
  properties: readonly Property[],
): System {
  const sites = siteNames({ ...options, network });
  const root = sites[0]!;
  const actor = (self: string): ActorSpec => ({
    machine,
    input: { self, root, peers: sites.length - 1 },
    environment,
  });
  return {
    name,
    actors: Object.fromEntries(sites.map((self) => [self, actor(self)])),
    network,
    // The effects for clients and the log.
    outside: ['grant', 'unexpected'],
    properties: [...properties, nothingUnexpected(actor(root), network)],
    symmetry: sites,
  };
}
