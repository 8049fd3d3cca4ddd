import type { NamedAction, SiteId } from '../../../machines/actor.ts';
import type { GuestContext } from '../../../machines/guests/guest.ts';
import type { GuestMessage, Request } from '../../../machines/guests/messages.ts';
import type { ProxyContext } from '../../../machines/guests/proxy.ts';
import {
  always,
  count,
  deadlockFree,
  deliveries,
  events,
  leadsTo,
  plain,
  reachable,
  relation,
  some,
  weakly,
} from '../../system/properties.ts';
import type { ActorView, History, Property, StateView } from '../../system/system.ts';
import { clockId, type LockContext, lockId } from './model.ts';

export const guest = ({ context }: ActorView) => context as unknown as GuestContext;
const proxy = ({ context }: ActorView) => context as unknown as ProxyContext;

const isGuest = ({ id }: ActorView) => id.startsWith('g');
const isProxy = ({ id }: ActorView) => id.startsWith('m');
const isInside = (actor: ActorView) => isGuest(actor) && actor.in('inCS');
const entries = (actor: ActorView): readonly Request[] => {
  const { line, holder } = proxy(actor);
  return holder === null ? line : [holder, ...line];
};

/**
 * The history that no state contains: the fences that guests were granted, and the order in which requests came to
 * each member.
 */
interface Past {
  readonly granted: readonly number[];
  readonly lines: Readonly<Record<SiteId, readonly string[]>>;
  readonly broken: 'granted twice' | 'out of order' | null;
}

export const history: History = {
  initial: { granted: [], lines: {}, broken: null } satisfies Past,
  effects: ['grant', 'send'],
  after: (past, id, effects) => effects.reduce((before, effect) => noted(before, id, effect), past as Past),
};

function noted(past: Past, id: SiteId, effect: NamedAction): Past {
  if (effect.type === 'grant') {
    const fence = effect['fence'] as number;
    const granted = [...past.granted, fence].sort((one, other) => one - other);
    return { ...past, granted, broken: past.granted.includes(fence) ? 'granted twice' : past.broken };
  }
  const { target, message } = effect as unknown as { target: SiteId; message: { type: string } & Request };
  const line = past.lines[id] ?? [];
  const withLine = (next: readonly string[]) => ({ ...past, lines: { ...past.lines, [id]: next } });
  switch (message.type) {
    case 'ACQUIRE':
      return withLine([...line, nameOf(message.guest, message.request)]);
    case 'NO_ROOM':
      return withLine(line.filter((one) => one !== nameOf(target, message.request)));
    case 'ABANDON':
      return withLine(line.filter((one) => one !== nameOf(message.guest, message.request)));
    case 'GRANT': {
      const isFirst = line[0] === nameOf(target, message.request);
      return { ...withLine(line.slice(1)), broken: isFirst ? past.broken : 'out of order' };
    }
    default:
      return past;
  }
}

const nameOf = (guest: SiteId, request: number) => `${guest} ${request}`;

const unbroken = (name: string, what: Past['broken']) =>
  always(
    name,
    relation(
      () => 0,
      (_, past) => (past as Past).broken !== what,
    ),
  );

/** News under way to `actor` from a member. */
const comes = (actor: ActorView, type: string, is: (message: Record<string, unknown>) => boolean) =>
  actor.inbox.filter(
    ({ message }) => message.type === type && is(message as unknown as Record<string, unknown>),
  ).length;

const guestsOf = ({ actors }: StateView) => actors.filter(isGuest);
const proxiesOf = ({ actors }: StateView) => actors.filter(isProxy);

/** The guest's request, wherever it is: on its way to the member, in the member's line, or answered on its way back. */
function places(state: StateView, actor: ActorView): number {
  const { self, member, session, request } = guest(actor);
  if (member === null) return 0;
  const home = state.actor(member);
  const isIt = (one: Request) => one.guest === self && one.session === session;
  const asked = home.inbox.filter(({ message }) => {
    const said = message as GuestMessage;
    if (said.type === 'ASK') return isIt(said) && said.request === request;
    return said.type === 'RELEASE' && said.again && isIt(said) && said.request + 1 === request;
  }).length;
  const waits = proxy(home).line.filter((one) => isIt(one) && one.request === request).length;
  // A grant, or the news that it is over, or that the member is gone.
  const answers =
    comes(actor, 'GRANT', (message) => message['request'] === request) +
    comes(actor, 'NO_ROOM', (message) => message['request'] === request) +
    comes(actor, 'CUT', (message) => message['session'] === session);
  return asked + waits + Math.min(answers, 1);
}

export interface Asked {
  /** The members never lose the lock while they are inside. */
  readonly exclusive: boolean;
  /** Sessions end. */
  readonly moves: boolean;
  readonly withdraws: boolean;
  /** Members have no room for the lock now and then. */
  readonly refuses: boolean;
  /** There are two guests or more. */
  readonly several: boolean;
}

export function properties({ exclusive, moves, withdraws, refuses, several }: Asked): readonly Property[] {
  return [
    ...(exclusive
      ? [
          always(
            'mutual exclusion of guests',
            count(isInside, (sites) => sites <= 1),
          ),
        ]
      : []),
    unbroken('no fence is granted to two requests of guests', 'granted twice'),
    unbroken('a member grants its guests in the order in which they came', 'out of order'),
    always(
      'a waiting guest is in exactly one place',
      plain((state) =>
        guestsOf(state).every(
          (actor) => !actor.in('requesting') || guest(actor).member === null || places(state, actor) === 1,
        ),
      ),
    ),
    always(
      'a guest is inside while its member is inside for it, or will hear that it is not',
      plain((state) =>
        guestsOf(state).every((actor) => {
          if (!actor.in('inCS')) return true;
          const { self, member, session, request } = guest(actor);
          if (member === null) return false;
          const { holder } = proxy(state.actor(member));
          return (
            (holder?.guest === self && holder.session === session && holder.request === request) ||
            comes(actor, 'LOST', (message) => message['request'] === request) > 0 ||
            comes(actor, 'CUT', (message) => message['session'] === session) > 0
          );
        }),
      ),
    ),
    always(
      'a session that is over has no place',
      plain((state) =>
        proxiesOf(state).every((home) =>
          entries(home).every(({ guest: id, session }) => {
            const now = guest(state.actor(id));
            if (now.member === home.id && now.session === session) return true;
            const ends = [...home.inbox, ...state.actor(clockId).inbox];
            return ends.some(({ message }) => {
              const over = message as unknown as { guest?: SiteId; session?: number };
              return (
                ['EXPIRED', 'sessionEnded'].includes(message.type) &&
                over.guest === id &&
                over.session === session
              );
            });
          }),
        ),
      ),
    ),
    deadlockFree(
      'at rest no guest waits, and no member holds the lock for one',
      plain((state) => {
        const { holder, queue } = state.actor(lockId).context as unknown as LockContext;
        return (
          holder === null &&
          queue.length === 0 &&
          guestsOf(state).every((actor) => actor.in('idle')) &&
          proxiesOf(state).every((home) => entries(home).length === 0)
        );
      }),
    ),
    ...(several
      ? [
          reachable(
            'a guest waits behind another at its member',
            some((actor) => isProxy(actor) && proxy(actor).line.length > 1),
          ),
        ]
      : []),
    ...(moves
      ? [
          reachable(
            'a guest is inside in its second session',
            some((actor) => isInside(actor) && guest(actor).session > 1),
          ),
        ]
      : []),
    ...(refuses
      ? [
          reachable(
            'a refusal comes for a request that is withdrawn',
            some((actor) => isGuest(actor) && actor.in('idle') && comes(actor, 'NO_ROOM', () => true) > 0),
          ),
        ]
      : []),
    ...(withdraws
      ? [
          reachable(
            'a grant comes for a request that is withdrawn',
            some((actor) => isGuest(actor) && actor.in('idle') && comes(actor, 'GRANT', () => true) > 0),
          ),
        ]
      : []),
  ];
}

/** No message and no new session is put off for ever, and no critical section lasts for ever. */
const fairness = weakly(deliveries, events('attached'), (action) =>
  action.kind === 'environment' && ['release', 'releaseAndAsk'].includes(action.event.type)
    ? `a section of ${action.actor} ends`
    : null,
);

export function liveness(ids: readonly SiteId[]): readonly Property[] {
  return ids.map((id) => {
    const at = (...states: readonly string[]) =>
      some((actor) => actor.id === id && states.some((state) => actor.in(state)));
    return leadsTo(`guest ${id} is served`, at('requesting'), at('inCS', 'idle'), fairness);
  });
}
