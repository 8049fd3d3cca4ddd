import type { AnyStateMachine } from 'xstate';
import { siteMachine } from '../../../../machines/line/site.ts';
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
  implies,
  no,
  not,
  or,
  type Query,
  type Term,
  yes,
} from '../../../proof/formula.ts';
import { assumed, broken, grouped } from '../../../proof/induction.ts';
import { ascending, descending, opaque } from '../../../proof/opaque.ts';
import type { Claim, Step, TableClaim, Theory } from '../../../proof/theory.ts';
import { before, invariant, relations, type State, tokenSomewhere, witnessed } from './invariant.ts';
import {
  type Client,
  type Kind,
  type Piece,
  type Row,
  type RowEffect,
  type RowSend,
  type Shape,
  type Start,
  startOf,
  tabulate,
} from './table.ts';

export interface LineTheoryOptions {
  readonly machine?: AnyStateMachine;
  /** Sites also leave; then channels are fifo. Default: false. */
  readonly leave?: boolean;
}

/**
 * That L1 to L3, T and one token are inductive under the line rule for every number of sites, on any network that neither loses nor doubles a
 * message, where clients ask, try, release, release and ask, go on and withdraw. The transitions are those of the statechart's table.
 */
export function lineTheory({ machine = siteMachine, leave = false }: LineTheoryOptions = {}): Theory {
  const rows = tabulate(machine, leave, { makeId: opaque, between: 2, peers: 2 });
  const theory = new LineTheory(leave);
  return {
    rows: rows.length,
    table: [copiesOnly(machine, leave, rows), ...tableClaims(rows)],
    steps: [
      theory.start(machine),
      ...grouped(rows, messages).map((group) => theory.transition(group)),
      theory.coverage(),
      theory.consequences(),
    ],
  };
}

// The table alone.

/** The table must not change with texts as ids, in either order, with other numbers of peers, and with lines of other lengths. */
function copiesOnly(machine: AnyStateMachine, leave: boolean, rows: readonly Row[]): TableClaim {
  const others = [
    tabulate(machine, leave, { makeId: ascending, between: 1, peers: 3 }),
    tabulate(machine, leave, { makeId: descending, between: 5, peers: 8 }),
  ];
  const shortest = tabulate(machine, leave, { makeId: ascending, between: 0, peers: 2 });
  const text = ({ effect }: Row) => JSON.stringify(effect);
  // Where no entry is between the first and the last one, none can be seen to be copied.
  const withoutMiddles = ({ effect }: Row) =>
    text({ effect } as Row)
      .replaceAll(/"[mq]",?/g, '')
      .replaceAll(',]', ']');
  return {
    claim: 'a step only copies ids and compares them, and sees whether a line is empty',
    broken: rows.flatMap((row, index) =>
      others.every((other) => text(other[index]!) === text(row)) &&
      withoutMiddles(shortest[index]!) === withoutMiddles(row)
        ? []
        : [rowText(row)],
    ),
  };
}

function tableClaims(rows: readonly Row[]): readonly TableClaim[] {
  const isBroken = (is: (row: Row) => boolean) => rows.filter(is).map(rowText);
  const isInside = (client: string) => client === 'inCS' || client === 'leaving';
  return [
    {
      claim: 'a grant comes with the token, in the critical section',
      broken: isBroken(
        ({ client, effect }) =>
          effect.grants && (effect.client !== 'inCS' || !(effect.token || client === 'inCS')),
      ),
    },
    {
      claim: 'a client enters with a grant',
      broken: isBroken(
        ({ client, effect }) => effect.client === 'inCS' && client !== 'inCS' && !effect.grants,
      ),
    },
    {
      claim: 'a site says that it has left when it has',
      broken: isBroken(
        ({ client, effect }) => effect.leaves !== (effect.client === 'left' && client !== 'left'),
      ),
    },
    {
      claim: 'a leaver asks all others at once, from inside',
      broken: isBroken(
        ({ client, effect }) =>
          (effect.client === 'leaving' && !isInside(client)) ||
          (effect.client === 'leaving' && client !== 'leaving') !==
            effect.sends.some(({ type }) => type === 'LEAVE'),
      ),
    },
    {
      claim: 'a peer is counted out by its LEAVE or GOODBYE alone',
      broken: isBroken(
        ({ kind, effect }) => effect.peers !== 'kept' && kind !== 'LEAVE' && kind !== 'GOODBYE',
      ),
    },
    {
      claim: 'a GOODBYE is the last that a step sends, and answers LEAVE',
      broken: isBroken(({ kind, effect: { sends } }) =>
        sends.some(
          ({ type }, index) => type === 'GOODBYE' && (kind !== 'LEAVE' || index !== sends.length - 1),
        ),
      ),
    },
    {
      claim: 'an event that is unexpected changes nothing',
      broken: isBroken(
        ({ client, token, effect: { unexpected, ...after } }) =>
          unexpected &&
          (after.client !== client ||
            after.token !== token ||
            after.last !== 'kept' ||
            after.line !== 'kept' ||
            after.peers !== 'kept' ||
            after.sends.length > 0),
      ),
    },
    {
      claim: 'a step sends one message of a type at most',
      broken: isBroken(({ effect: { sends } }) =>
        sends.some((one, index) => sends.slice(0, index).some(({ type }) => type === one.type)),
      ),
    },
  ];
}

/** Rows that start with one event in one client state, with lines of one shape, and have one effect. */
type Group = readonly [Row, ...Row[]];

const messages: readonly Kind[] = ['TOKEN', 'REQUEST', 'LEAVE', 'GOODBYE'];

// Lines as sets.

/** x is one of the entries that a piece of a line stands for. */
function isIn(piece: Piece, x: Term): Formula {
  if (piece === 'm') return and(before.inLine('i', x), differ(x, 'h'), differ(x, 'e'));
  if (piece === 'q') return and(before.onToken(x), differ(x, 'p'), differ(x, 'r'));
  return equal(x, piece);
}

const isInAny = (pieces: readonly Piece[]) => (x: Term) => or(...pieces.map((piece) => isIn(piece, x)));

/** The line with these entries has the shape, with its first and last entry called so. */
function hasShape(shape: Shape, has: (x: Term) => Formula, first: Term, end: Term): Formula {
  if (shape === 'none') return not(exists((x) => has(x)));
  if (shape === 'one') return and(has(first), not(exists((x) => and(has(x), differ(x, first)))));
  return and(has(first), has(end), differ(first, end));
}

function counted(shape: Shape): Formula {
  const some = exists((x) => before.counts('i', x));
  const two = exists((x, y) => and(before.counts('i', x), before.counts('i', y), differ(x, y)));
  return shape === 'none' ? not(some) : shape === 'one' ? and(some, not(two)) : two;
}

/** The site's variables, and which of the sites named are one, are as the row says. */
function startsAs({ kind, token, equal: classes, own, entries, peers }: Row): Formula {
  const names = (['i', 'l', 'o'] as const).filter((name) => classes[name] !== null);
  const pairs = names.flatMap((name, index) => names.slice(index + 1).map((other) => [name, other] as const));
  const is = (holds: boolean, formula: Formula) => (holds ? formula : not(formula));
  return and(
    is(token, before.token('i')),
    is(classes.l !== null, before.hasLast('i')),
    ...pairs.map(([one, other]) => is(classes[one] === classes[other], equal(one, other))),
    hasShape(own, (x) => before.inLine('i', x), 'h', 'e'),
    kind === 'TOKEN' ? hasShape(entries, before.onToken, 'p', 'r') : yes,
    peers === null ? yes : counted(peers),
  );
}

/** i, l, o, h, e, p, r: as in the table; o also sends a GOODBYE. A token is at k, or on its way there. */
const stepConstants = ['i', 'l', 'o', 'h', 'e', 'p', 'r', 'k'];

const handsOn = ({ sends }: RowEffect) =>
  sends.find((send): send is Extract<RowSend, { type: 'TOKEN' }> => send.type === 'TOKEN');

class LineTheory {
  readonly #leave: boolean;
  readonly #assumed: readonly Assertion[];

  constructor(leave: boolean) {
    this.#leave = leave;
    this.#assumed = assumed(invariant(before, leave));
  }

  /** A star around the root. */
  start(machine: AnyStateMachine): Step {
    const s = startState(startOf(machine, opaque, true), startOf(machine, opaque, false));
    const constants = ['root'];
    const claims: Claim[] = invariant(s, this.#leave).map((conjunct) => {
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

  /** A step on `kind` may assume this: the invariant, its existential part at the sites of the step, and the message. */
  #assumptions(kind: Kind): readonly Assertion[] {
    const requestsFrom = (sender: Term) =>
      forAll((x) => not(and(before.requestTo(x, 'i'), before.requestBy(x, sender))));
    return [
      ...this.#assumed,
      ...witnessed(before)
        .slice(0, 1)
        .map(({ where, exists }) => fact(implies(where('i'), exists('i', 'l')))),
      fact(tokenSomewhere(before, 'k')),
      ...(kind === 'REQUEST' ? [fact(before.requestTo('o', 'i'))] : []),
      ...(kind === 'TOKEN' ? [fact(before.tokenTo('i'))] : []),
      // On a fifo channel all that o sent before has arrived.
      ...(kind === 'LEAVE' ? [fact(before.leaveTo('o', 'i')), requestsFrom('o')] : []),
      ...(kind === 'GOODBYE' ? [fact(before.goodbyeTo('o', 'i')), requestsFrom('o')] : []),
    ];
  }

  transition(rows: Group): Step {
    const [{ kind, client, effect }] = rows;
    const step = stepText(rows[0]);
    const assertions: readonly Assertion[] = [
      ...this.#assumptions(kind),
      fact(before[client]('i')),
      fact(or(...rows.map(startsAs))),
    ];
    const query = (constants: readonly Term[], ...more: readonly Assertion[]): Query => ({
      relations,
      constants: [...stepConstants, ...constants],
      assertions: [...assertions, ...more],
    });
    const toNobody = effect.sends.some((send) => Object.values(send).includes('nil'));
    const nowhere = !isClient(effect.client);
    if (effect.unexpected || toNobody || nowhere) {
      const { constants, assertions } = nextBelow('o');
      const possible = kind === 'GOODBYE' ? query(constants, ...assertions) : query([]);
      return { step, possible, mustBeImpossible: true, claims: [] };
    }
    const after = stateAfter(rows[0]);
    const claims: Claim[] = [];
    const claim = (name: string, constants: readonly Term[], ...more: readonly Assertion[]) =>
      claims.push({ claim: name, query: query(constants, ...more) });

    if (!effect.routed) claim('routing is root exactly when last is nil', []);
    // A message is counted by a relation: it must not be on its way already. So is an entry of a line.
    const network = networkAfterReceipt(kind);
    const lines = [...(effect.line === 'kept' ? [] : [effect.line])];
    for (const send of effect.sends) {
      if (send.type === 'TOKEN') {
        claim('one TOKEN on its way', ['a'], fact(network.tokenTo('a')));
        lines.push(send.line);
      } else if (send.type === 'REQUEST') {
        claim('no second REQUEST of an origin', ['a'], fact(network.requestTo(send.origin, 'a')));
        claim('no REQUEST back to its origin', [], fact(equal(send.origin, send.target)));
        if (this.#leave) {
          const isBehind = or(before.goodbyeTo('i', send.target), before.leaveTo('i', send.target));
          claim('no REQUEST behind a GOODBYE or LEAVE', [], fact(isBehind));
        }
      } else if (send.type === 'GOODBYE') {
        claim('a GOODBYE answers the leaver', [], fact(differ(send.target, 'o')));
      } else claim('a LEAVE names the leaver', [], fact(differ(send.leaver, 'i')));
    }
    for (const line of lines) {
      const twice = line.flatMap((piece, index) =>
        line.slice(index + 1).map((other) => and(isIn(piece, 'a'), isIn(other, 'a'))),
      );
      if (twice.length > 0) claim('L2: a line names a site once', ['a'], fact(or(...twice)));
    }
    if (effect.peers === 'one less')
      claim('a peer that is counted out was counted', [], fact(not(before.counts('i', 'o'))));
    for (const conjunct of invariant(after, this.#leave)) {
      const { constants, assertion } = broken(conjunct);
      const below = effect.client === 'left' && kind === 'GOODBYE' ? constants.map(nextBelow) : [];
      claim(
        conjunct.name,
        [...constants, ...below.flatMap(({ constants }) => constants)],
        assertion,
        ...below.flatMap(({ assertions }) => assertions),
      );
    }
    const known = witnessed(before);
    for (const [index, { name, where, exists }] of witnessed(after).entries()) {
      const had = known[index]!;
      // Before the step site a has its witness b; after it, no site is one for a.
      claim(
        name,
        ['a', 'b'],
        fact(implies(had.where('a'), had.exists('a', 'b'))),
        fact(where('a')),
        forAll((y) => not(exists('a', y))),
      );
    }
    claim(
      'a token exists',
      [],
      forAll((x) => not(tokenSomewhere(after, x))),
    );
    return { step, possible: query([]), claims };
  }

  /** The table has a row for each state: entries of lines are other sites than those with a name. */
  coverage(): Step {
    const kinds = [...messages.slice(0, this.#leave ? 4 : 2), 'ask' as const];
    return {
      step: 'the rows of the table are all',
      claims: kinds.map((kind): Claim => {
        const isNamed = or(
          equal('a', 'i'),
          before.last('i', 'a'),
          kind === 'REQUEST' || kind === 'LEAVE' ? equal('a', 'o') : no,
        );
        const isEntry = or(
          and(before.inLine('i', 'a'), or(isNamed, kind === 'TOKEN' ? before.onToken('a') : no)),
          kind === 'TOKEN' ? and(before.onToken('a'), isNamed) : no,
        );
        return {
          claim: `${kind === 'ask' ? 'an event of the client' : kind}: an entry of a line is no other site of the step`,
          query: {
            relations,
            constants: [...stepConstants, 'a'],
            assertions: [...this.#assumptions(kind), fact(isEntry)],
          },
        };
      }),
    };
  }

  consequences(): Step {
    const query = (constants: readonly Term[], ...facts: readonly Formula[]): Query => ({
      relations,
      constants,
      assertions: [...this.#assumed, ...facts.map(fact)],
    });
    const isInside = (x: Term) => or(before.inCS(x), before.leaving(x));
    const parents = (x: Term) =>
      or(before.hasLast(x), before.hasRequest(x), before.lined(x), before.onToken(x));
    return {
      step: 'consequences',
      claims: [
        {
          claim: 'mutual exclusion',
          query: query(['a', 'b'], isInside('a'), isInside('b'), differ('a', 'b')),
        },
        {
          claim: 'T: a site without a parent has the token or gets it',
          query: query(['a'], not(parents('a')), not(tokenSomewhere(before, 'a')), not(before.left('a'))),
        },
        {
          claim: 'the token has no entries while it is here',
          query: query(['a', 'b'], before.onToken('a'), before.token('b')),
        },
        {
          claim: 'the invariant can hold, with two sites',
          query: query(['a', 'b', 'k'], differ('a', 'b'), tokenSomewhere(before, 'k')),
          expect: 'sat',
        },
      ],
    };
  }
}

/**
 * Sites are finitely many, so on the path from x, below the root i, there is a site next below i: `xBelow`. Its parent is then i. `xSender` sent the
 * request of x.
 */
function nextBelow(x: Term): {
  readonly constants: readonly Term[];
  readonly assertions: readonly Assertion[];
} {
  const { path, hasLast, last, lined, inLine, hasRequest, requestTo, requestBy } = before;
  const c = `${x}Below`;
  const isBelow = and(path(x, 'i'), differ(x, 'i'));
  const senderOf = (site: Term) => fact(implies(hasRequest(site), requestBy(site, `${site}Sender`)));
  return {
    constants: [c, `${x}Sender`, `${c}Sender`],
    assertions: [
      fact(implies(isBelow, and(path(x, c), differ(c, 'i')))),
      forAll((y) => implies(and(isBelow, path(c, y)), or(equal(y, c), equal(y, 'i')))),
      fact(
        implies(
          hasLast(c),
          exists((y) => last(c, y)),
        ),
      ),
      fact(
        implies(
          lined(c),
          exists((y) => inLine(y, c)),
        ),
      ),
      fact(
        implies(
          hasRequest(c),
          exists((y) => requestTo(c, y)),
        ),
      ),
      senderOf(x),
      senderOf(c),
    ],
  };
}

function isClient(client: string): client is Client {
  return Object.hasOwn(before, client);
}

function startState(root: Start, other: Start): State {
  const of = (is: (start: Start) => boolean) => (x: Term) =>
    choose(equal(x, 'root'), is(root) ? yes : no, is(other) ? yes : no);
  const pointsAtRoot = of(({ last }) => last === 'root');
  const nowhere = () => no;
  return {
    idle: of(({ client }) => client === 'idle'),
    requesting: of(({ client }) => client === 'requesting'),
    withdrawn: of(({ client }) => client === 'withdrawn'),
    inCS: of(({ client }) => client === 'inCS'),
    leaving: of(({ client }) => client === 'leaving'),
    left: of(({ client }) => client === 'left'),
    token: of(({ token }) => token),
    tokenTo: nowhere,
    hasLast: pointsAtRoot,
    last: (x, y) => and(pointsAtRoot(x), equal(y, 'root')),
    hasRequest: nowhere,
    requestTo: nowhere,
    requestBy: nowhere,
    inLine: nowhere,
    lined: nowhere,
    onToken: nowhere,
    path: (x, y) => or(equal(x, y), and(pointsAtRoot(x), equal(y, 'root'))),
    leaveTo: nowhere,
    goodbyeTo: nowhere,
    counts: (x, y) => differ(x, y),
  };
}

type Network = Pick<
  State,
  'tokenTo' | 'onToken' | 'hasRequest' | 'requestTo' | 'requestBy' | 'leaveTo' | 'goodbyeTo'
>;

/** The network once the message that makes the step has been received. */
function networkAfterReceipt(kind: Kind): Network {
  const { tokenTo, onToken, hasRequest, requestTo, requestBy, leaveTo, goodbyeTo } = before;
  const unless = (received: Kind, is: State['last'], ...of: readonly Term[]): State['last'] =>
    kind === received
      ? (...sites) => and(is(...sites), or(...of.map((term, at) => differ(sites[at]!, term))))
      : is;
  return {
    tokenTo: unless('TOKEN', tokenTo, 'i'),
    onToken: kind === 'TOKEN' ? () => no : onToken,
    hasRequest: unless('REQUEST', hasRequest, 'o'),
    requestTo: unless('REQUEST', requestTo, 'o'),
    requestBy: unless('REQUEST', requestBy, 'o'),
    leaveTo: unless('LEAVE', leaveTo, 'o', 'i'),
    goodbyeTo: unless('GOODBYE', goodbyeTo, 'o', 'i'),
  };
}

/**
 * The state after the step. The closure is given, not computed: a wrong one makes a claim fail, for the claims say of it all
 * that is used of it.
 */
function stateAfter(row: Row): State {
  const { kind, effect } = row;
  const at = (was: State['token'], is: boolean) => (x: Term) => choose(equal(x, 'i'), is ? yes : no, was(x));
  const client = (name: Client) => at(before[name], effect.client === name);
  const network = networkAfterReceipt(kind);
  const sent = effect.sends;
  const requests = sent.flatMap((send) => (send.type === 'REQUEST' ? [send] : []));
  const goodbyes = sent.flatMap((send) => (send.type === 'GOODBYE' ? [send] : []));
  const token = handsOn(effect);
  const line = effect.line === 'kept' ? undefined : isInAny(effect.line);
  const asksToLeave = sent.some(({ type }) => type === 'LEAVE');
  return {
    idle: client('idle'),
    requesting: client('requesting'),
    withdrawn: client('withdrawn'),
    inCS: client('inCS'),
    leaving: client('leaving'),
    left: client('left'),
    token: at(before.token, effect.token),
    tokenTo: (x) => or(network.tokenTo(x), token === undefined ? no : equal(x, token.target)),
    onToken: (x) => or(network.onToken(x), token === undefined ? no : isInAny(token.line)(x)),
    hasLast: effect.last === 'kept' ? before.hasLast : at(before.hasLast, effect.last !== 'nil'),
    last: (x, y) =>
      effect.last === 'kept'
        ? before.last(x, y)
        : choose(equal(x, 'i'), effect.last === 'nil' ? no : equal(y, effect.last), before.last(x, y)),
    hasRequest: (x) => or(network.hasRequest(x), ...requests.map(({ origin }) => equal(x, origin))),
    requestTo: (x, y) =>
      or(
        network.requestTo(x, y),
        ...requests.map(({ origin, target }) => and(equal(x, origin), equal(y, target))),
      ),
    requestBy: (x, y) =>
      or(network.requestBy(x, y), ...requests.map(({ origin }) => and(equal(x, origin), equal(y, 'i')))),
    inLine:
      line === undefined ? before.inLine : (x, y) => choose(equal(x, 'i'), line(y), before.inLine(x, y)),
    lined:
      line === undefined
        ? before.lined
        : (x) => or(and(before.lined(x), not(before.inLine('i', x))), line(x)),
    path: pathAfter(row),
    leaveTo: (x, y) =>
      or(network.leaveTo(x, y), asksToLeave ? and(equal(x, 'i'), differ(y, 'i'), not(before.left(y))) : no),
    goodbyeTo: (x, y) =>
      or(network.goodbyeTo(x, y), ...goodbyes.map(({ target }) => and(equal(x, 'i'), equal(y, target)))),
    counts: (x, y) =>
      effect.peers === 'kept'
        ? before.counts(x, y)
        : and(before.counts(x, y), or(differ(x, 'i'), differ(y, 'o'))),
  };
}

/** The paths once the parents have changed as the messages sent say. */
function pathAfter({ kind, effect }: Row): State['path'] {
  const token = handsOn(effect);
  if (token !== undefined) return pathAfterHandOver(token, effect);
  const forwarded = effect.sends.find(({ type }) => type === 'REQUEST');
  if (kind === 'REQUEST' && forwarded?.type === 'REQUEST')
    return pathAfterForwarding(forwarded.target, effect);
  return before.path;
}

/**
 * The token and its line leave i, the root: its target t is the root now and the parent of all other entries. Below i alone, paths go on to i's last, an
 * entry, or to t where i is an entry itself, or end where i has left.
 */
function pathAfterHandOver(
  { target: t, line }: Extract<RowSend, { type: 'TOKEN' }>,
  { last, client }: RowEffect,
): State['path'] {
  const { path } = before;
  const isEntry = (x: Term) => or(equal(x, t), and(isInAny(line)(x), differ(x, 'i')));
  const isBelowEntry = (x: Term) => exists((entry) => and(isEntry(entry), path(x, entry)));
  const pastI = (y: Term) =>
    client === 'left' ? no : or(equal(y, t), last === 'kept' || last === 'nil' ? no : equal(y, last));
  return (x, y) =>
    choose(
      path(x, t),
      and(path(x, y), path(y, t)),
      choose(
        isBelowEntry(x),
        or(and(path(x, y), differ(y, 'i')), equal(y, t)),
        choose(path(x, 'i'), or(path(x, y), pastI(y)), path(x, y)),
      ),
    );
}

/** Path reversal: the parent of i was its last, and that of o was i; now that of o is the target, and that of i is o, unless i's last is kept. */
function pathAfterForwarding(target: Term, { last }: RowEffect): State['path'] {
  const { path } = before;
  const fromO = (x: Term, y: Term) => or(and(path(x, y), path(y, 'o')), path(target, y));
  if (last === 'kept') return (x, y) => choose(path(x, 'o'), fromO(x, y), path(x, y));
  return (x, y) =>
    choose(
      path(x, 'o'),
      fromO(x, y),
      choose(path(x, 'i'), or(and(path(x, y), path(y, 'i')), equal(y, 'o'), path(target, y)), path(x, y)),
    );
}

// In words.

function rowText(row: Row): string {
  const names = (['i', 'l', 'o'] as const).map((name) => `${name}=${row.equal[name] ?? 'nil'}`);
  const peers = row.peers === null ? [] : [`peers ${row.peers}`];
  const of = [
    `token ${row.token ? 'here' : 'elsewhere'}`,
    `line ${row.own}`,
    ...(row.kind === 'TOKEN' ? [`entries ${row.entries}`] : []),
    ...peers,
    names.join(' '),
  ];
  return `${stepText(row)} (${of.join(', ')})`;
}

function stepText({ kind, client, effect }: Row): string {
  const event = kind === 'REQUEST' || kind === 'LEAVE' ? `${kind}(o)` : kind;
  const list = (pieces: readonly Piece[]) => `[${pieces.join(' ')}]`;
  const does = [
    ...effect.sends.map((send) => {
      if (send.type === 'TOKEN') return `TOKEN${list(send.line)} to ${send.target}`;
      if (send.type === 'REQUEST') return `REQUEST(${send.origin}) to ${send.target}`;
      return send.type === 'LEAVE' ? `LEAVE(${send.leaver}) to all` : `GOODBYE to ${send.target}`;
    }),
    ...(effect.last === 'kept' ? [] : [`last := ${effect.last}`]),
    ...(effect.line === 'kept' ? [] : [`line := ${list(effect.line)}`]),
    ...(effect.peers === 'kept' ? [] : ['one peer less']),
    effect.token ? 'has the token' : 'has no token',
    ...(effect.grants ? ['grant'] : []),
    ...(effect.leaves ? ['left'] : []),
    ...(effect.unexpected ? ['unexpected'] : []),
  ];
  return `${client}, ${event} -> ${effect.client}: ${does.join(', ')}`;
}
