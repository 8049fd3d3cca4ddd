import { and, not, type SnapshotFrom } from 'xstate';
import {
  adoptFirst,
  answerOver,
  askForPromises,
  configure,
  grant,
  handOn,
  handOnAndWait,
  lose,
  persist,
  requestVotes,
  round,
  sendForget,
  sendHeartbeats,
  sendRequest,
  siteSetup,
  unheard,
} from './steps.ts';
import { initialContext } from './variables.ts';

export type { SiteEvent } from './steps.ts';
export type { SiteContext, SiteInput } from './variables.ts';

const ask = [
  { guard: not('following'), target: 'requesting' },
  { guard: 'tokenHere', target: 'entering' },
  { target: 'requesting', actions: sendRequest },
] as const;

const becomingRoot = {
  guard: and(['following', 'idle', not('tokenHere')]),
  target: 'root',
  actions: 'becomeRoot',
} as const;

/**
 * A site that survives failures (protocol.md, section 3): M. Naimi, M. Trehel, A. Arnold, JPDC 34:1-13, 1996,
 * under the line rule (R12) within each epoch, and epochs by the vote of a majority. `client` and `routing` are the algorithm's two
 * regions; they move only while the third is `following`, and start again from a star with every epoch.
 *
 * The third region is the part of this site in the vote. All of its states but `following` are *frozen*:
 *
 * - `following`: it has adopted the highest epoch that it has promised.
 * - `closed`: it crashed in `epoch`, which is over for it (R7), or the lock was forgotten in that (R13).
 * - `frozen`: it has promised an epoch whose root it does not know.
 * - `candidate`: it stands for the epoch that it has promised.
 * - `barred`: its disk is gone, and its promises with it: it neither votes nor adopts (R8). It did adopt epochs which
 *   it may meet again and would start anew, so to be served the site needs a new id.
 *
 * In strict mode, a site with the token is `entering` until it has a lease, which is the promises of a majority.
 * `lease` is the promise of this site to others: while it is `bound` it neither votes nor stands, and answers later.
 */
export const siteMachine = siteSetup.createMachine({
  id: 'site',
  context: ({ input }) => initialContext(input),
  type: 'parallel',
  states: {
    client: {
      initial: 'idle',
      states: {
        idle: {
          on: {
            ask,
            // The release may cross with `lost`, which has ended the critical section.
            releaseAndAsk: ask,
            try: [
              {
                guard: and(['following', 'tokenHere', 'mayEnter']),
                target: 'inCS',
                actions: ['countEntry', grant],
              },
              {},
            ],
            // `release` and `again` may cross with `lost`, which has ended the critical section.
            release: {},
            again: {},
          },
        },
        requesting: {
          on: {
            TOKEN: {
              guard: 'current',
              target: 'entering',
              actions: { type: 'keepToken', params: ({ event }) => event },
            },
            withdraw: 'withdrawn',
            adopted: [{ guard: 'isRoot', target: 'entering' }, { actions: sendRequest }],
          },
        },
        entering: {
          entry: askForPromises,
          always: {
            guard: and(['following', 'mayEnter']),
            target: 'inCS',
            actions: ['countEntry', grant],
          },
          on: {
            withdraw: [
              {
                guard: and(['following', 'someoneWaits']),
                target: 'idle',
                actions: [handOn, 'surrenderToken'],
              },
              { target: 'idle' },
            ],
            adopted: [
              { guard: 'isRoot', target: 'entering', reenter: true },
              { target: 'requesting', actions: sendRequest },
            ],
            configured: { guard: 'joins', target: 'requesting' },
          },
        },
        withdrawn: {
          on: {
            ask: 'requesting',
            try: {},
            TOKEN: {
              guard: 'current',
              target: 'passing',
              actions: { type: 'keepToken', params: ({ event }) => event },
            },
            // The request was made in an epoch that is over.
            adopted: 'idle',
          },
        },
        passing: {
          always: [
            { guard: 'someoneWaits', target: 'idle', actions: [handOn, 'surrenderToken'] },
            { target: 'idle' },
          ],
        },
        inCS: {
          always: [
            {
              guard: and([not('mayEnter'), 'following', 'someoneWaits']),
              target: 'idle',
              actions: [lose, handOn, 'surrenderToken', 'clearFence'],
            },
            { guard: not('mayEnter'), target: 'idle', actions: [lose, 'clearFence'] },
          ],
          on: {
            release: [
              {
                guard: and(['following', 'someoneWaits']),
                target: 'idle',
                actions: [handOn, 'surrenderToken', 'clearFence'],
              },
              { target: 'idle', actions: 'clearFence' },
            ],
            releaseAndAsk: [
              {
                guard: and(['following', 'someoneWaits']),
                target: 'requesting',
                actions: [handOnAndWait, 'joinLine', 'clearFence'],
              },
              { guard: 'following', actions: ['countEntry', grant] },
              { target: 'requesting', actions: 'clearFence' },
            ],
            // `withdraw` may cross with the end of a promise, at which this site enters.
            withdraw: {},
            // In strict mode this needs a lease in force: without a lease no site is inside.
            again: [{ guard: 'following', actions: ['countEntry', grant] }, {}],
            adopted: [
              // The fence stays the old one: it never rises inside a critical section.
              { guard: 'isRoot' },
              { target: 'idle', actions: [lose, 'clearFence'] },
            ],
            configured: { guard: 'joins', target: 'idle', actions: [lose, 'clearFence'] },
          },
        },
      },
    },
    routing: {
      initial: 'placing',
      on: {
        adopted: [
          { guard: 'isRoot', target: '.root' },
          { guard: 'asksAgain', target: '.root', actions: 'becomeRoot' },
          { target: '.forwarding' },
        ],
      },
      states: {
        placing: { always: [{ guard: 'isRoot', target: 'root' }, { target: 'forwarding' }] },
        // A site that waits or has the token forwards nothing (R12).
        root: {
          always: { guard: not('isRoot'), target: 'forwarding' },
          on: {
            REQUEST: [
              {
                guard: and(['current', 'tokenHere', 'idle']),
                actions: [{ type: 'append', params: ({ event }) => event }, handOn, 'surrenderToken'],
              },
              { guard: 'current', actions: { type: 'append', params: ({ event }) => event } },
            ],
          },
        },
        // An idle site without the token forwards every request and turns its pointer to the request's
        // origin: the path reversal.
        forwarding: {
          on: {
            REQUEST: {
              guard: 'current',
              actions: [
                { type: 'send', params: ({ context, event }) => ({ target: context.last!, message: event }) },
                { type: 'turn', params: ({ event }) => event },
              ],
            },
            ask: becomingRoot,
            releaseAndAsk: becomingRoot,
          },
        },
      },
    },
    epoch: {
      initial: 'starting',
      on: {
        REQUEST: [{ guard: and(['over', 'answers']), actions: answerOver }, { guard: 'over' }, adoptFirst],
        // A token is sent only to a site that asked for it in its epoch, and such a site has adopted that
        // epoch.
        TOKEN: { guard: 'over' },
        NEW: [adoptFirst, {}],
        REFUSE: [adoptFirst, {}],
        HEARTBEAT: [adoptFirst, {}],
        VOTE: {},
        OVER: [
          { guard: 'waitsInVain', actions: unheard(true) },
          { guard: 'hasNoRoom', actions: unheard(false) },
          {},
        ],
        // R13: by agreement of the site that has the token, or had it.
        FORGET: [
          { guard: and(['current', 'idle']), target: '.closed', actions: 'forgotten' },
          // The request of one that waits finds a site that has forgotten the lock, and is answered (M5).
          {},
        ],
        forget: [
          {
            guard: and(['following', 'idle', 'tokenHere']),
            target: '.closed',
            actions: [sendForget, 'giveUp', 'forgotten'],
          },
          { guard: and(['closed', 'idle']), actions: 'forgotten' },
          {},
        ],
        VOTE_REQUEST: [
          { guard: and(['bound', 'worthAVote']), actions: 'putOff' },
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
        configured: [
          { guard: 'joins', target: '.closed', actions: [configure, persist] },
          { guard: 'standing', target: '.frozen', actions: configure },
          { actions: configure },
        ],
        suspect: [
          { guard: 'bound', actions: 'putOff' },
          {
            target: '.candidate',
            actions: ['standForNext', persist, requestVotes],
          },
        ],
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
    lease: {
      initial: 'placing',
      always: { guard: 'majorityPromised', actions: ['holdLease', { type: 'leased', params: round }] },
      on: {
        heartbeat: [
          { guard: not('needsPromises') },
          {
            guard: 'promisesItself',
            target: '.bound',
            actions: [
              { type: 'beginRound', params: ({ context: { self } }) => ({ promises: { [self]: true } }) },
              { type: 'leaseTimer', params: round },
              'promiseTimer',
              sendHeartbeats,
            ],
          },
          {
            actions: [
              { type: 'beginRound', params: { promises: {} } },
              { type: 'leaseTimer', params: round },
              sendHeartbeats,
            ],
          },
        ],
        HEARTBEAT: {
          guard: and(['current', 'sameConfiguration', 'mayPromise']),
          target: '.bound',
          actions: [
            'promiseTimer',
            {
              type: 'send',
              params: ({ context: { self, epoch, root }, event }) => ({
                target: event.origin,
                message: { type: 'PROMISE', epoch, root, voter: self, round: event.round },
              }),
            },
          ],
        },
        PROMISE: [
          {
            guard: and(['current', 'ofOpenRound']),
            actions: { type: 'countPromise', params: ({ event }) => event },
          },
          {},
        ],
        leaseOver: [
          {
            guard: 'endsRound',
            actions: [
              { type: 'endRound', params: ({ event }) => event },
              { type: 'leaseEnded', params: ({ event }) => ({ epoch: event.epoch, round: event.round }) },
            ],
          },
          {},
        ],
        promiseOver: {},
      },
      states: {
        placing: {
          always: [
            {
              guard: and(['strict', 'crashedBefore', not('wasForgotten')]),
              target: 'bound',
              actions: 'promiseTimer',
            },
            { target: 'free' },
          ],
        },
        free: {},
        bound: {
          on: {
            promiseOver: [
              {
                guard: 'wasAsked',
                target: 'free',
                actions: ['promiseEnded', 'takeUpAgain', 'forgetPutOff'],
              },
              { target: 'free', actions: 'promiseEnded' },
            ],
          },
        },
      },
    },
  },
  on: { '*': { actions: { type: 'unexpected', params: ({ event }) => ({ event }) } } },
});

export type SiteSnapshot = SnapshotFrom<typeof siteMachine>;
