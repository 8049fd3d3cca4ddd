import { setup } from 'xstate';
import type { SiteId } from '../actor.ts';
import type { SiteMessage } from './messages.ts';

type Sent = { readonly target: SiteId; readonly message: SiteMessage };

/**
 * Returns the answer of `self`, which has no room for the lock, to a message that needs an answer (M5), or
 * `null`.
 */
export function answerWithoutRoom(self: SiteId, message: SiteMessage): Sent | null {
  const { type, epoch } = message;
  if (type !== 'REQUEST' && type !== 'VOTE_REQUEST') return null;
  const target = type === 'REQUEST' ? message.origin : message.candidate;
  return { target, message: { type: 'OVER', epoch, from: self, full: true } };
}

/**
 * Returns the answer of `self` to a message of a site that it does not know as a member, or `null`. That site may be one by a configuration
 * that `self` has not heard of, or does not believe yet (M6). Without the answer they would wait for ever (M5).
 */
export function answerToStranger(self: SiteId, message: SiteMessage): Sent | null {
  if (message.type !== 'REQUEST') return null;
  const { epoch, origin } = message;
  return { target: origin, message: { type: 'OVER', epoch, from: self, full: false } };
}

/**
 * A site without room for a lock. To the other sites it behaves as one that crashed in every epoch of the
 * lock (R7), and it does not vote. Once it has room, it starts as the site machine does after such a crash.
 */
export const noRoomMachine = setup({
  types: {} as { context: { self: SiteId }; input: { readonly self: SiteId }; events: SiteMessage },
  actions: { send: (_, _params: Sent) => {} },
}).createMachine({
  id: 'noRoom',
  context: ({ input }) => ({ self: input.self }),
  on: {
    REQUEST: {
      actions: {
        type: 'send',
        params: ({ context, event }) => answerWithoutRoom(context.self, event)!,
      },
    },
    VOTE_REQUEST: {
      actions: {
        type: 'send',
        params: ({ context, event }) => answerWithoutRoom(context.self, event)!,
      },
    },
    '*': {},
  },
});
