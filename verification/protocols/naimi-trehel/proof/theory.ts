import type { AnyStateMachine } from 'xstate';
import { siteMachine } from '../../../../machines/naimi-trehel/site.ts';
import {
  type Assertion,
  and,
  choose,
  differ,
  equal,
  type Formula,
  fact,
  forAll,
  implies,
  no,
  not,
  or,
  type Query,
  type Term,
  yes,
} from '../../../proof/formula.ts';
import { assumed, broken, type Conjunct, grouped } from '../../../proof/induction.ts';
import { ascending, descending, opaque } from '../../../proof/opaque.ts';
import type { Claim, Step, TableClaim, Theory } from '../../../proof/theory.ts';
import {
  before,
  invariant,
  isRoot,
  type RelationName,
  relations,
  type State,
  tokenSomewhere,
  witnessed,
} from './invariant.ts';
import { progressClaims, progressConsequences, progressTableClaim } from './progress.ts';
import { type Client, type Name, type Row, type RowEffect, type Start, startOf, tabulate } from './table.ts';

/**
 * That L1 to L3, T, Q and one token are inductive for every number of sites, on any network that neither loses nor doubles a message, where
 * clients ask, try, release, go on and withdraw. The transitions are those of the statechart's table.
 */
export function naimiTrehelTheory(machine: AnyStateMachine = siteMachine): Theory {
  const rows = tabulate(machine, opaque, opaque(0));
  const transitions = grouped(rows, ['TOKEN', 'REQUEST']);
  return {
    rows: rows.length,
    table: [idsAreOpaque(machine, rows), ...tableClaims(rows), progressTableClaim(rows, rowText)],
    steps: [startStep(machine), ...transitions.map(transition), consequences(invariant(before))],
  };
}

// The table alone.

/** The table must not change with texts as ids, in either order, and other numbers of peers. */
function idsAreOpaque(machine: AnyStateMachine, rows: readonly Row[]): TableClaim {
  const others = [tabulate(machine, ascending, 1), tabulate(machine, descending, 7)];
  return {
    claim: 'a step only copies ids and compares them',
    broken: rows.flatMap((row, index) =>
      others.every((other) => JSON.stringify(other[index]!.effect) === JSON.stringify(row.effect))
        ? []
        : [rowText(row)],
    ),
  };
}

function tableClaims(rows: readonly Row[]): readonly TableClaim[] {
  const broken = (is: (row: Row) => boolean) => rows.filter(is).map(rowText);
  return [
    {
      claim: 'routing is root exactly when last is nil',
      broken: broken(({ effect }) => !effect.routed),
    },
    {
      claim: 'a grant comes with the token, in the critical section',
      broken: broken(
        ({ client, effect }) =>
          effect.grants && (effect.client !== 'inCS' || !(effect.token || client === 'inCS')),
      ),
    },
    {
      claim: 'a client enters with a grant',
      broken: broken(({ client, effect }) => effect.client === 'inCS' && client !== 'inCS' && !effect.grants),
    },
    {
      claim: 'an event that is unexpected changes nothing',
      broken: broken(
        ({ client, token, effect: { unexpected, ...after } }) =>
          unexpected &&
          (after.client !== client ||
            after.token !== token ||
            after.last !== 'kept' ||
            after.next !== 'kept' ||
            after.sends.length > 0),
      ),
    },
    {
      claim: 'a step sends one REQUEST and one TOKEN at most',
      broken: broken(({ effect: { sends } }) =>
        sends.some((one, index) => sends.slice(0, index).some(({ type }) => type === one.type)),
      ),
    },
  ];
}

/** Rows that start with one event in one client state and have one effect. */
type Group = readonly [Row, ...Row[]];

// The start: a star around the root.

function startStep(machine: AnyStateMachine): Step {
  const root = startOf(machine, opaque, true);
  const other = startOf(machine, opaque, false);
  const s = startState(root, other);
  const constants = ['root'];
  const claims: Claim[] = invariant(s).map((conjunct) => {
    const { constants: sites, assertion } = broken(conjunct);
    return {
      claim: conjunct.name,
      query: { relations, constants: [...constants, ...sites], assertions: [assertion] },
    };
  });
  for (const { name, where, exists } of witnessed(s)) {
    const assertions = [fact(where('a')), forAll((y) => not(exists('a', y)))];
    claims.push({ claim: name, query: { relations, constants: [...constants, 'a'], assertions } });
  }
  claims.push({
    claim: 'a token exists',
    query: { relations, constants, assertions: [forAll((x) => not(tokenSomewhere(s, x)))] },
  });
  return { step: 'start', claims };
}

function startState(root: Start, other: Start): State {
  const of = (is: (start: Start) => boolean) => (x: Term) =>
    choose(equal(x, 'root'), is(root) ? yes : no, is(other) ? yes : no);
  const pointsAtRoot = of(({ last }) => last === 'root');
  return {
    idle: of(({ client }) => client === 'idle'),
    requesting: of(({ client }) => client === 'requesting'),
    withdrawn: of(({ client }) => client === 'withdrawn'),
    inCS: of(({ client }) => client === 'inCS'),
    token: of(({ token }) => token),
    tokenTo: () => no,
    hasLast: pointsAtRoot,
    last: (x, y) => and(pointsAtRoot(x), equal(y, 'root')),
    hasNext: () => no,
    next: () => no,
    hasRequest: () => no,
    requestTo: () => no,
    queued: () => no,
    path: (x, y) => or(equal(x, y), and(pointsAtRoot(x), equal(y, 'root'))),
    queue: (x, y) => equal(x, y),
    tail: (x, y) => equal(x, y),
  };
}

// One transition.

/** i, l, n, o: as in the table. t is the tail of the queue from o; a token is at k, or on its way there. */
const stepConstants = ['i', 'l', 'n', 'o', 't', 'k'];

function transition(rows: Group): Step {
  const [{ kind, client, effect }] = rows;
  const step = stepText(rows[0]);
  const assertions: readonly Assertion[] = [
    ...assumed(invariant(before)),
    // The existential part of the invariant, at the sites of this step.
    fact(implies(before.hasLast('i'), before.last('i', 'l'))),
    fact(implies(before.hasNext('i'), before.next('i', 'n'))),
    fact(before.tail('o', 't')),
    fact(tokenSomewhere(before, 'k')),
    fact(before[client]('i')),
    ...(kind === 'REQUEST' ? [fact(before.requestTo('o', 'i'))] : []),
    ...(kind === 'TOKEN' ? [fact(before.tokenTo('i'))] : []),
    fact(or(...rows.map(startsAs))),
  ];
  const query = (constants: readonly Term[], ...more: readonly Assertion[]): Query => ({
    relations,
    constants: [...stepConstants, ...constants],
    assertions: [...assertions, ...more],
  });
  const toNobody = effect.sends.some(
    ({ type, target, ...rest }) =>
      target === 'nil' || (type === 'REQUEST' && 'origin' in rest && rest.origin === 'nil'),
  );
  const nowhere = !isClient(effect.client);
  if (effect.unexpected || toNobody || nowhere) {
    return { step, possible: query([]), mustBeImpossible: true, claims: [] };
  }
  const after = stateAfter(rows[0]);
  const claims: Claim[] = [];
  const claim = (name: string, constants: readonly Term[], ...more: readonly Assertion[]) =>
    claims.push({ claim: name, query: query(constants, ...more) });

  // A message is counted by a relation: it must not be on its way already.
  const consumed = networkAfterReceipt(kind);
  for (const send of effect.sends) {
    if (send.type === 'TOKEN') claim('one TOKEN on its way', ['a'], fact(consumed.tokenTo('a')));
    else {
      claim('no second REQUEST of an origin', ['a'], fact(consumed.requestTo(send.origin, 'a')));
      claim('no REQUEST back to its origin', [], fact(equal(send.origin, send.target)));
    }
  }
  if (effect.next !== 'kept' && effect.next !== 'nil')
    claim('next is not overwritten', [], fact(before.hasNext('i')));
  for (const conjunct of invariant(after)) {
    const { constants, assertion } = broken(conjunct);
    claim(conjunct.name, constants, assertion);
  }
  const known = witnessed(before);
  for (const [index, { name, where, exists }] of witnessed(after).entries()) {
    const had = known[index]!;
    // Before the step site a has its witness b, and site i has c; after it, no site is one for a.
    claim(
      name,
      ['a', 'b', 'c'],
      fact(implies(had.where('a'), had.exists('a', 'b'))),
      fact(implies(had.where('i'), had.exists('i', 'c'))),
      fact(where('a')),
      forAll((y) => not(exists('a', y))),
    );
  }
  claim(
    'a token exists',
    [],
    forAll((x) => not(tokenSomewhere(after, x))),
  );
  for (const { claim: name, constants, broken: is } of progressClaims(rows[0], after))
    claim(name, constants, fact(is));
  return { step, possible: query([]), claims };
}

function isClient(client: string): client is Client {
  return Object.hasOwn(before, client);
}

/** The site's variables, and which of the sites named are one, are as the row says. */
function startsAs({ token, equal: classes }: Row): Formula {
  const names = (['i', 'l', 'n', 'o'] as const).filter((name) => classes[name] !== null);
  const pairs = names.flatMap((name, index) => names.slice(index + 1).map((other) => [name, other] as const));
  const is = (holds: boolean, formula: Formula) => (holds ? formula : not(formula));
  return and(
    is(token, before.token('i')),
    is(classes.l !== null, before.hasLast('i')),
    is(classes.n !== null, before.hasNext('i')),
    ...pairs.map(([one, other]) => is(classes[one] === classes[other], equal(one, other))),
  );
}

type Network = Pick<State, 'tokenTo' | 'hasRequest' | 'requestTo'>;

/** The network once the message that makes the step has been received. */
function networkAfterReceipt(kind: Row['kind']): Network {
  return {
    tokenTo: (x) => (kind === 'TOKEN' ? and(before.tokenTo(x), differ(x, 'i')) : before.tokenTo(x)),
    hasRequest: (x) =>
      kind === 'REQUEST' ? and(before.hasRequest(x), differ(x, 'o')) : before.hasRequest(x),
    requestTo: (x, y) =>
      kind === 'REQUEST'
        ? and(before.requestTo(x, y), not(and(equal(x, 'o'), equal(y, 'i'))))
        : before.requestTo(x, y),
  };
}

/**
 * The state after the step. The closures are given, not computed: a wrong one makes a claim fail, for the claims say of
 * it all that is used of it.
 */
function stateAfter(row: Row): State {
  const { kind, effect } = row;
  const at = (was: State['token'], is: boolean) => (x: Term) => choose(equal(x, 'i'), is ? yes : no, was(x));
  const written = (was: State['last'], value: RowEffect['last']) => (x: Term, y: Term) =>
    value === 'kept' ? was(x, y) : choose(equal(x, 'i'), value === 'nil' ? no : equal(y, value), was(x, y));
  const hasWritten = (was: State['hasLast'], value: RowEffect['last']) =>
    value === 'kept' ? was : at(was, value !== 'nil');
  const network = networkAfterReceipt(kind);
  const sent = effect.sends;
  const requests = sent.flatMap((send) => (send.type === 'REQUEST' ? [send] : []));
  const tokens = sent.flatMap((send) => (send.type === 'TOKEN' ? [send] : []));
  return {
    idle: at(before.idle, effect.client === 'idle'),
    requesting: at(before.requesting, effect.client === 'requesting'),
    withdrawn: at(before.withdrawn, effect.client === 'withdrawn'),
    inCS: at(before.inCS, effect.client === 'inCS'),
    token: at(before.token, effect.token),
    tokenTo: (x) => or(network.tokenTo(x), ...tokens.map(({ target }) => equal(x, target))),
    hasLast: hasWritten(before.hasLast, effect.last),
    last: written(before.last, effect.last),
    hasNext: hasWritten(before.hasNext, effect.next),
    next: written(before.next, effect.next),
    hasRequest: (x) => or(network.hasRequest(x), ...requests.map(({ origin }) => equal(x, origin))),
    requestTo: (x, y) =>
      or(
        network.requestTo(x, y),
        ...requests.map(({ origin, target }) => and(equal(x, origin), equal(y, target))),
      ),
    ...queuesAfter(effect.next),
    path: pathAfter(row),
  };
}

/** The queues once i's next is written: cut behind i, or the queue of its new next hung behind i. */
function queuesAfter(next: RowEffect['next']): Pick<State, 'queued' | 'queue' | 'tail'> {
  const { queued, queue, tail } = before;
  if (next === 'kept') return { queued, queue, tail };
  if (next === 'nil') {
    return {
      queued: (x) => and(queued(x), not(before.next('i', x))),
      queue: (x, y) => and(queue(x, y), not(and(queue(x, 'i'), queue('i', y), differ('i', y)))),
      tail: (x, y) => choose(queue(x, 'i'), equal(y, 'i'), tail(x, y)),
    };
  }
  return {
    queued: (x) => or(queued(x), equal(x, next)),
    queue: (x, y) => or(queue(x, y), and(queue(x, 'i'), queue(next, y))),
    tail: (x, y) => choose(queue(x, 'i'), tail(next, y), tail(x, y)),
  };
}

/**
 * The eff-paths after a REQUEST of o at i, where t is the tail of o's queue and pointed at i. Path reversal turns i to o, and t to
 * where i pointed: below t, paths go on from t as i's did; below i alone, they go on to o, from there to t, and then as i's did. Where i
 * passes the REQUEST on and does not turn, t alone points at i's last.
 */
function pathAfter({ kind, effect }: Row): State['path'] {
  const { path } = before;
  if (kind !== 'REQUEST') return path;
  const upTo = (x: Term, y: Term, top: Term) => and(path(x, y), path(y, top));
  const forwarded = effect.sends.find(({ type }) => type === 'REQUEST');
  if (effect.last === 'kept' && forwarded !== undefined) {
    return (x, y) => choose(path(x, 't'), or(upTo(x, y, 't'), path(forwarded.target, y)), path(x, y));
  }
  const aboveI = (y: Term) => and(path('i', y), differ('i', y));
  return (x, y) =>
    choose(
      path(x, 't'),
      or(upTo(x, y, 't'), aboveI(y)),
      choose(path(x, 'i'), or(upTo(x, y, 'i'), upTo('o', y, 't'), aboveI(y)), path(x, y)),
    );
}

// The invariant, and what follows from it.

/** The consequences of these conjuncts, without a step. */
export function consequences(conjuncts: readonly Conjunct[]): Step {
  const query = (constants: readonly Term[], ...facts: readonly Formula[]): Query => ({
    relations,
    constants,
    assertions: [...assumed(conjuncts), ...facts.map(fact)],
  });
  const headOf = (h: Term, x: Term) => and(before.queue(h, x), not(before.queued(h)));
  return {
    step: 'consequences',
    claims: [
      {
        claim: 'mutual exclusion',
        query: query(['a', 'b'], before.inCS('a'), before.inCS('b'), differ('a', 'b')),
      },
      {
        claim: 'T: there is one root',
        query: query(
          ['a', 'g', 'b', 'h'],
          isRoot(before, 'a', 'g'),
          isRoot(before, 'b', 'h'),
          differ('a', 'b'),
        ),
      },
      {
        claim: "T: it is the tail of the token's queue",
        query: query(
          ['k', 't'],
          tokenSomewhere(before, 'k'),
          before.tail('k', 't'),
          not(isRoot(before, 't', 'k')),
        ),
      },
      {
        claim: 'a queue has one head',
        query: query(['a', 'g', 'h'], headOf('g', 'a'), headOf('h', 'a'), differ('g', 'h')),
      },
      ...progressConsequences().map(({ claim, constants, broken: is }) => ({
        claim,
        query: query(constants, is),
      })),
      {
        claim: 'the invariant can hold, with two sites',
        query: query(['a', 'b', 'k'], differ('a', 'b'), tokenSomewhere(before, 'k')),
        expect: 'sat',
      },
    ],
  };
}

// In words.

function rowText(row: Row): string {
  const names = (['i', 'l', 'n', 'o'] as const).map((name) => `${name}=${row.equal[name] ?? 'nil'}`);
  return `${stepText(row)} (token ${row.token ? 'here' : 'elsewhere'}, ${names.join(' ')})`;
}

function stepText({ kind, client, effect }: Row): string {
  const event = kind === 'REQUEST' ? 'REQUEST(o)' : kind;
  const variable = (name: string, value: RowEffect['last']) =>
    value === 'kept' ? [] : [`${name} := ${value}`];
  const does = [
    ...effect.sends.map((send) =>
      send.type === 'TOKEN' ? `TOKEN to ${send.target}` : `REQUEST(${send.origin}) to ${send.target}`,
    ),
    ...variable('last', effect.last),
    ...variable('next', effect.next),
    effect.token ? 'has the token' : 'has no token',
    ...(effect.grants ? ['grant'] : []),
    ...(effect.unexpected ? ['unexpected'] : []),
  ];
  return `${client}, ${event} -> ${effect.client}: ${does.join(', ')}`;
}

export type { Name, RelationName };
