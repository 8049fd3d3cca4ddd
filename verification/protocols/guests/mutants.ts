import { assign } from 'xstate';
import { type GuestContext, guestMachine } from '../../../machines/guests/guest.ts';
import type { Request } from '../../../machines/guests/messages.ts';
import { type ProxyContext, proxyMachine } from '../../../machines/guests/proxy.ts';
import { editorOf } from '../../system/edit.ts';
import type { GuestsOptions } from './system.ts';

/* The statecharts of guests and of their members with one mistake in each, and the size at which it shows. */

const guest = editorOf(guestMachine);
const proxy = editorOf(proxyMachine);

const withdrawing: GuestsOptions = { members: 1, sessions: 1, again: 1, withdraws: 1 };
const twice: GuestsOptions = { members: 1, sessions: 1, asks: 2, withdraws: 1 };
const oneMember: GuestsOptions = { members: 1 };
const dying: GuestsOptions = { deaths: 1, sessions: 1 };
const revoking: GuestsOptions = { members: 1, sessions: 1, again: 1, revocations: 1 };

const refusing: GuestsOptions = { members: 1, sessions: 1, asks: 2, withdraws: 1, refusals: 1 };

const lastOf = ({ line }: ProxyContext) => line.at(-1)!;
const acquire = proxy.part('on.ASK.actions.0');

export const mutants: Readonly<Record<string, GuestsOptions>> = {
  'G1: a guest is granted before its member is inside': {
    ...withdrawing,
    proxyMachine: proxy.replace('outside.on', {
      ...(proxy.part('outside.on') as object),
      ASK: {
        target: 'inside',
        actions: [
          acquire,
          {
            type: 'send',
            params: ({ event }: { event: Request }) => ({
              target: event.guest,
              message: { type: 'GRANT', request: event.request, fence: 0 },
            }),
          },
          'append',
          'serveFirst',
        ],
      },
    }),
  },
  'G1: the newest guest is served first': {
    ...withdrawing,
    proxyMachine: proxy
      .replace('outside.on.granted.0.actions', [
        {
          type: 'send',
          params: ({ context, event }: { context: ProxyContext; event: { fence: unknown } }) => ({
            target: lastOf(context).guest,
            message: { type: 'GRANT', request: lastOf(context).request, fence: event.fence },
          }),
        },
        'serveLast',
      ])
      .provide({
        actions: {
          serveLast: assign(({ context }) => ({
            holder: lastOf(context as unknown as ProxyContext),
            line: (context as unknown as ProxyContext).line.slice(0, -1),
          })),
        } as never,
      }),
  },
  'G1: a grant that no guest waits for is kept': {
    ...withdrawing,
    proxyMachine: proxy.replace('outside.on.granted.1', {}),
  },
  'G1: a grant is sent to two guests': {
    ...withdrawing,
    proxyMachine: proxy.replace('outside.on.granted.0.actions', [
      proxy.part('outside.on.granted.0.actions.0'),
      {
        type: 'send',
        params: ({ context, event }: { context: ProxyContext; event: { fence: unknown } }) => ({
          target: lastOf(context).guest,
          message: { type: 'GRANT', request: lastOf(context).request, fence: event.fence },
        }),
      },
      'serveFirst',
    ]),
  },
  'G2: a grant of an earlier request is taken': {
    ...twice,
    guestMachine: guestMachine.provide({
      guards: { isAnswer: ({ context }) => (context as GuestContext).member !== null },
    }),
  },
  'G2: a request that is withdrawn keeps its place': {
    ...withdrawing,
    proxyMachine: proxy.remove('on.RELEASE.1'),
  },
  'G2: a guest that asks again keeps the critical section': {
    ...withdrawing,
    proxyMachine: proxy.replace('inside.on.RELEASE.0.actions', [
      proxy.part('inside.on.RELEASE.0.actions.0'),
      'appendNext',
      'takeBack',
    ]),
  },
  'G3: a guest stays inside when its session is over': {
    ...oneMember,
    guestMachine: guest.replace('inCS.on.expired', { actions: 'detach' }),
  },
  'G3: a grant of a session that is over is taken': {
    ...oneMember,
    guestMachine: guestMachine.provide({
      guards: {
        isAnswer: ({ context, event }) =>
          (event as { request?: number }).request === (context as GuestContext).request,
      },
    }),
  },
  'G3: the end of an earlier session ends the present one': {
    ...oneMember,
    proxyMachine: proxyMachine.provide({
      guards: {
        isHoldersSession: ({ context, event }) =>
          (context as ProxyContext).holder?.guest === (event as Partial<Request>).guest,
      },
    }),
  },
  'G3: a session that is over keeps its place in the line': {
    ...oneMember,
    proxyMachine: proxy.remove('on.sessionEnded.0'),
  },
  'G3: a session that is over keeps the critical section': {
    ...oneMember,
    proxyMachine: proxy.remove('inside.on.sessionEnded.0'),
  },
  'G4: a guest that moves does not ask again': {
    ...dying,
    guestMachine: guest.replace('requesting.on.attached', { actions: 'attach' }),
  },
  'G4: a guest that moves asks under the old number': {
    ...oneMember,
    guestMachine: guest.replace('requesting.on.attached', {
      actions: ['attach', guest.part('requesting.on.attached.actions.2')],
    }),
  },
  'G5: a guest is not told that its member has lost the lock': {
    ...revoking,
    proxyMachine: proxy.replace('inside.on.lost', { target: 'outside', actions: 'takeBack' }),
  },
  'G5: a request that comes with a release is forgotten when the lock was lost': {
    ...revoking,
    proxyMachine: proxy.remove('on.RELEASE.0'),
  },
  'G6: a guest is not told that its member has no room for the lock': {
    ...refusing,
    proxyMachine: proxy.replace('on.refused.0', { guard: 'isInLine', actions: 'remove' }),
  },
  'G6: a refusal of an earlier request is taken': {
    ...refusing,
    guestMachine: guest.replace('requesting.on.NO_ROOM', { target: 'idle', actions: 'refused' }),
  },
  'G6: a request that is refused keeps its place': {
    ...refusing,
    proxyMachine: proxy.replace('on.refused.0', {
      guard: 'isInLine',
      actions: proxy.part('on.refused.0.actions.0'),
    }),
  },
};
