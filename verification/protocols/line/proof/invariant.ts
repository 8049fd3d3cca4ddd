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
 * L1 to L3, T and exactly one token under the line rule (docs/protocol.md, section 2), for any number of sites, over relations between
 * sites. A line is the set of its entries. The parent of a site is no relation here: `path` is its reflexive-transitive closure, and a
 * site's parent is the first site above it.
 */

/** Names and arities. */
export const relations = {
  idle: 1,
  requesting: 1,
  withdrawn: 1,
  inCS: 1,
  leaving: 1,
  left: 1,
  /** The token is here; TOKEN is on its way here. */
  token: 1,
  tokenTo: 1,
  hasLast: 1,
  last: 2,
  /** REQUEST(x) is on its way; on its way to y; it was y that sent it on its way. */
  hasRequest: 1,
  requestTo: 2,
  requestBy: 2,
  /** y stands in the line of x; x stands in some line; x stands in the line of the TOKEN that is on its way. */
  inLine: 2,
  lined: 1,
  onToken: 1,
  /** The reflexive-transitive closure of the parents: y lies on the path from x. */
  path: 2,
  /** LEAVE of x is on its way to y; GOODBYE of x is on its way to y; y is one of the peers that x counts. */
  leaveTo: 2,
  goodbyeTo: 2,
  counts: 2,
} as const;

export type RelationName = keyof typeof relations;
/** The relations of one state: those before a step are symbols, those after it formulas over them. */
export type State = Relations<RelationName>;

export const before: State = symbols(relations);

export const tokenSomewhere = (s: State, x: Term): Formula => or(s.token(x), s.tokenTo(x));

/** `leave`: sites may leave. */
export function invariant(s: State, leave: boolean): readonly Conjunct[] {
  return [...rules(s), ...(leave ? leavingRules(s) : [{ name: 'no site leaves', holds: stays(s) }])];
}

const stays = (s: State) => (x: Term, y: Term) =>
  not(or(s.leaving(x), s.left(x), s.leaveTo(x, y), s.goodbyeTo(x, y)));

const atMostOne = (...of: readonly Formula[]) =>
  and(...of.flatMap((one, index) => of.slice(index + 1).map((other) => not(and(one, other)))));

function rules(s: State): readonly Conjunct[] {
  const waits = (x: Term) => or(s.requesting(x), s.withdrawn(x));
  const isInside = (x: Term) => or(s.inCS(x), s.leaving(x));
  const places = (x: Term) => [s.hasRequest(x), s.lined(x), s.tokenTo(x), s.onToken(x)];
  const isFunction = (some: State['last'], has: State['hasLast']) => (x: Term, y: Term, z: Term) =>
    and(implies(some(x, y), has(x)), implies(and(some(x, y), some(x, z)), equal(y, z)));
  /** y is the first site above x. */
  const isParent = (x: Term, y: Term, z: Term) =>
    and(s.path(x, y), differ(x, y), implies(and(s.path(x, z), differ(x, z)), s.path(y, z)));
  return [
    {
      name: 'a client is in one state',
      holds: (x) => {
        const states = [s.idle(x), s.requesting(x), s.withdrawn(x), s.inCS(x), s.leaving(x), s.left(x)];
        return and(or(...states), atMostOne(...states));
      },
    },
    { name: 'last names one site at most', holds: (x, y, z) => isFunction(s.last, s.hasLast)(x, y, z) },
    {
      name: 'one request of each origin',
      holds: (x, y, z) =>
        and(isFunction(s.requestTo, s.hasRequest)(x, y, z), isFunction(s.requestBy, s.hasRequest)(x, y, z)),
    },
    {
      name: 'L1: a site stands in one line at most',
      holds: (x, y, z) =>
        and(implies(s.inLine(x, y), s.lined(y)), implies(and(s.inLine(x, y), s.inLine(z, y)), equal(x, z))),
    },
    { name: 'L1: a waiting site is in a place', holds: (x) => implies(waits(x), or(...places(x))) },
    { name: 'L1: and in no second place', holds: (x) => atMostOne(...places(x)) },
    { name: 'L1: no other site is in a place', holds: (x) => implies(or(...places(x)), waits(x)) },
    { name: 'L2: in the critical section the token is here', holds: (x) => implies(isInside(x), s.token(x)) },
    { name: 'L2: a site with the token does not wait', holds: (x) => implies(s.token(x), not(waits(x))) },
    {
      name: 'L2: requests, lines and last name other sites',
      holds: (x) => and(not(s.requestTo(x, x)), not(s.inLine(x, x)), not(s.last(x, x))),
    },
    {
      name: 'L3: the line of an idle site is empty',
      holds: (x, y) => implies(s.inLine(x, y), not(or(s.idle(x), s.left(x)))),
    },
    {
      name: 'L3: last of an idle site is nil exactly when the token is here',
      holds: (x) => implies(s.idle(x), iff(not(s.hasLast(x)), s.token(x))),
    },
    {
      name: 'L3: last of a site that waits or is inside is nil',
      holds: (x) => implies(or(waits(x), isInside(x)), not(s.hasLast(x))),
    },
    {
      name: 'at most one token',
      holds: (x, y) =>
        and(
          implies(and(s.token(x), s.token(y)), equal(x, y)),
          implies(and(s.tokenTo(x), s.tokenTo(y)), equal(x, y)),
          not(and(s.token(x), s.tokenTo(y))),
          not(and(s.token(x), s.onToken(y))),
        ),
    },
    {
      name: 'T: paths are an order',
      holds: (x, y, z) =>
        and(
          s.path(x, x),
          implies(and(s.path(x, y), s.path(y, z)), s.path(x, z)),
          implies(and(s.path(x, y), s.path(y, x)), equal(x, y)),
        ),
    },
    {
      name: 'T: above a site they are a chain',
      holds: (x, y, z) => implies(and(s.path(x, y), s.path(x, z)), or(s.path(y, z), s.path(z, y))),
    },
    {
      name: 'T: the parent of a site is its last',
      holds: (x, y, z) => implies(and(s.last(x, y), not(s.left(x))), isParent(x, y, z)),
    },
    {
      name: 'T: or the target of its request',
      holds: (x, y, z) => implies(s.requestTo(x, y), isParent(x, y, z)),
    },
    {
      name: 'T: or the site that it stands in line at',
      holds: (x, y, z) => implies(s.inLine(y, x), isParent(x, y, z)),
    },
    {
      name: "T: or the token's target",
      holds: (x, y, z) => implies(and(s.onToken(x), s.tokenTo(y)), isParent(x, y, z)),
    },
    {
      name: 'T: or it is the root, which has the token or gets it',
      holds: (x, z) => implies(and(tokenSomewhere(s, x), s.path(x, z)), equal(x, z)),
    },
    {
      name: 'T: every site is below the root',
      holds: (x, r) => implies(and(tokenSomewhere(s, r), not(s.left(x)), not(s.left(r))), s.path(x, r)),
    },
  ];
}

function leavingRules(s: State): readonly Conjunct[] {
  const takesPart = (x: Term) => not(s.left(x));
  return [
    {
      name: 'no site points at one that has left',
      holds: (x, y) =>
        and(
          implies(and(s.last(x, y), takesPart(x)), takesPart(y)),
          implies(and(s.path(x, y), or(s.left(x), s.left(y))), equal(x, y)),
        ),
    },
    {
      name: 'nothing travels to a site that has left',
      holds: (x, y) =>
        and(
          implies(s.requestTo(x, y), takesPart(y)),
          implies(s.leaveTo(x, y), takesPart(y)),
          implies(s.goodbyeTo(x, y), takesPart(y)),
        ),
    },
    {
      name: 'a site leaves with the token only when all have left',
      holds: (x, y) => implies(and(s.left(x), s.token(x)), s.left(y)),
    },
    {
      name: 'LEAVE is said by a leaver to other sites',
      holds: (x, y) => implies(s.leaveTo(x, y), and(s.leaving(x), differ(x, y))),
    },
    {
      name: 'GOODBYE is said to a leaver by other sites that take part',
      holds: (x, y) =>
        implies(s.goodbyeTo(x, y), and(s.leaving(y), differ(x, y), takesPart(x), not(s.leaveTo(y, x)))),
    },
    {
      name: 'a site counts all others that take part, but for a leaver that it has heard',
      holds: (x, y) =>
        implies(
          and(takesPart(x), not(s.leaving(x))),
          iff(s.counts(x, y), and(differ(x, y), takesPart(y), or(not(s.leaving(y)), s.leaveTo(y, x)))),
        ),
    },
    {
      name: 'a leaver awaits the goodbyes that will come',
      holds: (x, y) => implies(s.leaving(x), iff(s.counts(x, y), or(s.leaveTo(x, y), s.goodbyeTo(y, x)))),
    },
    {
      name: 'a site that has heard LEAVE does not point at the leaver',
      holds: (x, y) =>
        implies(and(s.leaving(y), takesPart(x), differ(x, y), not(s.leaveTo(y, x))), not(s.last(x, y))),
    },
    {
      name: 'a leaver awaits the goodbye behind each request',
      holds: (o, x, y) => implies(and(s.leaving(y), s.requestTo(o, y), s.requestBy(o, x)), s.counts(y, x)),
    },
    {
      name: 'a request of a leaver is before its LEAVE',
      holds: (o, x, y) =>
        implies(
          and(s.requestBy(o, x), s.requestTo(o, y)),
          and(takesPart(x), differ(x, y), implies(s.leaving(x), s.leaveTo(x, y))),
        ),
    },
  ];
}

export function witnessed(s: State): readonly Witnessed[] {
  return [
    { name: 'last names a site unless it is nil', where: s.hasLast, exists: s.last },
    { name: 'a request on its way has a target', where: s.hasRequest, exists: s.requestTo },
    { name: 'a request on its way has a sender', where: s.hasRequest, exists: s.requestBy },
    {
      name: 'L1: a site in a line stands in the line of a site',
      where: s.lined,
      exists: (x, y) => s.inLine(y, x),
    },
  ];
}
