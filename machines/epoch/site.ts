import { and, assign, enqueueActions, not, or, raise, type SnapshotFrom, setup, stateIn } from 'xstate';
import type { SiteId } from '../actor.ts';
import type { ClientEvent, Disk, EpochEffect, Fence, SiteMessage } from './messages.ts';
import {
  adopted,
  counting,
  diskOf,
  initialContext,
  isMajority,
  promising,
  type SiteContext,
  type SiteInput,
} from './variables.ts';

export type { SiteContext, SiteInput } from './variables.ts';

/** Raised by the machine itself: an epoch has been adopted, what follows from it (R2) is the regions' own. */
interface Adopted {
  readonly type: 'adopted';
}

export type SiteEvent = ClientEvent | SiteMessage | Adopted;

type Send = { readonly target: SiteId; readonly message: SiteMessage };
type At = { readonly context: SiteContext };
type Epoch = { readonly epoch: number; readonly root: SiteId };

/** A message that says of which epoch it is, and who is the root of that. */
const epochOf = (event: SiteEvent): Epoch | null => ('root' in event ? event : null);

/** When it starts, what is left of an earlier life. */
const lifeOf = (event: unknown) => (event as { readonly input?: SiteInput }).input?.disk;

const sendRequest = {
  type: 'send',
  params: ({ context: { epoch, root, self, last } }: At): Send => ({
    target: last!,
    message: { type: 'REQUEST', epoch, root, origin: self },
  }),
} as const;

const passToken = {
  type: 'send',
  params: ({ context: { epoch, root, k, next } }: At): Send => ({
    target: next!,
    message: { type: 'TOKEN', epoch, root, k },
  }),
} as const;

const persist = { type: 'persist', params: ({ context }: At): Disk => diskOf(context) } as const;
const grant = {
  type: 'grant',
  params: ({ context }: At) => ({ fence: context.fence! }),
} as const;

/** R1: a message of a newer epoch is of the current one once that is adopted. */
const adoptFirst = {
  guard: 'newer',
  target: '.following',
  actions: [
    { type: 'adopt', params: ({ event }: { event: SiteEvent }) => epochOf(event)! },
    persist,
    'tellRegions',
    'processAgain',
  ],
} as const;

/**
 * A site that survives failures (protocol.md, section 2): M. Naimi, M. Trehel, A. Arnold, JPDC 34:1-13, 1996,
 * within each epoch, and epochs by the vote of a majority. `client` and `routing` are the algorithm's two
 * regions; they move only while the third is `following`, and start again from a star with every epoch.
 *
 * The third region is what this site is in the vote. All of its states but `following` are *frozen*:
 *
 * - `following`: it has adopted the highest epoch that it has promised.
 * - `closed`: it crashed in `epoch`, which is over for it (R7).
 * - `frozen`: it has promised an epoch whose root it does not know.
 * - `candidate`: it stands for the epoch that it has promised.
 * - `barred`: its disk is gone, and with it what it promised: it neither votes nor adopts (R8). It did adopt
 *   epochs which it may meet again and would start anew, so to be served the site needs a new name.
 */
export const siteMachine = setup({
  types: {} as { context: SiteContext; events: SiteEvent; input: SiteInput },
  actions: {
    send: (_, _params: Send) => {},
    broadcast: (_, _params: { message: SiteMessage }) => {},
    persist: (_, _params: Disk) => {},
    grant: (_, _params: { fence: Fence }) => {},
    lost: (_, _params: { fence: Fence }) => {},
    elected: (_, _params: Omit<Extract<EpochEffect, { type: 'elected' }>, 'type'>) => {},
    unexpected: (_, _params: { event: SiteEvent }) => {},
    tellRegions: raise({ type: 'adopted' }),
    processAgain: raise(({ event }) => event),
    adopt: assign(({ context }, to: Epoch) => adopted(context, to)),
    standForNext: assign(({ context: { self, voters, promised, epoch, token } }) => ({
      ...promising(promised + 1),
      ...(self in voters ? counting({ votes: {}, holder: null }, self, token ? epoch : null) : {}),
    })),
    promise: assign((_, { epoch }: { epoch: number }) => promising(epoch)),
    countVote: assign(({ context }, { voter, holds }: { voter: SiteId; holds: number | null }) =>
      counting(context, voter, holds),
    ),
    keepToken: assign((_, { k }: { k: number }) => ({ token: true, k })),
    surrenderToken: assign({ token: false, next: null, k: 0 }),
    countEntry: assign(({ context: { epoch, k } }) => ({ k: k + 1, fence: { epoch, k: k + 1 } })),
    clearFence: assign({ fence: null }),
    becomeRoot: assign({ last: null }),
  },
  guards: {
    isRoot: ({ context }) => context.last === null,
    tokenHere: ({ context }) => context.token,
    someoneWaits: ({ context }) => context.next !== null,
    idle: stateIn({ client: 'idle' }),
    following: stateIn({ epoch: 'following' }),
    isBelowPromise: ({ context, event }) => (epochOf(event)?.epoch ?? -1) < context.promised,
    isAhead: ({ context, event }) => (epochOf(event)?.epoch ?? -1) > context.epoch,
    /** R0: never to be heard. (A frozen site that is not closed has promised more than its epoch.) */
    over: or(['isBelowPromise', and([not('following'), not('isAhead')])]),
    newer: and(['isAhead', not('isBelowPromise')]),
    current: and(['following', not('isAhead'), not('isBelowPromise')]),
    worthAVote: ({ context, event }) => event.type === 'VOTE_REQUEST' && event.epoch > context.promised,
    stale: ({ context, event }) => event.type === 'VOTE_REQUEST' && event.epoch < context.promised,
    forThisCandidacy: ({ context, event }) => event.type === 'VOTE' && event.epoch === context.promised,
    outdone: ({ context, event }) => event.type === 'REFUSE' && event.promise > context.promised,
    elected: ({ context }) => isMajority(context),
    diskIsLost: ({ event }) => lifeOf(event) === 'lost',
    crashedBefore: ({ event }) => lifeOf(event) !== 'none',
  },
}).createMachine({
  id: 'site',
  context: ({ input }) => initialContext(input),
  type: 'parallel',
  states: {
    client: {
      initial: 'idle',
      states: {
        idle: {
          on: {
            ask: [
              { guard: not('following'), target: 'requesting' },
              { guard: 'tokenHere', target: 'inCS', actions: ['countEntry', grant] },
              { target: 'requesting', actions: sendRequest },
            ],
          },
        },
        requesting: {
          on: {
            TOKEN: {
              guard: 'current',
              target: 'inCS',
              actions: [{ type: 'keepToken', params: ({ event }) => event }, 'countEntry', grant],
            },
            withdraw: 'withdrawn',
            adopted: [
              { guard: 'isRoot', target: 'inCS', actions: ['countEntry', grant] },
              { actions: sendRequest },
            ],
          },
        },
        withdrawn: {
          on: {
            ask: 'requesting',
            TOKEN: [
              {
                guard: and(['current', 'someoneWaits']),
                target: 'idle',
                actions: [{ type: 'keepToken', params: ({ event }) => event }, passToken, 'surrenderToken'],
              },
              {
                guard: 'current',
                target: 'idle',
                actions: { type: 'keepToken', params: ({ event }) => event },
              },
            ],
            // What was asked for was asked in an epoch that is over.
            adopted: 'idle',
          },
        },
        inCS: {
          on: {
            release: [
              {
                guard: and(['following', 'someoneWaits']),
                target: 'idle',
                actions: [passToken, 'surrenderToken', 'clearFence'],
              },
              { target: 'idle', actions: 'clearFence' },
            ],
            adopted: [
              // The fence stays the old one: it never rises inside a critical section.
              { guard: 'isRoot' },
              {
                target: 'idle',
                actions: [
                  { type: 'lost', params: ({ context }) => ({ fence: context.fence! }) },
                  'clearFence',
                ],
              },
            ],
          },
        },
      },
    },
    routing: {
      initial: 'placing',
      on: {
        adopted: [
          { guard: 'isRoot', target: '.root' },
          { guard: stateIn({ client: 'requesting' }), target: '.root', actions: 'becomeRoot' },
          { target: '.forwarding' },
        ],
      },
      states: {
        placing: { always: [{ guard: 'isRoot', target: 'root' }, { target: 'forwarding' }] },
        root: {
          on: {
            REQUEST: [
              {
                guard: and(['current', 'tokenHere', 'idle']),
                target: 'forwarding',
                actions: [
                  {
                    type: 'send',
                    params: ({ context: { epoch, root, k }, event }) => ({
                      target: event.origin,
                      message: { type: 'TOKEN', epoch, root, k },
                    }),
                  },
                  'surrenderToken',
                  assign({ last: ({ event }) => event.origin }),
                ],
              },
              {
                guard: 'current',
                target: 'forwarding',
                actions: assign({ next: ({ event }) => event.origin, last: ({ event }) => event.origin }),
              },
            ],
          },
        },
        // Every request that comes is passed on and the pointer turned to its origin: the path reversal.
        forwarding: {
          on: {
            REQUEST: {
              guard: 'current',
              actions: [
                { type: 'send', params: ({ context, event }) => ({ target: context.last!, message: event }) },
                assign({ last: ({ event }) => event.origin }),
              ],
            },
            ask: {
              guard: and(['following', 'idle', not('tokenHere')]),
              target: 'root',
              actions: 'becomeRoot',
            },
          },
        },
      },
    },
    epoch: {
      initial: 'starting',
      on: {
        REQUEST: [{ guard: 'over' }, adoptFirst],
        // A token comes to who asked for it in its epoch, and so has adopted that.
        TOKEN: { guard: 'over' },
        NEW: [adoptFirst, {}],
        REFUSE: [adoptFirst, {}],
        VOTE: {},
        VOTE_REQUEST: [
          {
            guard: 'worthAVote',
            target: '.frozen',
            actions: [
              { type: 'promise', params: ({ event }) => event },
              persist,
              {
                type: 'send',
                params: ({ context: { self, promised, token, epoch }, event }) => ({
                  target: event.candidate,
                  message: {
                    type: 'VOTE',
                    epoch: promised,
                    voter: self,
                    holds: token ? epoch : null,
                  },
                }),
              },
            ],
          },
          {
            guard: 'stale',
            actions: {
              type: 'send',
              params: ({ context: { epoch, root, promised }, event }) => ({
                target: event.candidate,
                message: { type: 'REFUSE', epoch, root, promise: promised },
              }),
            },
          },
          {},
        ],
        suspect: {
          target: '.candidate',
          actions: [
            'standForNext',
            persist,
            enqueueActions(({ context: { self, voters, promised }, enqueue }) => {
              for (const target of Object.keys(voters)) {
                if (target === self) continue;
                const message = { type: 'VOTE_REQUEST', epoch: promised, candidate: self } as const;
                enqueue({ type: 'send', params: { target, message } });
              }
            }),
          ],
        },
      },
      states: {
        starting: {
          always: [
            { guard: 'diskIsLost', target: 'barred' },
            { guard: 'crashedBefore', target: 'closed' },
            { target: 'following', actions: persist },
          ],
        },
        following: {},
        closed: {},
        frozen: {},
        candidate: {
          on: {
            VOTE: {
              guard: 'forThisCandidacy',
              actions: { type: 'countVote', params: ({ event }) => event },
            },
            REFUSE: {
              guard: and([not('newer'), 'outdone']),
              target: 'frozen',
              actions: [{ type: 'promise', params: ({ event }) => ({ epoch: event.promise }) }, persist],
            },
          },
          always: {
            guard: 'elected',
            target: 'following',
            actions: [
              {
                type: 'elected',
                params: ({ context: { promised, self, holder, votes } }) => ({
                  epoch: promised,
                  root: holder?.site ?? self,
                  voters: votes,
                }),
              },
              {
                type: 'adopt',
                params: ({ context: { promised, self, holder } }) => ({
                  epoch: promised,
                  root: holder?.site ?? self,
                }),
              },
              persist,
              {
                type: 'broadcast',
                params: ({ context: { epoch, root } }) => ({ message: { type: 'NEW', epoch, root } }),
              },
              'tellRegions',
            ],
          },
        },
        barred: { on: { '*': {} } },
      },
    },
  },
  on: { '*': { actions: { type: 'unexpected', params: ({ event }) => ({ event }) } } },
});

export type SiteSnapshot = SnapshotFrom<typeof siteMachine>;
