import {
  and,
  choose,
  differ,
  equal,
  exists,
  type Formula,
  no,
  not,
  or,
  type Term,
  yes,
} from '../../../proof/formula.ts';
import { before, type State } from './invariant.ts';
import type { Client, Kind, Piece, Row, RowEffect, RowSend, Shape, Start } from './table.ts';

/* A transition of the table in formulas: the states in which it starts, with lines as the sets of their entries, and the state after it. */

/** x is one of the entries that a piece of a line stands for. */
export function isIn(piece: Piece, x: Term): Formula {
  if (piece === 'm') return and(before.inLine('i', x), differ(x, 'h'), differ(x, 'e'));
  if (piece === 'q') return and(before.onToken(x), differ(x, 'p'), differ(x, 'r'));
  return equal(x, piece);
}

export const isInAny = (pieces: readonly Piece[]) => (x: Term) =>
  or(...pieces.map((piece) => isIn(piece, x)));

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
export function startsAs({ kind, token, equal: classes, own, entries, peers }: Row): Formula {
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
export const stepConstants = ['i', 'l', 'o', 'h', 'e', 'p', 'r', 'k'];

export const handsOn = ({ sends }: RowEffect) =>
  sends.find((send): send is Extract<RowSend, { type: 'TOKEN' }> => send.type === 'TOKEN');

export function startState(root: Start, other: Start): State {
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
export function networkAfterReceipt(kind: Kind): Network {
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
export function stateAfter(row: Row): State {
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
