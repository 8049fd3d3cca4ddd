import { type AnyStateMachine, assign, createMachine, enqueueActions, setup } from 'xstate';
import type { SiteId } from '../../../machines/actor.ts';
import type { GuestContext } from '../../../machines/guests/guest.ts';
import type { Request } from '../../../machines/guests/messages.ts';
import type { ProxyContext } from '../../../machines/guests/proxy.ts';

/* The surroundings of guests and proxies in the model: the lock of the members, time, and the death of a member. */

export const lockId = 'lock';
export const clockId = 'clock';

/** To the lock. `member` is the sender. */
export type LockEvent =
  | ({ readonly type: 'ACQUIRE' | 'ABANDON'; readonly member: SiteId } & Request)
  | { readonly type: 'LEAVE'; readonly k: number; readonly member: SiteId }
  | { readonly type: 'DEAD'; readonly dead: SiteId }
  | { readonly type: 'revoke' | 'refuse' };

interface Place {
  readonly member: SiteId;
  /** For which guest, and which request of it. */
  readonly of: string;
  readonly request: Request;
}

const placeOf = ({ member, guest, session, request }: { readonly member: SiteId } & Request): Place => ({
  member,
  of: `${guest} ${session} ${request}`,
  request: { guest, session, request },
});

export interface LockContext {
  readonly queue: readonly Place[];
  readonly holder: SiteId | null;
  readonly dead: readonly SiteId[];
  /** The number of grants: the fence of the last one. */
  readonly k: number;
}

/**
 * The lock of the members as their promises describe it: one member at a time is inside, in the order of their requests,
 * and fences rise. A member that is dead is granted nothing; `revoke` is an epoch that goes to another site, `refuse` a member that has no
 * room for the lock.
 */
export const lockMachine = setup({
  types: {} as { context: LockContext; events: LockEvent },
  actions: {
    send: (_, _params: { target: SiteId; message: { type: string } }) => {},
    enter: assign(({ context: { queue, k } }) => ({
      queue: queue.slice(1),
      holder: queue[0]!.member,
      k: k + 1,
    })),
    append: assign({
      queue: ({ context: { queue }, event }) => {
        return [...queue, placeOf(event as Extract<LockEvent, { type: 'ACQUIRE' }>)];
      },
    }),
    remove: assign({
      queue: ({ context: { queue }, event }) => {
        const place = placeOf(event as Extract<LockEvent, { type: 'ABANDON' }>);
        return queue.filter(({ member, of }) => member !== place.member || of !== place.of);
      },
    }),
    leave: assign({ holder: null }),
    dropLast: assign({ queue: ({ context: { queue } }) => queue.slice(0, -1) }),
    bury: assign(({ context, event }) => {
      const { dead } = event as Extract<LockEvent, { type: 'DEAD' }>;
      return {
        queue: context.queue.filter(({ member }) => member !== dead),
        holder: context.holder === dead ? null : context.holder,
        dead: [...context.dead, dead],
      };
    }),
  },
  guards: {
    mayGrant: ({ context: { queue, holder } }) => holder === null && queue.length > 0,
    isDead: ({ context: { dead }, event }) => 'member' in event && dead.includes(event.member),
    isHolder: ({ context: { holder, k }, event }) =>
      event.type === 'LEAVE' && event.member === holder && event.k === k,
  },
}).createMachine({
  context: { queue: [], holder: null, dead: [], k: 0 },
  initial: 'serving',
  states: {
    serving: {
      always: {
        guard: 'mayGrant',
        actions: [
          {
            type: 'send',
            params: ({ context: { queue, k } }) => ({
              target: queue[0]!.member,
              message: { type: 'granted', fence: k + 1 },
            }),
          },
          'enter',
        ],
      },
      on: {
        ACQUIRE: [{ guard: 'isDead' }, { actions: 'append' }],
        ABANDON: { actions: 'remove' },
        LEAVE: [{ guard: 'isHolder', actions: 'leave' }, {}],
        DEAD: { actions: 'bury' },
        refuse: {
          actions: [
            {
              type: 'send',
              params: ({ context: { queue } }) => {
                const { member, request } = queue.at(-1)!;
                return { target: member, message: { type: 'refused', ...request } };
              },
            },
            'dropLast',
          ],
        },
        revoke: {
          actions: [
            {
              type: 'send',
              params: ({ context }) => ({ target: context.holder!, message: { type: 'lost' } }),
            },
            'leave',
          ],
        },
      },
    },
  },
});

/** A session that is over, by the guest's clock. */
interface Expired {
  readonly type: 'EXPIRED';
  readonly member: SiteId;
  readonly guest: SiteId;
  readonly session: number;
}

/** Time between a guest and a member: a member ends a session at any moment after the guest did, whatever else is under way. */
export const clockMachine = setup({
  types: {} as { events: Expired },
  actions: { send: (_, _params: { target: SiteId; message: { type: string } }) => {} },
}).createMachine({
  on: {
    EXPIRED: {
      actions: {
        type: 'send',
        params: ({ event: { member, guest, session } }) => ({
          target: member,
          message: { type: 'sessionEnded', guest, session },
        }),
      },
    },
  },
});

/** The fields of the events of the model. */
const said = (event: object) =>
  event as unknown as Request & { readonly fence: number; readonly member: SiteId; readonly dead?: SiteId };

type Actions = Readonly<Record<string, unknown>>;
const actionsOf = ({ implementations }: AnyStateMachine) => implementations.actions as Actions;
const extended = (machine: AnyStateMachine, config: object, actions: Actions): AnyStateMachine =>
  createMachine(
    { ...machine.config, ...config } as typeof machine.config,
    {
      ...machine.implementations,
      actions: { ...actionsOf(machine), ...actions },
    } as object,
  );

const send = (target: SiteId, message: object) => ({ type: 'send', params: { target, message } }) as never;

const sessionOf = ({ guest, session }: { readonly guest: SiteId; readonly session: number }) =>
  `${guest} ${session}`;

type Transitions = Readonly<Record<string, object | readonly object[]>>;

/** A member that has ended a session reads no more of the connection that brought its messages. */
function untilOver(on: Transitions): Transitions {
  const changed = Object.entries(on).map(([type, transitions]) => {
    const list = [transitions].flat() as readonly { readonly actions?: unknown }[];
    if (type === 'ASK' || type === 'RELEASE') return [type, [{ guard: 'isOver' }, ...list]];
    if (type !== 'sessionEnded') return [type, transitions];
    return [type, list.map((one) => ({ ...one, actions: [one.actions ?? [], 'noteOver'].flat() }))];
  });
  return Object.fromEntries(changed);
}

/** A proxy whose member may die. It then answers as a machine on which no process listens. */
export function withDeath(machine: AnyStateMachine): AnyStateMachine {
  const cut = (guest: SiteId, session: number) => send(guest, { type: 'CUT', session });
  return extended(
    machine.provide({
      guards: {
        isOver: ({ context, event }: { context: { over?: readonly string[] }; event: object }) =>
          context.over!.includes(sessionOf(event as Request)),
      } as never,
    }),
    {
      context: { ...(machine.config.context as object), k: 0, over: [] },
      states: {
        ...Object.fromEntries(
          Object.entries(machine.config.states!).map(([name, state]) => [
            name,
            { ...state, on: untilOver((state as { readonly on: Transitions }).on) },
          ]),
        ),
        dead: {
          on: {
            ASK: {
              actions: enqueueActions(({ enqueue, event }) =>
                enqueue(cut(said(event).guest, said(event).session)),
              ),
            },
            '*': {},
          },
        },
      },
      on: {
        ...untilOver(machine.config.on as Transitions),
        die: {
          target: '.dead',
          actions: ['sayDead', assign({ line: [], holder: null })],
        },
      },
    },
    {
      acquire: enqueueActions(({ enqueue }, params) =>
        enqueue(send(lockId, { type: 'ACQUIRE', ...(params as object) })),
      ),
      abandon: enqueueActions(({ enqueue }, params) =>
        enqueue(send(lockId, { type: 'ABANDON', ...(params as object) })),
      ),
      release: enqueueActions(({ enqueue, context, event }) =>
        enqueue(
          send(lockId, { type: 'LEAVE', k: event.type === 'granted' ? said(event).fence : context['k'] }),
        ),
      ),
      serveFirst: enqueueActions(({ enqueue, event }) => {
        enqueue(actionsOf(machine)['serveFirst'] as never);
        enqueue(assign({ k: said(event).fence }) as never);
      }),
      noteOver: assign({
        over: ({ context, event }) =>
          [...(context['over'] as string[]), sessionOf(event as unknown as Request)].sort(),
      }),
      // The members go on without a dead one when its lease is over, and the session of its guest ends before (G3).
      sayDead: enqueueActions(({ enqueue, context, event }) => {
        const { holder, line } = context as unknown as ProxyContext;
        for (const { guest, session } of line) enqueue(cut(guest, session));
        if (holder === null) enqueue(send(lockId, { type: 'DEAD', dead: said(event).member }));
        else enqueue(send(holder.guest, { type: 'CUT', session: holder.session, dead: said(event).member }));
      }),
    },
  );
}

/** A guest whose session may be cut by the death of its member, and whose clock the members' time follows. */
export function withTime(machine: AnyStateMachine): AnyStateMachine {
  const states = machine.config.states as Readonly<Record<string, { readonly on: Record<string, object> }>>;
  const sayDead = enqueueActions(({ enqueue, event }) => {
    if (said(event).dead !== undefined) enqueue(send(lockId, { type: 'DEAD', dead: said(event).dead }));
  });
  const cutStates = Object.fromEntries(
    Object.entries(states).map(([name, { on, ...state }]) => {
      const { actions = [], ...expired } = (on['expired'] ?? {}) as { readonly actions?: unknown };
      const CUT = [
        { guard: 'isThisSession', ...expired, actions: [actions, sayDead].flat() },
        { actions: sayDead },
      ];
      return [name, { ...state, on: { ...on, CUT } }];
    }),
  );
  return extended(
    machine.provide({
      guards: {
        isThisSession: ({ context, event }: { context: GuestContext; event: { session?: number } }) =>
          context.member !== null && event.session === context.session,
      } as never,
    }),
    { states: cutStates },
    {
      detach: enqueueActions(({ enqueue, context }) => {
        const { member, self, session } = context as unknown as GuestContext;
        enqueue(send(clockId, { type: 'EXPIRED', member, guest: self, session }));
        enqueue(actionsOf(machine)['detach'] as never);
      }),
    },
  );
}
