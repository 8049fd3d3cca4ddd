import type { AnyStateMachine, EventFromLogic } from 'xstate';
import type { NamedAction, SiteId } from '../../../../machines/actor.ts';
import type { SiteContext } from '../../../../machines/line/site.ts';
import { start, take } from '../../../../statechart/xstate.ts';
import { equalities, type MakeId, Naming, refusing, TableError } from '../../../proof/opaque.ts';

/*
 * The site's statechart under the line rule as a table: for each state, event, shape of the lines, and way in which the ids can be
 * equal, what the step does. A line is written as its pieces. A site is called by what it is before the step.
 */

/** `i` the site itself, `l` its last, `o` the origin of the REQUEST, or the leaver of the LEAVE, that arrives. */
export type Name = 'i' | 'l' | 'o';

/** Sites of lines: the first and the last entry of the own line (`h`, `e`), and of the line of the TOKEN that arrives (`p`, `r`). */
export type Site = Name | 'h' | 'e' | 'p' | 'r';

/** `m`, `q`: all entries between the first and the last one, of the own line and of the line of the TOKEN. */
export type Piece = Site | 'm' | 'q';

/** A line is empty, has one entry, or has more. A line of one entry has a first one alone. */
export type Shape = 'none' | 'one' | 'more';
const shapes = ['none', 'one', 'more'] as const;

export const clients = ['idle', 'requesting', 'withdrawn', 'inCS', 'leaving', 'left'] as const;
export type Client = (typeof clients)[number];

const staying = ['ask', 'try', 'release', 'releaseAndAsk', 'again', 'withdraw', 'TOKEN', 'REQUEST'] as const;
const leaving = ['leave', 'LEAVE', 'GOODBYE'] as const;
export type Kind = (typeof staying)[number] | (typeof leaving)[number];

export interface Row {
  readonly kind: Kind;
  readonly client: Client;
  readonly token: boolean;
  /** Sites with the same number are the same; `null` for nil, and for `o` where there is none. Entries of lines are other sites. */
  readonly equal: Readonly<Record<Name, number | null>>;
  readonly own: Shape;
  /** The shape of the line of the TOKEN that arrives. */
  readonly entries: Shape;
  /** The number of peers, for events about leaving. `null`: any, and the step does not use it. */
  readonly peers: Shape | null;
  readonly effect: RowEffect;
}

/** The effect of the step. `kept`: the variable is not written. */
export interface RowEffect {
  readonly client: string;
  readonly token: boolean;
  readonly last: Site | 'nil' | 'kept';
  readonly line: readonly Piece[] | 'kept';
  readonly sends: readonly RowSend[];
  readonly peers: 'kept' | 'one less';
  readonly grants: boolean;
  readonly leaves: boolean;
  readonly unexpected: boolean;
  /** The routing region is in `root` exactly when `last` is nil. */
  readonly routed: boolean;
}

/** `nil`: the statechart would send to nobody, or on nobody's behalf. LEAVE goes to every site that has not left. */
export type RowSend =
  | { readonly type: 'REQUEST'; readonly origin: Site | 'nil'; readonly target: Site | 'nil' }
  | { readonly type: 'TOKEN'; readonly target: Site | 'nil'; readonly line: readonly Piece[] }
  | { readonly type: 'LEAVE'; readonly leaver: Site | 'nil' }
  | { readonly type: 'GOODBYE'; readonly target: Site | 'nil' };

/** How a table is made. Tables that differ in these alone must be equal. */
export interface Making {
  readonly makeId: MakeId;
  /** The number of entries of a line between its first and its last one. */
  readonly between: number;
  /** The number of peers where there are more than one. */
  readonly peers: number;
}

/** `leave`: clients also say `leave`. Throws `TABLE_REFUSED`. */
export function tabulate(machine: AnyStateMachine, leave: boolean, making: Making): readonly Row[] {
  const kinds: readonly Kind[] = leave ? [...staying, ...leaving] : staying;
  return kinds.flatMap((kind) =>
    (leave ? clients : clients.slice(0, 4)).flatMap((client) =>
      [...starts(kind)].map((of): Row => {
        const before = { kind, client, ...of };
        const effect = refusing(`${kind} at a site that is ${client}`, () =>
          effectOf(machine, making, before),
        );
        return { ...before, effect };
      }),
    ),
  );
}

const namesSite = (kind: Kind) => kind === 'REQUEST' || kind === 'LEAVE';
const isAboutLeaving = (kind: Kind) => (leaving as readonly Kind[]).includes(kind);

function* starts(kind: Kind): Generator<Omit<Row, 'kind' | 'client' | 'effect'>> {
  for (const [i = null, l = null, o = null] of equalities(
    namesSite(kind) ? [false, true, false] : [false, true],
  ))
    for (const token of [false, true])
      for (const own of shapes)
        for (const entries of kind === 'TOKEN' ? shapes : (['none'] as const))
          for (const peers of isAboutLeaving(kind) ? shapes : [null])
            yield { token, equal: { i, l, o }, own, entries, peers };
}

function effectOf(
  machine: AnyStateMachine,
  { makeId, between, peers: many }: Making,
  { kind, client, token, equal, own, entries, peers: shape }: Omit<Row, 'effect'>,
): RowEffect {
  let made = 0;
  const ids = Array.from({ length: 3 }, () => makeId(made++));
  const idOf = (name: Name) => (equal[name] === null ? null : ids[equal[name]]!);
  const [self, last, other] = [idOf('i')!, idOf('l'), idOf('o')];
  const lineOf = (
    of: Shape,
    first: Piece,
    middle: Piece,
    end: Piece,
  ): readonly (readonly [Piece, SiteId])[] => {
    if (of === 'none') return [];
    if (of === 'one') return [[first, makeId(made++)]];
    const run = Array.from({ length: between }, () => [middle, makeId(made++)] as const);
    return [[first, makeId(made++)], ...run, [end, makeId(made++)]];
  };
  const ownLine = lineOf(own, 'h', 'm', 'e');
  const tokenLine = lineOf(entries, 'p', 'q', 'r');
  const inLines = [...ownLine, ...tokenLine];
  const naming = new Naming<Site>([
    ...(['i', 'l', 'o'] as const).flatMap((name) => {
      const id = idOf(name);
      return id === null ? [] : [[name, id] as const];
    }),
    ...inLines.filter((entry): entry is readonly [Site, SiteId] => entry[0] !== 'm' && entry[0] !== 'q'),
  ]);
  const nameOf = (id: unknown, ...preferred: readonly Site[]) =>
    id === null || id === undefined ? 'nil' : naming.nameOf(id as SiteId, [...preferred, ...sites]);
  const runs = new Map(
    (['m', 'q'] as const).map((piece) => [piece, inLines.flatMap(([of, id]) => (of === piece ? [id] : []))]),
  );
  /** Entries between the first and the last one stay together. */
  const piecesOf = (line: readonly SiteId[]): readonly Piece[] => {
    const pieces: Piece[] = [];
    for (let at = 0; at < line.length; ) {
      const run = [...runs].find(([, ids]) => ids[0] === line[at]);
      if (run === undefined) pieces.push(nameOf(line[at++]) as Site);
      else {
        if (run[1].some((id, index) => line[at + index] !== id))
          throw new TypeError('expected the entries of a line to stay together and in their order');
        pieces.push(run[0]);
        at += run[1].length;
      }
    }
    return pieces;
  };

  const line = ownLine.map(([, id]) => id);
  const peers = shape === null ? makeId(made) : { none: 0, one: 1, more: many }[shape];
  const { snapshot, effects } = take(
    machine,
    machine.resolveState({
      value: { client, routing: last === null ? 'root' : 'forwarding', membership: 'member' },
      context: { self, last, line, token, peers },
    }),
    {
      type: kind,
      ...(kind === 'REQUEST' ? { origin: other } : {}),
      ...(kind === 'LEAVE' ? { leaver: other } : {}),
      ...(kind === 'TOKEN' ? { line: tokenLine.map(([, id]) => id) } : {}),
    } as EventFromLogic<AnyStateMachine>,
  );
  const after = snapshot.context as SiteContext;
  if (after.self !== self) throw new TypeError('expected self to stay as it is');
  const lineAfter = piecesOf(after.line);
  const { client: clientAfter, routing } = snapshot.value as { client: string; routing: string };
  const has = (type: string) => effects.some((effect) => effect.type === type);
  return {
    client: clientAfter,
    token: after.token,
    // The site that has just been named comes first, so that rows of one rule have one effect.
    last:
      other !== null && after.last === other
        ? 'o'
        : after.last === last
          ? 'kept'
          : nameOf(after.last, 'o', 'e', 'h'),
    line: JSON.stringify(lineAfter) === JSON.stringify(piecesOf(line)) ? 'kept' : lineAfter,
    sends: effects.flatMap((effect) => sendOf(effect, kind === 'REQUEST', nameOf, piecesOf)),
    peers: peersAfter(shape, peers, after.peers),
    grants: has('grant'),
    leaves: has('left'),
    unexpected: has('unexpected'),
    routed: (routing === 'root') === (after.last === null),
  };
}

const sites: readonly Site[] = ['o', 'h', 'e', 'p', 'r', 'l', 'i'];

function peersAfter(shape: Shape | null, before: unknown, after: unknown): RowEffect['peers'] {
  if (after === before) return 'kept';
  if (shape !== null && after === (before as number) - 1) return 'one less';
  throw new TypeError('expected the number of peers to stay, or to fall by one');
}

function sendOf(
  { type, ...params }: NamedAction,
  forwards: boolean,
  nameOf: (id: unknown, ...preferred: readonly Site[]) => Site | 'nil',
  piecesOf: (line: readonly SiteId[]) => readonly Piece[],
): readonly RowSend[] {
  if (type === 'persist') throw new TypeError('expected a site that keeps nothing on a disk');
  if (type !== 'send' && type !== 'broadcast') return [];
  const message = params['message'] as { readonly type: string; readonly [key: string]: unknown };
  const target = nameOf(params['target'], 'l', 'o');
  if (type === 'broadcast') {
    if (message.type !== 'LEAVE')
      throw new TypeError(`expected a LEAVE to all, and the site sends ${message.type}`);
    return [{ type: 'LEAVE', leaver: nameOf(message['leaver'], 'i') }];
  }
  switch (message.type) {
    case 'TOKEN':
      return [{ type: 'TOKEN', target, line: piecesOf(message['line'] as readonly SiteId[]) }];
    case 'GOODBYE':
      return [{ type: 'GOODBYE', target: nameOf(params['target'], 'o') }];
    case 'REQUEST':
      return [{ type: 'REQUEST', origin: nameOf(message['origin'], forwards ? 'o' : 'i'), target }];
    default:
      throw new TypeError(
        `expected a message of the line rule to one site, and the site sends ${message.type}`,
      );
  }
}

/** How a site starts: as the root, and as another site. */
export interface Start {
  readonly client: string;
  readonly token: boolean;
  readonly last: 'nil' | 'root';
}

/** Throws `TABLE_REFUSED` for a site that sends something, or has a line, at its start. */
export function startOf(machine: AnyStateMachine, makeId: MakeId, isRoot: boolean): Start {
  const [self, other] = [makeId(0), makeId(1)];
  const root = isRoot ? self : other;
  const peers = makeId(2);
  const { snapshot, effects } = start(machine, { self, root, peers });
  const { last, line, token, ...rest } = snapshot.context as SiteContext;
  if (
    effects.length > 0 ||
    line.length > 0 ||
    (last !== null && last !== root) ||
    (rest.peers as unknown) !== peers
  ) {
    throw new TableError(
      'TABLE_REFUSED',
      'Expected a site to start without an effect, with an empty line, with all of its peers, and with last nil or the root.',
    );
  }
  return {
    client: (snapshot.value as { client: string }).client,
    token,
    last: last === null ? 'nil' : 'root',
  };
}

// In words.

export function rowText(row: Row): string {
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

export function stepText({ kind, client, effect }: Row): string {
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
