import {
  type Assertion,
  and,
  choose,
  differ,
  equal,
  exists,
  type Formula,
  fact,
  forAll,
  iff,
  implies,
  no,
  not,
  or,
  type Relations,
  symbols,
  type Term,
  yes,
} from '../../../proof/formula.ts';
import type { Conjunct } from '../../../proof/induction.ts';
import type { TableClaim } from '../../../proof/theory.ts';
import { before, type State, relations as safety, tokenSomewhere } from './invariant.ts';
import { handsOn, isIn, isInAny } from './step.ts';
import { type Piece, type Row, rowText } from './table.ts';

/*
 * That a waiting site w is served or withdraws under the line rule, for every number of sites, if each delivery and each release is weakly fair.
 * A site is held by the site that it stands in line at, or by the token's target if it stands on the token; the head of w holds w, directly or not, and
 * is held by no site. The rank of a state is three finite parts, and an earlier part goes before a later one:
 *
 *   1. where the head's REQUEST is on its way: the sites that are not below the head, by the tree of parents;
 *   2. where the head has the token or gets it: the sites that may still come before w;
 *   3. whether the token is on its way.
 *
 * In each state one step helps: the delivery of the head's REQUEST, of the TOKEN to the head, or the release by the head. The claims say that the step
 * that helps makes the rank smaller, and that each other step leaves the rank no larger and the same step helpful.
 *
 * A site may come before w if it holds w, if it is below an entry that is ahead of w, or of a site that holds w, in the same line, or if it is below the
 * target of a TOKEN, and w on the token or held by an entry of it. So a request that reaches a site before w is sent by a site that may come before w.
 * A site that hands the token on comes below the end of the line, behind w. Hence each other site enters once at most before w, unless clients go on.
 */

/** Relations that are kept for the proof of progress, beside those of the invariant. */
export const ordering = {
  /** x is ahead of y in the line of a site, or of the token. */
  ahead: 2,
  /** x is y, or y holds x, directly or not. */
  held: 2,
  /** x may come before y. */
  early: 2,
  /** x is below an entry of the TOKEN that is on its way. */
  rides: 1,
} as const;

export const relations = { ...safety, ...ordering };

type Ordering = Relations<keyof typeof ordering>;
type Ordered = State & Ordering;

export const ordered: Ordered = symbols(relations);

/** x stands in the line of y, or on the token that is on its way to y. */
const entryOf = (s: State, x: Term, y: Term) => or(s.inLine(y, x), and(s.onToken(x), s.tokenTo(y)));
const isEntry = (s: State, x: Term) => or(s.lined(x), s.onToken(x));
const isHead = (s: Ordered, h: Term, x: Term) => and(s.held(x, h), not(isEntry(s, h)));

/** The conjuncts about the order of lines. */
export function orderRules(s: Ordered): readonly Conjunct[] {
  return [
    {
      name: 'order: of entries of one line',
      holds: (x, y, z) =>
        implies(
          s.ahead(x, y),
          and(
            isEntry(s, x),
            isEntry(s, y),
            iff(s.inLine(z, x), s.inLine(z, y)),
            iff(s.onToken(x), s.onToken(y)),
          ),
        ),
    },
    {
      name: 'order: strict and total',
      holds: (x, y, z) =>
        and(
          not(s.ahead(x, x)),
          implies(and(s.ahead(x, y), s.ahead(y, z)), s.ahead(x, z)),
          implies(
            or(and(s.inLine(z, x), s.inLine(z, y)), and(s.onToken(x), s.onToken(y))),
            or(equal(x, y), s.ahead(x, y), s.ahead(y, x)),
          ),
        ),
    },
    {
      name: 'held: an order, along the paths',
      holds: (x, y, z) =>
        and(
          s.held(x, x),
          implies(s.held(x, y), s.path(x, y)),
          implies(and(s.held(x, y), s.held(y, z)), s.held(x, z)),
          implies(and(s.held(x, y), s.held(x, z)), or(s.held(y, z), s.held(z, y))),
        ),
    },
    {
      name: 'held: entries are its edges',
      holds: (x, y, z) =>
        and(
          implies(entryOf(s, x, y), and(s.held(x, y), implies(s.held(x, z), or(equal(x, z), s.held(y, z))))),
          implies(and(s.held(x, z), not(isEntry(s, x))), equal(x, z)),
        ),
    },
    {
      name: 'before a site may come those that hold it',
      holds: (x, y) => implies(and(s.held(y, x), differ(x, y)), s.early(x, y)),
    },
    {
      name: 'before a site may come those below an entry ahead',
      holds: (x, y, a, b) => implies(and(s.ahead(a, b), s.held(y, b), s.path(x, a)), s.early(x, y)),
    },
    {
      name: "before a site on the token may come those below the token's target alone",
      holds: (x, y, b) => implies(and(s.onToken(b), s.held(y, b), not(s.rides(x))), s.early(x, y)),
    },
  ];
}

/** A part of the invariant that says there is a site: where `where` holds of x and z, one exists for which `is` holds. */
interface Found {
  readonly name: string;
  readonly where: (s: Ordered, x: Term, z: Term) => Formula;
  readonly is: (s: Ordered, x: Term, z: Term, found: Term) => Formula;
}

const found = {
  entry: {
    name: 'a site that is held is held by an entry',
    where: (s, x, z) => and(s.held(x, z), differ(x, z)),
    is: (s, x, z, entry) => and(s.held(x, entry), entryOf(s, entry, z)),
  },
  head: {
    name: 'a site has a head',
    where: () => yes,
    is: (s, x, _, head) => isHead(s, head, x),
  },
  ridden: {
    name: 'a site that rides is below an entry of the token',
    where: (s, x) => s.rides(x),
    is: (s, x, _, entry) => and(s.onToken(entry), s.path(x, entry)),
  },
} satisfies Record<string, Found>;

/** The site that exists for x and z is called `name`. */
const known = ({ where, is }: Found, x: Term, z: Term, name: Term) =>
  fact(implies(where(ordered, x, z), is(ordered, x, z, name)));

/** The first and the last entry of a line are first and last. */
const ends: readonly Assertion[] = [
  forAll((x) =>
    implies(and(before.inLine('i', 'h'), before.inLine('i', x)), or(equal(x, 'h'), ordered.ahead('h', x))),
  ),
  forAll((x) =>
    implies(and(before.inLine('i', 'e'), before.inLine('i', x)), or(equal(x, 'e'), ordered.ahead(x, 'e'))),
  ),
  forAll((x) =>
    implies(and(before.onToken('p'), before.onToken(x)), or(equal(x, 'p'), ordered.ahead('p', x))),
  ),
  forAll((x) =>
    implies(and(before.onToken('r'), before.onToken(x)), or(equal(x, 'r'), ordered.ahead(x, 'r'))),
  ),
];

export interface ProgressClaim {
  readonly claim: string;
  readonly constants: readonly Term[];
  /** The claim's negation, and what it may assume beside the invariant. */
  readonly assertions: readonly Assertion[];
  /** As of a claim. */
  readonly expect?: 'sat';
}

const progressClaim = (
  name: string,
  constants: readonly Term[],
  ...assertions: readonly Assertion[]
): ProgressClaim => ({ claim: `progress: ${name}`, constants, assertions });

/** The claims about one transition. Constants are as in the table. */
export function progressClaims(row: Row, stateAfter: State): readonly ProgressClaim[] {
  const after: Ordered = { ...stateAfter, ...orderingAfter(row) };
  return [...orderClaims(row, after), ...rankClaims(row, after)];
}

/** The order of lines is an invariant. */
function orderClaims(row: Row, after: Ordered): readonly ProgressClaim[] {
  const rules = orderRules(after).map(({ name, holds }) => {
    const sites = Array.from({ length: holds.length }, (_, index) => `broken${index}`);
    return progressClaim(
      name,
      [...sites, ...sites.flatMap((site) => [`${site}Entry`, `${site}Ridden`])],
      ...ends,
      ...sites.flatMap((site) => [
        known(found.entry, site, 'i', `${site}Entry`),
        known(found.ridden, site, site, `${site}Ridden`),
      ]),
      fact(not(holds(...sites))),
    );
  });
  const { handedOn, candidates } = newSites(row);
  const existing = Object.values(found).map(({ name, where, is }) =>
    progressClaim(
      name,
      ['a', 'z', 'aEntry', 'aEntryI', 'iEntry', 'aHead', 'iHead', 'aRidden', 'below'],
      known(found.entry, 'a', 'z', 'aEntry'),
      known(found.entry, 'a', 'i', 'aEntryI'),
      known(found.entry, 'i', 'z', 'iEntry'),
      known(found.head, 'a', 'a', 'aHead'),
      known(found.head, 'i', 'i', 'iHead'),
      known(found.ridden, 'a', 'a', 'aRidden'),
      fact(
        implies(
          exists((x) => and(handedOn(x), before.path('a', x))),
          and(handedOn('below'), before.path('a', 'below')),
        ),
      ),
      fact(where(after, 'a', 'z')),
      ...['aEntry', 'aEntryI', 'iEntry', 'aHead', 'iHead', 'aRidden', 'below', ...candidates].map((site) =>
        fact(not(is(after, 'a', 'z', site))),
      ),
    ),
  );
  return [...rules, ...existing];
}

/** The entries of the line that the step hands on, and the sites by which the step may make true that a site exists. */
function newSites({ effect }: Row): {
  readonly handedOn: (x: Term) => Formula;
  readonly candidates: readonly Term[];
} {
  const token = handsOn(effect);
  if (token === undefined) return { handedOn: () => no, candidates: ['i', 'o'] };
  const { target, line } = token;
  const end = line.at(-1);
  return {
    handedOn: (x) => and(differ(x, 'i'), or(equal(x, target), isInAny(line)(x))),
    candidates: ['i', 'o', target, ...(end === undefined ? [] : [end])],
  };
}

/** The step makes the rank of a waiting site w no larger, and the step that helps makes it smaller. */
function rankClaims({ kind, client }: Row, after: Ordered): readonly ProgressClaim[] {
  const waits = and(before.requesting('w'), after.requesting('w'));
  const head = (h: Term) => isHead(ordered, h, 'w');
  const headAfter = (h: Term) => isHead(after, h, 'w');
  const claim = (name: string, constants: readonly Term[], ...broken: readonly Formula[]) =>
    progressClaim(
      name,
      ['w', 'h1', 'wEntry', 'wEntryI', ...constants],
      known(found.entry, 'w', 'h1', 'wEntry'),
      known(found.entry, 'w', 'i', 'wEntryI'),
      fact(and(waits, ...broken)),
    );
  const isReceived = (type: Row['kind'], receiver: Formula) => (kind === type ? receiver : no);
  const claims = [
    claim(
      'a site below the head stays there',
      ['h2', 'x'],
      and(head('h1'), before.hasRequest('h1'), headAfter('h2')),
      and(before.path('x', 'h1'), not(after.path('x', 'h2'))),
    ),
    claim(
      "the head's request stays on its way until it arrives",
      ['y'],
      and(head('h1'), before.requestTo('h1', 'y'), not(isReceived('REQUEST', equal('o', 'h1')))),
      not(and(headAfter('h1'), after.requestTo('h1', 'y'))),
    ),
    claim(
      "in the token's line no site comes before a waiting one",
      ['x'],
      and(head('h1'), tokenSomewhere(before, 'h1'), differ('x', 'w')),
      and(after.early('x', 'w'), not(ordered.early('x', 'w'))),
    ),
    claim(
      "a waiting site in the token's line stays in it",
      ['h2'],
      and(head('h1'), tokenSomewhere(before, 'h1'), headAfter('h2'), not(tokenSomewhere(after, 'h2'))),
    ),
    claim(
      'the token stays on its way until it arrives',
      [],
      and(head('h1'), before.tokenTo('h1'), not(isReceived('TOKEN', equal('i', 'h1')))),
      not(and(headAfter('h1'), after.tokenTo('h1'))),
    ),
    claim(
      'the head stays in the critical section until it hands the token on',
      [],
      and(head('h1'), before.token('h1'), headAfter('h1'), not(and(after.token('h1'), after.inCS('h1')))),
    ),
    claim(
      'a site that hands the token on comes before no more',
      [],
      and(head('i'), tokenSomewhere(before, 'i'), not(headAfter('i')), after.early('i', 'w')),
    ),
  ];
  if (kind === 'REQUEST') {
    claims.push(
      claim(
        "the receiver of the head's request comes below the head",
        ['h2'],
        and(head('o'), headAfter('h2'), not(after.path('i', 'h2'))),
      ),
    );
  }
  if (kind === 'TOKEN') {
    claims.push(
      claim(
        'the head enters with the token, or hands it on',
        [],
        and(head('i'), headAfter('i'), or(equal('i', 'w'), not(after.token('i')), not(after.inCS('i')))),
      ),
    );
  }
  if ((kind === 'release' || kind === 'releaseAndAsk') && client === 'inCS')
    claims.push(claim('a release hands the token on', [], and(head('i'), headAfter('i'))));
  return claims;
}

/** The relations of progress after the step. As with the closures, a wrong one can only make a claim fail. */
function orderingAfter({ kind, effect }: Row): Ordering {
  const { ahead, held, early, rides } = ordered;
  const { inLine, onToken, path } = before;
  const token = handsOn(effect);
  const lines = [
    ...(effect.line === 'kept' ? [] : [effect.line]),
    ...(token === undefined ? [] : [token.line]),
  ];
  const isMoved = (x: Term) =>
    or(effect.line === 'kept' ? no : inLine('i', x), kind === 'TOKEN' ? onToken(x) : no);
  const order = {
    ahead: (x: Term, y: Term) =>
      or(and(ahead(x, y), not(isMoved(x))), ...lines.map((line) => isAheadIn(line, x, y))),
  };
  if (token !== undefined) {
    const { target: t, line } = token;
    const joins = line.includes('i');
    return {
      ...order,
      held: (x, y) =>
        choose(
          equal(y, t),
          or(held(x, t), and(held(x, 'i'), joins ? yes : differ(x, 'i'))),
          and(held(x, y), or(differ(y, 'i'), equal(x, 'i'))),
        ),
      early: (x, y) => or(and(early(x, y), differ(x, 'i')), joins ? equal(y, 'i') : no),
      rides: (x) => (line.length > 0 ? not(path(x, t)) : no),
    };
  }
  if (kind === 'REQUEST' && effect.line !== 'kept') {
    // The head of those that o holds is another one now, and any site may come before them.
    return {
      ...order,
      held: (x, y) => or(held(x, y), and(held(x, 'o'), held('i', y))),
      early: (x, y) => or(early(x, y), held(y, 'o')),
      rides,
    };
  }
  return { ...order, held, early, rides: kind === 'TOKEN' ? () => no : rides };
}

/** x stands ahead of y in a line with these pieces. */
function isAheadIn(line: readonly Piece[], x: Term, y: Term): Formula {
  return or(
    ...line.flatMap((piece, index) => [
      ...(piece === 'm' || piece === 'q' ? [and(isIn(piece, x), isIn(piece, y), ordered.ahead(x, y))] : []),
      ...line.slice(index + 1).map((behind) => and(isIn(piece, x), isIn(behind, y))),
    ]),
  );
}

/** At the start no site is in a line. */
export function orderClaimsAtStart(start: State): readonly ProgressClaim[] {
  const none = () => no;
  const s: Ordered = { ...start, ahead: none, held: (x, y) => equal(x, y), early: none, rides: none };
  return [
    ...orderRules(s).map(({ name, holds }) => {
      const sites = Array.from({ length: holds.length }, (_, index) => `broken${index}`);
      return progressClaim(name, sites, fact(not(holds(...sites))));
    }),
    // Each site is its own head, is held by no other, and does not ride.
    ...Object.values(found).map(({ name, where, is }) =>
      progressClaim(name, ['a', 'z'], fact(where(s, 'a', 'z')), fact(not(is(s, 'a', 'z', 'a')))),
    ),
  ];
}

/** The claims about every state that satisfies the invariant. */
export function progressConsequences(): readonly ProgressClaim[] {
  const claim = (name: string, constants: readonly Term[], ...broken: readonly Formula[]) =>
    progressClaim(
      name,
      ['w', 'h1', 'wEntry', ...constants],
      known(found.entry, 'w', 'h1', 'wEntry'),
      fact(and(before.requesting('w'), isHead(ordered, 'h1', 'w'), ...broken)),
    );
  return [
    claim(
      'the head has a request on its way, or the token, or gets it',
      [],
      not(or(before.hasRequest('h1'), tokenSomewhere(before, 'h1'))),
    ),
    claim(
      "the receiver of the head's request is not below the head",
      ['y'],
      before.requestTo('h1', 'y'),
      before.path('y', 'h1'),
    ),
    claim('a head with the token is in its critical section', [], before.token('h1'), not(before.inCS('h1'))),
    claim(
      'a head with the token, or that gets it, comes before',
      [],
      differ('h1', 'w'),
      not(ordered.early('h1', 'w')),
    ),
    claim('a site has one head', ['h2'], isHead(ordered, 'h2', 'w'), differ('h1', 'h2')),
    {
      ...claim(
        'the order of lines can hold, with a site before another',
        ['x'],
        and(before.token('h1'), differ('h1', 'w'), ordered.ahead('x', 'w'), not(ordered.early('w', 'x'))),
      ),
      expect: 'sat',
    },
  ];
}

/** The step that helps can be taken. A message can arrive in any state: an unexpected one is refuted by a claim of its own. */
export function progressTableClaim(rows: readonly Row[]): TableClaim {
  return {
    claim: 'progress: a client can release in its critical section',
    broken: rows
      .filter(({ kind, client, effect }) => kind === 'release' && client === 'inCS' && effect.unexpected)
      .map(rowText),
  };
}
