import { type AnyStateMachine, and, assign, createMachine, enqueueActions } from 'xstate';
import type { SiteId } from '../../../machines/actor.ts';
import {
  type Configuration,
  compare,
  isQuorum,
  type SiteSet,
} from '../../../machines/members/configuration.ts';
import {
  adoptBrought,
  type MembersContext,
  type MembersSettings,
  membersMachine,
  persist,
} from '../../../machines/members/members.ts';

/*
 * One lock at each site, as far as its elections go: what an epoch change of machines/epoch decides, and nothing of what
 * happens within an epoch. It stands beside the member actor and reads its configuration. `top` is what it promised.
 */

export interface LockContext extends MembersContext {
  /** The root of epoch 0, and so a founder. */
  readonly firstRoot: SiteId;
  /** For a candidate for epoch `top`: its votes, under the configuration at this place alone; `null`: it is none. */
  readonly candidacy: { readonly term: number; readonly version: number; readonly votes: SiteSet } | null;
}

export interface SiteSettings extends MembersSettings {
  readonly firstRoot: SiteId;
}

/** Between the locks. The configuration that a candidate sends along goes, in the runtime, before it on the same link. */
export type LockMessage =
  | {
      readonly type: 'LOCK_VOTE_REQUEST';
      readonly epoch: number;
      readonly candidate: SiteId;
      readonly configuration: Configuration;
    }
  | { readonly type: 'LOCK_VOTE'; readonly epoch: number; readonly voter: SiteId };

/** For the history. */
export type LockEffect =
  | { readonly type: 'stood'; readonly epoch: number }
  | { readonly type: 'elected'; readonly epoch: number; readonly under: Configuration }
  | { readonly type: 'firstGrant' };

type At = { readonly context: LockContext; readonly event: LockMessage };

const isCounting = ({ candidacy, configuration }: LockContext) =>
  candidacy !== null && compare(candidacy, configuration) === 0;

const guards: Readonly<Record<string, (at: At) => boolean>> = {
  /** Epoch 0 is the founders' for ever; a site that promised more has left it (R3). */
  hasFirstToken: ({ context: { self, top, firstRoot } }) => self === firstRoot && top === 0,
  isLockVoter: ({ context: { self, configuration } }) =>
    configuration !== null && self in configuration.voters,
  /** M3: under the very configuration that the candidate counts in, and above the promise. */
  worthALockVote: ({ context: { configuration, top }, event }) =>
    event.type === 'LOCK_VOTE_REQUEST' &&
    compare(event.configuration, configuration) === 0 &&
    event.epoch > top,
  aboveBase: ({ context: { configuration }, event }) => event.epoch > configuration!.base,
  forThisEpoch: ({ context, event }) =>
    event.type === 'LOCK_VOTE' && event.epoch === context.top && isCounting(context),
  isLockElected: ({ context }) =>
    isCounting(context) && isQuorum(context.candidacy!.votes, context.configuration!),
  isOutdated: ({ context }) => !isCounting(context),
};

const actions = {
  standForEpoch: assign(({ context }: { context: LockContext }) => {
    const { self, top, configuration } = context;
    const { term, version, base } = configuration!;
    return {
      top: Math.max(top, base) + 1,
      candidacy: { term, version, votes: { [self]: true as const } },
    };
  }),
  countLockVote: assign(({ context, event }: At) => ({
    candidacy: {
      ...context.candidacy!,
      votes: { ...context.candidacy!.votes, [(event as { readonly voter: SiteId }).voter]: true as const },
    },
  })),
  endCandidacy: assign({ candidacy: null }),
  requestLockVotes: enqueueActions(({ context, enqueue }) => {
    const { self, top, configuration } = context as LockContext;
    const message: LockMessage = {
      type: 'LOCK_VOTE_REQUEST',
      epoch: top,
      candidate: self,
      configuration: configuration!,
    };
    for (const target of Object.keys(configuration!.voters)) {
      if (target !== self) enqueue({ type: 'send', params: { target, message } });
    }
  }),
};

const standLock = {
  guard: 'isLockVoter',
  target: 'candidate',
  actions: [
    'standForEpoch',
    persist,
    { type: 'stood', params: ({ context }: At) => ({ epoch: context.top }) },
    'requestLockVotes',
  ],
};

const vote = {
  guard: and(['isLockVoter', 'worthALockVote', 'aboveBase']),
  target: 'following',
  actions: [
    { type: 'raiseTop', params: ({ event }: At) => event },
    persist,
    {
      type: 'send',
      params: ({ context: { self }, event }: At) => ({
        target: (event as { readonly candidate: SiteId }).candidate,
        message: { type: 'LOCK_VOTE', epoch: event.epoch, voter: self },
      }),
    },
  ],
};

/**
 * The member actor, and its site's lock, as one process. A `restart` is a crash and a start with the disk at once, which leaves
 * the messages on their way to the site.
 */
export function withLock(machine: AnyStateMachine = membersMachine): AnyStateMachine {
  const { context, initial, on, states } = machine.config as {
    readonly context: (of: { readonly input: SiteSettings }) => MembersContext;
    readonly initial: string;
    readonly on: object;
    readonly states: object;
  };
  return createMachine(
    {
      id: 'site',
      context: ({ input }: { readonly input: SiteSettings }) => ({
        ...context({ input }),
        firstRoot: input.firstRoot,
        candidacy: null,
      }),
      type: 'parallel',
      states: {
        members: {
          id: 'members',
          initial,
          on: {
            ...on,
            LOCK_VOTE_REQUEST: { guard: 'bringsNewer', target: '.following', actions: adoptBrought },
            restart: { target: '.following', actions: 'forget' },
          },
          states,
        },
        lock: {
          initial: 'following',
          on: {
            LOCK_VOTE_REQUEST: { ...vote, target: '.following' },
            standLock: { ...standLock, target: '.candidate' },
            firstGrant: { guard: 'hasFirstToken', actions: 'firstGrant' },
            restart: '.following',
          },
          states: {
            following: { entry: 'endCandidacy' },
            candidate: {
              on: { LOCK_VOTE: { guard: 'forThisEpoch', actions: 'countLockVote' } },
              always: [
                { guard: 'isOutdated', target: 'following' },
                {
                  guard: 'isLockElected',
                  target: 'following',
                  actions: {
                    type: 'elected',
                    params: ({ context }: At) => ({ epoch: context.top, under: context.configuration }),
                  },
                },
              ],
            },
          },
        },
      },
    } as unknown as Parameters<typeof createMachine>[0],
    {
      actions: {
        ...machine.implementations.actions,
        ...actions,
        forget: assign({ votes: {}, acknowledged: {}, heard: {}, votedFor: null, told: {} }),
      },
      guards: { ...machine.implementations.guards, ...guards },
    } as unknown as Parameters<typeof createMachine>[1],
  );
}
