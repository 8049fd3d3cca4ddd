import { brokenInvariant, type Rule, type SiteView } from '../../machines/naimi-trehel/invariants.ts';
import type { SiteMessage } from '../../machines/naimi-trehel/messages.ts';
import type { Options } from '../sites.ts';
import type { ActorView, Property, StatePredicate } from '../system/system.ts';
import { isTree, nobodyPointsAtLeft, observe, tailsLieOnPaths } from './structure.ts';

/** A site of this protocol, as its machine and its peers write it. */
function site({ value, context }: ActorView): SiteView {
  return { value, context } as unknown as SiteView;
}

const hasLeft = (actor: ActorView) => actor.in('client.left');
const waits = (actor: ActorView) => actor.in('client.requesting') || actor.in('client.withdrawn');
const inside = (actor: ActorView) => actor.in('client.inCS') || actor.in('client.leaving');

function messages({ inbox }: ActorView): readonly SiteMessage[] {
  return inbox.map(({ message }) => message as SiteMessage);
}

/** Tokens held here or on their way here. */
function tokens(actor: ActorView): number {
  const travelling = messages(actor).filter(({ type }) => type === 'TOKEN').length;
  return travelling + (site(actor).context.token ? 1 : 0);
}

/** Whom this site, or what is on its way to it, will have the token reach: the three places of L1. */
function places(actor: ActorView): readonly string[] {
  const { next } = site(actor).context;
  const travelling = messages(actor).flatMap((message) =>
    message.type === 'REQUEST' ? [message.origin] : message.type === 'TOKEN' ? [actor.id] : [],
  );
  return next === null ? travelling : [next, ...travelling];
}

const always = (name: string, predicate: StatePredicate): Property => ({ kind: 'always', name, predicate });
const reachable = (name: string, predicate: StatePredicate): Property => ({
  kind: 'reachable',
  name,
  predicate,
});

const mutualExclusion = always('mutual exclusion', {
  kind: 'count',
  of: (actor) => (inside(actor) ? 1 : 0),
  is: (sites) => sites <= 1,
});

/** A waiting site is in exactly one place, and no other site is in any. */
const L1 = always('L1', {
  kind: 'and',
  of: [
    { kind: 'tally', names: places, is: (times) => times <= 1 },
    {
      kind: 'tally',
      names: (actor) => (waits(actor) ? [actor.id, ...places(actor)] : places(actor)),
      is: (times) => times !== 1,
    },
  ],
});

/** What `rule` says of one site alone; L2 says of a request, too, that it does not travel to its own origin. */
function local(rule: Rule): Property {
  const isHome = (actor: ActorView) =>
    messages(actor).some((message) => message.type === 'REQUEST' && message.origin === actor.id);
  const broken = (actor: ActorView) =>
    brokenInvariant(site(actor), rule) ??
    (rule === 'L2' && isHome(actor)
      ? `L2: no request travels to its origin, but one of ${actor.id} does`
      : null);
  return {
    kind: 'always',
    name: rule,
    predicate: { kind: 'every', is: (actor) => broken(actor) === null },
    because: ({ actors }) => actors.map(broken).find((reason) => reason !== null) ?? rule,
  };
}

const T = always('T', { kind: 'relation', of: observe, holds: isTree });
const Q = always('Q', { kind: 'relation', of: observe, holds: tailsLieOnPaths });

/**
 * A request that arrives at the root puts its origin into `next`, unless the token is sent at once: so a
 * root that is not idle must have nobody there.
 */
const nextIsKept = always('next is never overwritten', {
  kind: 'every',
  is: (actor) => {
    const { last, next } = site(actor).context;
    return last !== null || next === null || actor.in('client.idle');
  },
});

/** What keeps the properties above from holding because too little happens. */
function happens({ sites, network }: Options): readonly Property[] {
  const inLine = (least: number): StatePredicate => ({
    kind: 'count',
    of: (actor) => (site(actor).context.next === null ? 0 : 1),
    is: (waiting) => waiting >= least,
  });
  return [
    reachable('a site waits in line', inLine(1)),
    ...(sites < 3 ? [] : [reachable('two sites wait in line', inLine(2))]),
    ...(sites < 4 || network.order === 'unordered-by-target'
      ? []
      : [reachable('a request is forwarded twice', { kind: 'some', is: forwardsAgain })]),
  ];
}

/**
 * The next thing that can happen to this site is the second forward of a request at least: one can arrive
 * from a site that is not its origin, and so has forwarded it, and `last` is not nil. Every request that
 * is forwarded twice passes through such a state. It takes four sites: the origin, two on the way, the
 * root. (Where the network does not keep the source, a state cannot tell.)
 */
function forwardsAgain(actor: ActorView): boolean {
  return (
    site(actor).context.last !== null &&
    actor.inbox.some(({ source, message }, index) => {
      const { type, origin } = message as { readonly type: string; readonly origin?: string };
      const isFirst = actor.inbox.findIndex((other) => other.source === source) === index;
      return type === 'REQUEST' && isFirst && source !== origin;
    })
  );
}

/** Rules and names are those of protocol.md, section 1. */
export function properties(options: Options): readonly Property[] {
  return [
    mutualExclusion,
    always('exactly one token', { kind: 'count', of: tokens, is: (sum) => sum === 1 }),
    // A client can always ask or release, or a message arrives: nothing ever rests.
    { kind: 'deadlockFree', name: 'no deadlock' },
    L1,
    local('L2'),
    local('L3'),
    local('routing'),
    T,
    Q,
    nextIsKept,
    ...happens(options),
  ];
}

const GONE = 1 << 8;

/**
 * With sites that leave: `left` sites are outside of every rule, and nothing may point or travel to them.
 * The last one there has nobody to hand the token to, and leaves with it.
 */
export function leavingProperties(options: Options): readonly Property[] {
  const { sites } = options;
  const left = (least: number): StatePredicate => ({
    kind: 'count',
    of: (actor) => (hasLeft(actor) ? 1 : 0),
    is: (sum) => sum >= least,
  });
  return [
    mutualExclusion,
    always('exactly one token, until all have left', {
      kind: 'count',
      of: (actor) => (hasLeft(actor) ? GONE : tokens(actor)),
      is: (sum) => sum % GONE === 1 || sum === sites * GONE,
    }),
    { kind: 'deadlockFree', name: 'no deadlock, until all have left', quiescent: left(sites) },
    L1,
    local('L2'),
    local('L3'),
    local('routing'),
    local('left'),
    T,
    Q,
    nextIsKept,
    always('nothing travels to a site that has left', {
      kind: 'every',
      is: (actor) => !hasLeft(actor) || actor.inbox.length === 0,
    }),
    always('nobody points at a site that has left', {
      kind: 'relation',
      of: observe,
      holds: nobodyPointsAtLeft,
    }),
    ...happens(options),
    reachable('all have left', left(sites)),
    // Of two sites, the other one's request is behind the token that the withdrawn one awaits.
    ...(sites < 3
      ? []
      : [
          reachable('a site that withdrew is passed by', {
            kind: 'some',
            is: (actor) => actor.in('client.withdrawn') && site(actor).context.next !== null,
          }),
        ]),
  ];
}
