import type { AnyStateMachine, EventFromLogic } from 'xstate';
import type { NamedAction, SiteId } from '../../../../machines/actor.ts';
import type { SiteContext } from '../../../../machines/naimi-trehel/site.ts';
import { start, take } from '../../../../statechart/xstate.ts';
import { equalities, type MakeId, Naming, refusing, TableError } from '../../../proof/opaque.ts';

/*
 * The site's statechart as a table: for each state, event and way in which the ids in them can be equal, what the
 * step does. Ids are called by what they are before the step.
 */

/** `i` the site itself, `l` its last, `n` its next, `o` the origin of the REQUEST that arrives. */
export type Name = 'i' | 'l' | 'n' | 'o';

export const clients = ['idle', 'requesting', 'withdrawn', 'inCS'] as const;
export type Client = (typeof clients)[number];

/** All that may happen to a site that takes part and does not leave. */
const kinds = ['ask', 'try', 'release', 'again', 'withdraw', 'TOKEN', 'REQUEST'] as const;

export interface Row {
  readonly kind: (typeof kinds)[number];
  readonly client: Client;
  readonly token: boolean;
  /** Sites with the same number are the same; `null` for nil, and for the origin where there is none. */
  readonly equal: Readonly<Record<Name, number | null>>;
  readonly effect: RowEffect;
}

/** The effect of the step. `kept`: the variable is not written. */
export interface RowEffect {
  readonly client: string;
  readonly token: boolean;
  readonly last: Name | 'nil' | 'kept';
  readonly next: Name | 'nil' | 'kept';
  readonly sends: readonly RowSend[];
  readonly grants: boolean;
  readonly unexpected: boolean;
  /** The routing region is in `root` exactly when `last` is nil. */
  readonly routed: boolean;
}

/** `nil`: the statechart would send to nobody, or on nobody's behalf. */
export type RowSend =
  | { readonly type: 'REQUEST'; readonly origin: Name | 'nil'; readonly target: Name | 'nil' }
  | { readonly type: 'TOKEN'; readonly target: Name | 'nil' };

/** `peers` is handed to the statechart and must come back. Throws `TABLE_REFUSED`. */
export function tabulate(machine: AnyStateMachine, makeId: MakeId, peers: unknown): readonly Row[] {
  return kinds.flatMap((kind) =>
    clients.flatMap((client) =>
      [false, true].flatMap((token) =>
        [...equalities(kind === 'REQUEST' ? [false, true, true, false] : [false, true, true])].map(
          ([i = null, l = null, n = null, o = null]): Row => {
            const before = { kind, client, token, equal: { i, l, n, o } };
            return {
              ...before,
              effect: refusing(`${kind} at a site that is ${client}`, () =>
                effectOf(machine, makeId, peers, before),
              ),
            };
          },
        ),
      ),
    ),
  );
}

function effectOf(
  machine: AnyStateMachine,
  makeId: MakeId,
  peers: unknown,
  { kind, client, token, equal }: Omit<Row, 'effect'>,
): RowEffect {
  const ids = Array.from({ length: 4 }, (_, index) => makeId(index));
  const idOf = (name: Name) => (equal[name] === null ? null : ids[equal[name]]!);
  const [self, last, next, origin] = [idOf('i')!, idOf('l'), idOf('n'), idOf('o')];
  const named = (['i', 'l', 'n', 'o'] as const).flatMap((name) => {
    const id = idOf(name);
    return id === null ? [] : [[name, id] as const];
  });
  const naming = new Naming<Name>(named);
  const nameOf = (id: unknown, ...preferred: readonly Name[]) =>
    id === null ? 'nil' : naming.nameOf(id as SiteId, preferred);

  const { snapshot, effects } = take(
    machine,
    machine.resolveState({
      value: { client, routing: last === null ? 'root' : 'forwarding', membership: 'member' },
      context: { self, last, next, token, peers },
    }),
    (origin === null ? { type: kind } : { type: kind, origin }) as EventFromLogic<AnyStateMachine>,
  );
  const other = effects.find(({ type }) => beyond.has(type));
  if (other !== undefined)
    throw new TypeError(`expected a site that does not leave, and it asks for ${other.type}`);
  const after = snapshot.context as SiteContext;
  if (after.self !== self || after.peers !== peers)
    throw new TypeError('expected self and peers to stay as they are');
  const { client: clientAfter, routing } = snapshot.value as { client: string; routing: string };
  return {
    client: clientAfter,
    token: after.token,
    // The site that has just been named comes first, so that rows of one rule have one effect.
    last:
      origin !== null && after.last === origin
        ? 'o'
        : after.last === last
          ? 'kept'
          : nameOf(after.last, 'o', 'n', 'l', 'i'),
    next: after.next === next ? 'kept' : nameOf(after.next, 'o', 'n', 'l', 'i'),
    sends: effects
      .filter(({ type }) => type === 'send')
      .map((send) => sendOf(send, kind === 'REQUEST', nameOf)),
    grants: effects.some(({ type }) => type === 'grant'),
    unexpected: effects.some(({ type }) => type === 'unexpected'),
    routed: (routing === 'root') === (after.last === null),
  };
}

/** Effects that have a meaning in a system, and none in this proof. */
const beyond: ReadonlySet<string> = new Set(['broadcast', 'left', 'persist']);

function sendOf(
  send: NamedAction,
  forwards: boolean,
  nameOf: (id: unknown, ...preferred: readonly Name[]) => Name | 'nil',
): RowSend {
  const message = send['message'] as { readonly type: string; readonly origin?: unknown };
  if (message.type === 'TOKEN') return { type: 'TOKEN', target: nameOf(send['target'], 'o', 'n', 'l', 'i') };
  if (message.type !== 'REQUEST')
    throw new TypeError(`expected a REQUEST or a TOKEN, and the site sends ${message.type}`);
  return {
    type: 'REQUEST',
    origin: forwards
      ? nameOf(message.origin, 'o', 'l', 'n', 'i')
      : nameOf(message.origin, 'i', 'l', 'n', 'o'),
    target: nameOf(send['target'], 'l', 'n', 'o', 'i'),
  };
}

/** How a site starts: as the root, and as another site. */
export interface Start {
  readonly client: string;
  readonly token: boolean;
  readonly last: 'nil' | 'root';
}

/** Throws `TABLE_REFUSED` for a site that sends something, or has a next, at its start. */
export function startOf(machine: AnyStateMachine, makeId: MakeId, isRoot: boolean): Start {
  const [self, other] = [makeId(0), makeId(1)];
  const root = isRoot ? self : other;
  const { snapshot, effects } = start(machine, { self, root, peers: 1 });
  const { last, next, token } = snapshot.context as SiteContext;
  if (effects.length > 0 || next !== null || (last !== null && last !== root)) {
    throw new TableError(
      'TABLE_REFUSED',
      'Expected a site to start without an effect, without a next, and with last nil or the root.',
    );
  }
  return {
    client: (snapshot.value as { client: string }).client,
    token,
    last: last === null ? 'nil' : 'root',
  };
}
