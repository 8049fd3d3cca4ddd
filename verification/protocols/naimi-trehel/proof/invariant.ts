import {
  and,
  differ,
  equal,
  type Formula,
  iff,
  implies,
  not,
  or,
  type Relations,
  symbols,
  type Term,
} from '../../../proof/formula.ts';
import type { Conjunct, Witnessed } from '../../../proof/induction.ts';

/*
 * L1 to L3, T, Q and exactly one token (docs/protocol.md), for any number of sites, over relations between sites. `eff` is no
 * relation here: `path` is its reflexive-transitive closure, and a site points at the site next above it.
 */

/** Names and arities. */
export const relations = {
  idle: 1,
  requesting: 1,
  withdrawn: 1,
  inCS: 1,
  /** The token is here; TOKEN is on its way here. */
  token: 1,
  tokenTo: 1,
  hasLast: 1,
  last: 2,
  hasNext: 1,
  next: 2,
  /** REQUEST(x) is on its way; on its way to y. */
  hasRequest: 1,
  requestTo: 2,
  /** Some next names this site. */
  queued: 1,
  /** Closures: y lies on x's eff-path; y stands at x's place in a queue or behind; y is the tail of the queue from x. */
  path: 2,
  queue: 2,
  tail: 2,
} as const;

export type RelationName = keyof typeof relations;
/** The relations of one state: those before a step are symbols, those after it formulas over them. */
export type State = Relations<RelationName>;

export const before: State = symbols(relations);

export function invariant(s: State): readonly Conjunct[] {
  const waits = (x: Term) => or(s.requesting(x), s.withdrawn(x));
  const atMostOne = (...of: readonly Formula[]) =>
    and(...of.flatMap((one, index) => of.slice(index + 1).map((other) => not(and(one, other)))));
  const isFunction = (some: State['last'], has: State['hasLast']) => (x: Term, y: Term, z: Term) =>
    and(implies(some(x, y), has(x)), implies(and(some(x, y), some(x, z)), equal(y, z)));
  const isOrder = (below: State['path']) => (x: Term, y: Term, z: Term) =>
    and(
      below(x, x),
      implies(and(below(x, y), below(y, z)), below(x, z)),
      implies(and(below(x, y), below(y, x)), equal(x, y)),
    );
  /** y is the first site above x. */
  const isEdge = (below: State['path'], x: Term, y: Term, z: Term) =>
    and(below(x, y), implies(and(below(x, z), differ(x, z)), below(y, z)));
  return [
    {
      name: 'a client is in one state',
      holds: (x) => {
        const states = [s.idle(x), s.requesting(x), s.withdrawn(x), s.inCS(x)];
        return and(or(...states), atMostOne(...states));
      },
    },
    { name: 'last names one site at most', holds: (x, y, z) => isFunction(s.last, s.hasLast)(x, y, z) },
    { name: 'next names one site at most', holds: (x, y, z) => isFunction(s.next, s.hasNext)(x, y, z) },
    {
      name: 'one request of each origin',
      holds: (x, y, z) => isFunction(s.requestTo, s.hasRequest)(x, y, z),
    },
    {
      name: 'L1: a site is next of one site at most',
      holds: (x, y, z) =>
        and(implies(s.next(x, y), s.queued(y)), implies(and(s.next(x, y), s.next(z, y)), equal(x, z))),
    },
    {
      name: 'L1: a waiting site is in a place',
      holds: (x) => implies(waits(x), or(s.hasRequest(x), s.queued(x), s.tokenTo(x))),
    },
    {
      name: 'L1: and in no second place',
      holds: (x) => atMostOne(s.hasRequest(x), s.queued(x), s.tokenTo(x)),
    },
    {
      name: 'L1: no other site is in a place',
      holds: (x) => implies(or(s.hasRequest(x), s.queued(x), s.tokenTo(x)), waits(x)),
    },
    { name: 'L2: in the critical section the token is here', holds: (x) => implies(s.inCS(x), s.token(x)) },
    { name: 'L2: a site with the token does not wait', holds: (x) => implies(s.token(x), not(waits(x))) },
    {
      name: 'L2: requests, next and last name other sites',
      holds: (x) => and(not(s.requestTo(x, x)), not(s.next(x, x)), not(s.last(x, x))),
    },
    {
      name: 'L3: of an idle site',
      holds: (x) => implies(s.idle(x), and(not(s.hasNext(x)), iff(not(s.hasLast(x)), s.token(x)))),
    },
    {
      name: 'L3: of a site that is not idle',
      holds: (x) => implies(not(s.idle(x)), iff(s.hasNext(x), s.hasLast(x))),
    },
    {
      name: 'at most one token',
      holds: (x, y) =>
        and(
          implies(and(s.token(x), s.token(y)), equal(x, y)),
          implies(and(s.tokenTo(x), s.tokenTo(y)), equal(x, y)),
          not(and(s.token(x), s.tokenTo(y))),
        ),
    },
    { name: 'queue: an order', holds: (x, y, z) => isOrder(s.queue)(x, y, z) },
    {
      name: 'queue: of chains',
      holds: (x, y, z) =>
        and(
          implies(and(s.queue(x, y), s.queue(x, z)), or(s.queue(y, z), s.queue(z, y))),
          implies(and(s.queue(y, x), s.queue(z, x)), or(s.queue(y, z), s.queue(z, y))),
        ),
    },
    {
      name: 'queue: next are its edges',
      holds: (x, y, z) =>
        and(
          implies(s.next(x, y), isEdge(s.queue, x, y, z)),
          implies(and(not(s.hasNext(x)), s.queue(x, z)), equal(x, z)),
          implies(and(not(s.queued(x)), s.queue(z, x)), equal(x, z)),
        ),
    },
    {
      name: 'tail: the last of a queue',
      holds: (x, y, t) =>
        and(
          implies(and(s.tail(x, t), s.tail(x, y)), equal(t, y)),
          iff(s.tail(x, t), and(s.queue(x, t), not(s.hasNext(t)))),
        ),
    },
    { name: 'T: eff-paths are an order', holds: (x, y, z) => isOrder(s.path)(x, y, z) },
    {
      name: 'T: above a site they are a chain',
      holds: (x, y, z) => implies(and(s.path(x, y), s.path(x, z)), or(s.path(y, z), s.path(z, y))),
    },
    {
      name: 'T: eff of a site is its last',
      holds: (x, y, z) => implies(s.last(x, y), isEdge(s.path, x, y, z)),
    },
    {
      name: 'T: or where the request of its head goes',
      holds: (h, t, y, z) =>
        implies(and(s.requestTo(h, y), s.tail(h, t)), and(differ(t, y), isEdge(s.path, t, y, z))),
    },
    {
      name: 'T: or it is the root',
      holds: (h, x, z) => implies(and(isRoot(s, x, h), s.path(x, z)), equal(x, z)),
    },
    {
      name: 'Q: the tail of a queue lies on the eff-path',
      holds: (x, t) => implies(s.tail(x, t), s.path(x, t)),
    },
  ];
}

/** x has no eff: its last is nil, and its queue's head h has no request on its way. */
export function isRoot(s: State, x: Term, h: Term): Formula {
  return and(not(s.hasLast(x)), s.queue(h, x), not(s.queued(h)), not(s.hasRequest(h)));
}

export function witnessed(s: State): readonly Witnessed[] {
  const always = () => and();
  return [
    { name: 'last names a site unless it is nil', where: s.hasLast, exists: s.last },
    { name: 'next names a site unless it is nil', where: s.hasNext, exists: s.next },
    { name: 'a request on its way has a target', where: s.hasRequest, exists: s.requestTo },
    { name: 'L1: a queued site is next of a site', where: s.queued, exists: (x, y) => s.next(y, x) },
    { name: 'a queue has a tail', where: always, exists: s.tail },
    { name: 'a queue has a head', where: always, exists: (x, y) => and(s.queue(y, x), not(s.queued(y))) },
  ];
}

export function tokenSomewhere(s: State, x: Term): Formula {
  return or(s.token(x), s.tokenTo(x));
}
