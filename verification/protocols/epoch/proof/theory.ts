import type { AnyStateMachine } from 'xstate';
import { siteMachine } from '../../../../machines/epoch/site.ts';
import {
  type Assertion,
  and,
  choose,
  differ,
  equal,
  type Formula,
  fact,
  implies,
  no,
  not,
  or,
  type Query,
  type Relations,
  symbols,
  type Term,
  yes,
} from '../../../proof/formula.ts';
import { assumed, broken, type Conjunct } from '../../../proof/induction.ts';
import type { Claim, Step, TableClaim, Theory } from '../../../proof/theory.ts';
import {
  type After,
  type Before,
  type Group,
  isMessage,
  plain,
  type Side,
  type Table,
  tabulate,
} from './table.ts';

/*
 * S1, S2 and S3 (docs/protocol.md, section 3) for any number of sites, any epoch E and any fence (E, K): one token of E, one winner
 * of E, and (E, K) is granted once. The voters are fixed, no disk is lost, and there are no leases. Messages may be lost, delayed, reordered, and, but for
 * TOKEN, doubled. Sites may crash and restart with their disks at any time.
 */

/** Names and arities. */
const relations = {
  /** The promise of x is below E, or E; the epoch that x adopted last is. */
  promisedBelow: 1,
  promisedAt: 1,
  epochBelow: 1,
  epochAt: 1,
  candidate: 1,
  /** The epoch that x adopted last is E, and y its root. */
  root: 2,
  /** Candidate x counts the vote of y. */
  votes: 2,
  /** x has the token of E, with less than K entries counted; TOKEN of E is on its way to x, with less than K. */
  holds: 1,
  isLow: 1,
  tokenTo: 1,
  isTokenLow: 1,
  /** x is in a critical section, by a fence of an epoch below E, or of E. */
  insideBelow: 1,
  insideAt: 1,
  /** VOTE of x for E has been sent to y; a message that names E with the root x has been sent. */
  voteTo: 2,
  names: 1,
  /** The past, which no site knows: x voted for y; x won E, with the vote of y; x was made the root of E; (E, K) was granted, to x. */
  voted: 2,
  won: 1,
  quorum: 2,
  isRoot: 1,
  granted: 0,
  grantedTo: 1,
  /** E was decided; E is 0, which the founders decided. */
  decided: 0,
  isFirst: 0,
} as const;

type State = Relations<keyof typeof relations>;

const before: State = symbols(relations);

function invariant(s: State): readonly Conjunct[] {
  const isFunction = (some: State['root']) => (x: Term, y: Term, z: Term) =>
    implies(and(some(x, y), some(x, z)), equal(y, z));
  const token = (x: Term) => or(s.holds(x), s.tokenTo(x));
  return [
    {
      name: 'a promise and an epoch are on one side of E, and no epoch is above the promise',
      holds: (x) =>
        and(
          not(and(s.promisedBelow(x), s.promisedAt(x))),
          not(and(s.epochBelow(x), s.epochAt(x))),
          implies(s.promisedBelow(x), s.epochBelow(x)),
          implies(s.promisedAt(x), or(s.epochBelow(x), s.epochAt(x))),
        ),
    },
    {
      name: 'a candidate stands above the epoch that it has adopted',
      holds: (x) => implies(and(s.candidate(x), s.promisedAt(x)), s.epochBelow(x)),
    },
    { name: 'a site votes once in an epoch', holds: (x, y, z) => isFunction(s.voted)(x, y, z) },
    {
      name: 'a vote is a promise, which is kept',
      holds: (x, y) => implies(s.voted(x, y), not(s.promisedBelow(x))),
    },
    { name: 'a VOTE that is on its way was given', holds: (x, y) => implies(s.voteTo(x, y), s.voted(x, y)) },
    {
      name: 'a vote that is counted was given',
      holds: (x, y) => implies(and(s.candidate(x), s.promisedAt(x), s.votes(x, y)), s.voted(y, x)),
    },
    {
      name: 'the winner has adopted the epoch',
      holds: (x) => implies(s.won(x), and(not(s.epochBelow(x)), s.decided())),
    },
    {
      name: 'the votes that elected were given',
      holds: (x, y) => implies(and(s.won(x), s.quorum(x, y)), s.voted(y, x)),
    },
    { name: 'S2: one winner of an epoch', holds: (x, y) => implies(and(s.won(x), s.won(y)), equal(x, y)) },
    {
      name: 'an epoch has one root, once it is decided',
      holds: (x, y) =>
        and(implies(s.isRoot(x), s.decided()), implies(and(s.isRoot(x), s.isRoot(y)), equal(x, y))),
    },
    { name: 'a message names the root of its epoch', holds: (x) => implies(s.names(x), s.isRoot(x)) },
    {
      name: 'a site adopts an epoch with its root',
      holds: (x, y) => implies(s.root(x, y), and(s.epochAt(x), s.isRoot(y))),
    },
    {
      name: 'S1: one token in an epoch',
      holds: (x, y) =>
        and(
          implies(and(s.holds(x), s.holds(y)), equal(x, y)),
          implies(and(s.tokenTo(x), s.tokenTo(y)), equal(x, y)),
          not(and(s.holds(x), s.tokenTo(y))),
        ),
    },
    {
      name: 'a token is of the epoch that its site has adopted',
      holds: (x) => implies(s.holds(x), s.epochAt(x)),
    },
    {
      name: 'the root makes the token as it adopts the epoch, and it alone',
      holds: (x, y) =>
        and(implies(token(x), s.decided()), implies(and(token(x), s.isRoot(y)), not(s.epochBelow(y)))),
    },
    {
      name: 'a fence is granted once the root has adopted its epoch',
      holds: (x) =>
        and(implies(s.granted(), s.decided()), implies(and(s.granted(), s.isRoot(x)), not(s.epochBelow(x)))),
    },
    {
      name: 'S3: the token counts the entries that were granted',
      holds: (x) =>
        and(
          not(and(s.granted(), s.holds(x), s.isLow(x))),
          not(and(s.granted(), s.tokenTo(x), s.isTokenLow(x))),
        ),
    },
    {
      name: 'S4: one site is inside by an epoch, and no other has its token',
      holds: (x, y) => implies(and(s.insideAt(x), or(s.insideAt(y), token(y))), equal(x, y)),
    },
    {
      name: 'a section begins once the root has adopted its epoch, at a site that has',
      holds: (x, y) =>
        and(
          not(and(s.insideAt(x), s.insideBelow(x))),
          implies(s.insideAt(x), and(s.decided(), not(s.epochBelow(x)))),
          implies(and(s.insideAt(x), s.isRoot(y)), not(s.epochBelow(y))),
        ),
    },
    {
      name: 'S4: while the section of its root goes on, no other site is inside by an epoch, or has its token',
      holds: (x, y) => implies(and(s.isRoot(x), s.insideBelow(x), or(s.insideAt(y), token(y))), equal(x, y)),
    },
    {
      name: 'S5: where a fence was granted no earlier epoch comes back',
      holds: (x) => implies(s.grantedTo(x), and(s.granted(), not(s.epochBelow(x)))),
    },
    {
      name: 'epoch 0 is decided without a vote',
      holds: (x, y) =>
        implies(s.isFirst(), and(s.decided(), not(s.promisedBelow(x)), not(s.voted(x, y)), not(s.won(x)))),
    },
  ];
}

/**
 * S1 to S3 are inductive. The transitions are those of the statechart's table.
 */
export function epochTheory(machine: AnyStateMachine = siteMachine): Theory {
  const table = tabulate(machine);
  return {
    rows: table.rows,
    table: [...[...table.broken].map(([claim, broken]) => ({ claim, broken })), comparesOnly(machine, table)],
    steps: [
      start('a later epoch', false),
      start('epoch 0', true),
      ...table.groups.filter(isSeen).map(transition),
      tokenLost(),
      consequences(),
    ],
  };
}

/** The table must not change with other names of sites, in another order, and with other numbers. */
function comparesOnly(machine: AnyStateMachine, { groups }: Table): TableClaim {
  const names = Object.keys(plain.sites) as readonly (keyof typeof plain.sites)[];
  const sites = Object.fromEntries(names.map((name, index) => [name, `s${names.length - index}`]));
  const other = tabulate(machine, { sites: sites as typeof plain.sites, above: 10 });
  const text = ({ kind, starts, after, rows }: Group) => JSON.stringify([kind, starts, after, rows]);
  const known = new Set(other.groups.map(text));
  return {
    claim: 'a step compares ids and numbers, and counts votes, and no more',
    broken: groups.filter((group) => !known.has(text(group))).map(({ example }) => example),
  };
}

/** The step does something as far as E is concerned. */
function isSeen({ kind, starts, after }: Group): boolean {
  const isSame = ({ promised, epoch, candidate, holds, isLow, inside, ofE }: Before) =>
    promised === after.promised &&
    epoch === after.epoch &&
    candidate === after.candidate &&
    holds === after.holds &&
    isLow === after.isLow &&
    inside === after.inside &&
    !(kind === 'TOKEN' && ofE);
  const { root, votes, elected, votesFor, names, token, grants } = after;
  const doesNothing =
    root === 'kept' &&
    (votes === 'kept' || votes === 'none') &&
    elected === null &&
    votesFor === null &&
    names === null &&
    token === null &&
    grants === null;
  return !(doesNothing && starts.every(isSame));
}

function start(step: string, isFirst: boolean): Step {
  const nowhere = () => no;
  const s: State = {
    ...before,
    promisedBelow: () => (isFirst ? no : yes),
    promisedAt: () => (isFirst ? yes : no),
    epochBelow: () => (isFirst ? no : yes),
    epochAt: () => (isFirst ? yes : no),
    candidate: nowhere,
    root: (_, y) => (isFirst ? equal(y!, 'founder') : no),
    votes: nowhere,
    holds: (x) => (isFirst ? equal(x!, 'founder') : no),
    isLow: () => yes,
    tokenTo: nowhere,
    isTokenLow: nowhere,
    insideBelow: nowhere,
    insideAt: nowhere,
    voteTo: nowhere,
    names: nowhere,
    voted: nowhere,
    won: nowhere,
    quorum: nowhere,
    isRoot: (x) => (isFirst ? equal(x!, 'founder') : no),
    granted: nowhere,
    grantedTo: nowhere,
    decided: () => (isFirst ? yes : no),
    isFirst: () => (isFirst ? yes : no),
  };
  return {
    step: `start: ${step}`,
    claims: invariant(s).map((conjunct) => {
      const { constants, assertion } = broken(conjunct);
      return {
        claim: conjunct.name,
        query: { relations, constants: ['founder', ...constants], assertions: [assertion] },
      };
    }),
  };
}

/**
 * i: the site. o: the voter or candidate of a message; r: the root that it names; h: the holder that a candidate has heard of; t: the
 * site that gets the TOKEN. w: the winner of E, if there was one. m: a voter in the majority that w won with and in that of i.
 */
const stepConstants = ['i', 'o', 'r', 'h', 't', 'w', 'm'];

const on = (at: Side, below: Formula, equals: Formula) =>
  at === 'below' ? below : at === 'at' ? equals : and(not(below), not(equals));

function startsAs(kind: Group['kind']): (start: Before) => Formula {
  const is = (holds: boolean, formula: Formula) => (holds ? formula : not(formula));
  return ({ promised, epoch, candidate, holds, isLow, inside, ofE, isMessageLow, isRoot }) => {
    const message = !ofE
      ? yes
      : kind === 'VOTE'
        ? before.voteTo('o', 'i')
        : kind === 'TOKEN'
          ? and(before.tokenTo('i'), is(isMessageLow, before.isTokenLow('i')), before.names('r'))
          : kind === 'VOTE_REQUEST' || kind === 'OVER' || !isMessage(kind)
            ? yes
            : before.names('r');
    return and(
      on(promised, before.promisedBelow('i'), before.promisedAt('i')),
      on(epoch, before.epochBelow('i'), before.epochAt('i')),
      is(candidate, before.candidate('i')),
      is(holds, before.holds('i')),
      holds ? is(isLow, before.isLow('i')) : yes,
      is(inside === 'below', before.insideBelow('i')),
      is(inside === 'at', before.insideAt('i')),
      message,
      is(isRoot, equal('r', 'i')),
    );
  };
}

function transition(group: Group): Step {
  const { kind, starts, after: effect, rows } = group;
  const assertions: Assertion[] = [
    ...assumed(invariant(before)),
    fact(or(...starts.map(startsAs(kind)))),
    fact(implies(before.decided(), or(before.won('w'), before.isFirst()))),
  ];
  const { elected } = effect;
  const counted = (x: Term): Formula => countedAfter(elected?.votes ?? effect.votes, x);
  if (elected !== null) {
    // Two majorities of the same voters have a voter in common.
    assertions.push(fact(and(counted('m'), implies(before.won('w'), before.quorum('w', 'm')))));
  }
  const query = (constants: readonly Term[], ...more: readonly Assertion[]): Query => ({
    relations,
    constants: [...stepConstants, ...constants],
    assertions: [...assertions, ...more],
  });
  const claims: Claim[] = [];
  if (effect.token !== null)
    claims.push({
      claim: 'S1: one TOKEN on its way',
      query: query(['a'], fact(tokensAfterReceipt(group)('a'))),
    });
  if (effect.grants === 'at')
    claims.push({ claim: 'S3: no fence is granted twice', query: query([], fact(before.granted())) });
  if (effect.grants === 'lower')
    claims.push({ claim: 'S5: fences of an epoch rise', query: query([], fact(before.granted())) });
  if (effect.grants === 'earlier')
    claims.push({ claim: 'S5: fences of a site rise', query: query([], fact(before.grantedTo('i'))) });
  const s = stateAfter(group, counted);
  for (const conjunct of invariant(s)) {
    const { constants, assertion } = broken(conjunct);
    claims.push({ claim: conjunct.name, query: query(constants, assertion) });
  }
  claims.push({
    claim: 'what is decided was won, or decided by the founders',
    query: query(['a'], fact(and(s.decided(), not(s.isFirst()), not(s.won(elected === null ? 'w' : 'i'))))),
  });
  return { step: `${stepText(group)} (${rows} rows)`, possible: query([]), claims };
}

/** The votes that i counts for E after the step. */
function countedAfter(votes: After['votes'], x: Term): Formula {
  const had = and(before.candidate('i'), before.promisedAt('i'), before.votes('i', x));
  if (votes === 'kept') return had;
  if (votes === 'kept and o') return or(had, equal(x, 'o'));
  return votes === 'i' ? equal(x, 'i') : no;
}

const tokensAfterReceipt =
  ({ kind, starts }: Group) =>
  (x: Term) =>
    kind === 'TOKEN' && starts.some(({ ofE }) => ofE)
      ? and(before.tokenTo(x), differ(x, 'i'))
      : before.tokenTo(x);

function stateAfter(group: Group, counted: (x: Term) => Formula): State {
  const { after: effect } = group;
  const at = (was: State['holds'], is: boolean) => (x: Term) => choose(equal(x, 'i'), is ? yes : no, was(x));
  const { elected, token } = effect;
  const standsForE = effect.candidate && effect.promised === 'at';
  const root: Term = elected === null ? (effect.root === 'kept' ? 'r' : effect.root) : elected.root;
  const received = tokensAfterReceipt(group);
  const own = (y: Term) =>
    effect.root === 'kept' && elected === null ? before.root('i', y) : equal(y, root);
  return {
    promisedBelow: at(before.promisedBelow, effect.promised === 'below'),
    promisedAt: at(before.promisedAt, effect.promised === 'at'),
    epochBelow: at(before.epochBelow, effect.epoch === 'below'),
    epochAt: at(before.epochAt, effect.epoch === 'at'),
    candidate: at(before.candidate, effect.candidate),
    root: (x, y) => choose(equal(x!, 'i'), effect.epoch === 'at' ? own(y!) : no, before.root(x!, y!)),
    votes: (x, y) => choose(equal(x!, 'i'), standsForE ? counted(y!) : no, before.votes(x!, y!)),
    holds: at(before.holds, effect.holds),
    isLow: at(before.isLow, effect.isLow),
    tokenTo: (x) => or(received(x!), token === null ? no : equal(x!, 't')),
    insideBelow: at(before.insideBelow, effect.inside === 'below'),
    insideAt: at(before.insideAt, effect.inside === 'at'),
    isTokenLow: (x) =>
      choose(token === null ? no : equal(x!, 't'), token?.isLow ? yes : no, before.isTokenLow(x!)),
    voteTo: (x, y) =>
      or(before.voteTo(x!, y!), effect.votesFor === null ? no : and(equal(x!, 'i'), equal(y!, 'o'))),
    names: (x) =>
      or(before.names(x!), effect.names === null ? no : effect.names === 'own' ? own(x!) : equal(x!, 'r')),
    voted: (x, y) =>
      or(
        before.voted(x!, y!),
        effect.votesFor === null ? no : and(equal(x!, 'i'), equal(y!, 'o')),
        // A candidate votes for itself as it stands.
        (effect.votes === 'i' && standsForE) || elected?.votes === 'i'
          ? and(equal(x!, 'i'), equal(y!, 'i'))
          : no,
      ),
    won: (x) => or(before.won(x!), elected === null ? no : equal(x!, 'i')),
    quorum: (x, y) => choose(elected === null ? no : equal(x!, 'i'), counted(y!), before.quorum(x!, y!)),
    isRoot: (x) => or(before.isRoot(x!), elected === null ? no : equal(x!, root)),
    granted: () => or(before.granted(), effect.grants === 'at' ? yes : no),
    grantedTo: (x) => or(before.grantedTo(x!), effect.grants === 'at' ? equal(x!, 'i') : no),
    decided: () => or(before.decided(), elected === null ? no : yes),
    isFirst: before.isFirst,
  };
}

/** The other messages stay once they were sent: so each may be lost, doubled and delayed. */
function tokenLost(): Step {
  const after: State = { ...before, tokenTo: (x) => and(before.tokenTo(x!), differ(x!, 'i')) };
  return {
    step: 'a TOKEN is lost',
    claims: invariant(after).map((conjunct) => {
      const { constants, assertion } = broken(conjunct);
      return {
        claim: conjunct.name,
        query: {
          relations,
          constants: ['i', ...constants],
          assertions: [...assumed(invariant(before)), assertion],
        },
      };
    }),
  };
}

function consequences(): Step {
  return {
    step: 'consequences',
    claims: [
      {
        claim: 'the invariant can hold, with a token and a grant',
        query: {
          relations,
          constants: ['a', 'b'],
          assertions: [
            ...assumed(invariant(before)),
            fact(and(before.holds('a'), before.granted(), before.won('b'), differ('a', 'b'))),
          ],
        },
        expect: 'sat',
      },
    ],
  };
}

function stepText({ kind, after }: Group): string {
  const { promised, epoch, candidate, holds, inside, root, votes, elected, votesFor, names, token, grants } =
    after;
  const does = [
    `promise ${promised} E`,
    `epoch ${epoch} E`,
    ...(candidate ? ['candidate'] : []),
    ...(votes === 'none' ? [] : [`votes ${votes}`]),
    ...(elected === null ? [] : [`wins E with the votes ${elected.votes} for the root ${elected.root}`]),
    ...(root === 'kept' ? [] : [`root ${root}`]),
    ...(votesFor === null ? [] : ['VOTE to o']),
    ...(names === null ? [] : [`names the ${names === 'own' ? 'own root' : 'root r'}`]),
    ...(token === null ? [] : ['TOKEN']),
    ...(holds ? ['has the token'] : []),
    ...(inside === null ? [] : [`inside, by a fence ${inside} E`]),
    ...(grants === null
      ? []
      : [
          `grants ${{ at: '(E, K)', lower: 'a fence of E below', earlier: 'a fence of an earlier epoch' }[grants]}`,
        ]),
  ];
  return `${kind}: ${does.join(', ')}`;
}
