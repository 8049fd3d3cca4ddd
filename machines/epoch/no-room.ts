import { setup } from 'xstate';
import type { SiteId } from '../actor.ts';
import type { SiteMessage } from './messages.ts';

type Sent = { readonly target: SiteId; readonly message: SiteMessage };

/** The answer of `self`, which has no room for the lock, to a message that somebody waits for (M5); `null`: nobody does. */
export function answerWithoutRoom(self: SiteId, message: SiteMessage): Sent | null {
  const { type, epoch } = message;
  if (type !== 'REQUEST' && type !== 'VOTE_REQUEST') return null;
  const target = type === 'REQUEST' ? message.origin : message.candidate;
  return { target, message: { type: 'OVER', epoch, from: self, full: true } };
}

/**
 * A site that has no room for a lock: for the others it is as one that crashed in every epoch of it (R7), and does not
 * vote. With room it begins as the site machine does after such a crash.
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
