import { and, assign, not, or, raise, setup, stateIn } from 'xstate';
import type { SiteId } from '../actor.ts';
import { handOver, joinedLine, withoutToken, withToken } from '../line/rule.ts';
import { begun, over, type PutOff, promisedBy, putOff, type SiteSet, won } from './lease.ts';
import type {
  ClientEvent,
  DurableState,
  EpochEffect,
  Fence,
  MembersChange,
  SiteMessage,
  TimeEvent,
} from './messages.ts';
import {
  adopted,
  configured,
  counting,
  diskOf,
  givenUp,
  isMajority,
  promising,
  type SiteContext,
  type SiteInput,
} from './variables.ts';

/* The actions and guards of the site machine, by name. */

/** Raised by the machine itself: an epoch has been adopted. Each region handles its own consequences (R2). */
interface Adopted {
  readonly type: 'adopted';
}

export type SiteEvent = ClientEvent | MembersChange | TimeEvent | SiteMessage | Adopted;

type Send = { readonly target: SiteId; readonly message: SiteMessage };
type Round = { readonly epoch: number; readonly round: number };
type At = { readonly context: SiteContext };
type Epoch = { readonly epoch: number; readonly root: SiteId };

/** The epoch that a message names, with its root. */
const epochOf = (event: SiteEvent): Epoch | null => ('root' in event ? event : null);

/** The input of the start event. */
const inputOf = (event: unknown) => (event as { readonly input?: SiteInput }).input;

export const sendRequest = {
  type: 'send',
  params: ({ context: { epoch, root, self, last } }: At): Send => ({
    target: last!,
    message: { type: 'REQUEST', epoch, root, origin: self },
  }),
} as const;

/**
 * Sends the token to the first site of the line, with the rest of the line. `joining` goes to the end (R12).
 */
const sendToken = (joining: (site: SiteContext) => SiteId | undefined) =>
  ({
    type: 'send',
    params: ({ context }: At): Send => {
      const { epoch, root, k } = context;
      const { target, line } = handOver(context.line, joining(context));
      return { target, message: { type: 'TOKEN', epoch, root, k, line } };
    },
  }) as const;

export const handOn = sendToken(() => undefined);
export const handOnAndWait = sendToken(({ self }) => self);

export const lose = {
  type: 'lost',
  params: ({ context }: At) => ({ fence: context.fence! }),
} as const;

/** Answers OVER, so that no request is left unanswered (M5). */
export const answerOver = {
  type: 'send',
  params: ({ context: { self }, event }: At & { readonly event: SiteEvent }): Send => {
    const { epoch, origin } = event as Extract<SiteMessage, { type: 'REQUEST' }>;
    return { target: origin, message: { type: 'OVER', epoch, from: self, full: false } };
  },
} as const;

/** Tells the driver that a message was not taken (M5). The driver suspects, as after any other loss. */
export const unheard = (waits: boolean) =>
  ({
    type: 'unheard',
    params: ({ event }: { readonly event: SiteEvent }) => {
      const { epoch, from, full } = event as Extract<SiteMessage, { type: 'OVER' }>;
      return { epoch, by: from, full, waits };
    },
  }) as const;

/** R13: the token goes no further, and all others hear of it. */
export const sendForget = {
  type: 'broadcast',
  params: ({ context: { self, epoch, root } }: At): { message: SiteMessage } => ({
    message: { type: 'FORGET', epoch, root, from: self },
  }),
} as const;

/** The round of the lease, or the round that is to become one. */
export const round = ({ context: { epoch, lease } }: At): Round => ({ epoch, round: lease!.round });

const otherVoters = ({ self, voters }: SiteContext): readonly SiteId[] =>
  Object.keys(voters).filter((voter) => voter !== self);

export const persist = {
  type: 'persist',
  params: ({ context }: At): DurableState => diskOf(context),
} as const;

/** Sets the configuration (M3). */
export const configure = {
  type: 'configure',
  params: ({ event }: { readonly event: SiteEvent }) => event as MembersChange,
} as const;

export const grant = {
  type: 'grant',
  params: ({ context }: At) => ({ fence: context.fence! }),
} as const;

/** R1: a message of a newer epoch is handled after that epoch has been adopted. */
export const adoptFirst = {
  guard: 'newer',
  target: '.following',
  actions: [
    { type: 'adopt', params: ({ event }: { event: SiteEvent }) => epochOf(event)! },
    persist,
    'tellRegions',
    'processAgain',
  ],
} as const;

export const siteSetup = setup({
  types: {} as { context: SiteContext; events: SiteEvent; input: SiteInput },
  actions: {
    send: (_, _params: Send) => {},
    broadcast: (_, _params: { message: SiteMessage }) => {},
    persist: (_, _params: DurableState) => {},
    grant: (_, _params: { fence: Fence }) => {},
    lost: (_, _params: { fence: Fence }) => {},
    elected: (_, _params: Omit<Extract<EpochEffect, { type: 'elected' }>, 'type'>) => {},
    unheard: (_, _params: Omit<Extract<EpochEffect, { type: 'unheard' }>, 'type'>) => {},
    forgotten: () => {},
    leaseTimer: (_, _params: Round) => {},
    leased: (_, _params: Round) => {},
    leaseEnded: (_, _params: Round) => {},
    promiseTimer: () => {},
    promiseEnded: () => {},
    unexpected: (_, _params: { event: SiteEvent }) => {},
    tellRegions: raise({ type: 'adopted' }),
    processAgain: raise(({ event }) => event),
    adopt: assign(({ context }, to: Epoch) => adopted(context, to)),
    configure: assign(({ context }, change: MembersChange) => configured(context, change)),
    /** M3: stands for an epoch above the base, because no epoch up to the base may be decided any more. */
    standForNext: assign(({ context: { self, voters, membership, promised, epoch, token } }) => ({
      ...promising(Math.max(promised, membership.base) + 1),
      ...(self in voters ? counting({ votes: {}, holder: null }, self, token ? epoch : null) : {}),
    })),
    promise: assign((_, { epoch }: { epoch: number }) => promising(epoch)),
    countVote: assign(({ context }, { voter, holds }: { voter: SiteId; holds: number | null }) =>
      counting(context, voter, holds),
    ),
    keepToken: assign(({ context }, { k, line }: { k: number; line: readonly SiteId[] }) => ({
      k,
      ...withToken(context.line, line),
    })),
    surrenderToken: assign(({ context }) => ({ k: 0, ...withoutToken(context.line) })),
    giveUp: assign(givenUp),
    joinLine: assign({ k: 0, ...joinedLine }),
    append: assign(({ context }, { origin }: { origin: SiteId }) => ({ line: [...context.line, origin] })),
    turn: assign((_, { origin }: { origin: SiteId }) => ({ last: origin })),
    countEntry: assign(({ context: { epoch, k } }) => ({ k: k + 1, fence: { epoch, k: k + 1 } })),
    clearFence: assign({ fence: null }),
    becomeRoot: assign({ last: null }),
    beginRound: assign(({ context }, { promises }: { promises: SiteSet }) => ({
      lease: begun(context.lease!, promises),
    })),
    countPromise: assign(({ context }, { voter }: { voter: SiteId }) => ({
      lease: promisedBy(context.lease!, voter),
    })),
    holdLease: assign(({ context }) => ({ lease: won(context.lease!) })),
    endRound: assign(({ context }, { round }: Round) => ({ lease: over(context.lease!, round) })),
    putOff: assign(({ context, event }) => ({ lease: putOff(context.lease!, event as PutOff) })),
    takeUpAgain: raise(({ context }) => context.lease!.putOff!),
    forgetPutOff: assign(({ context }) => ({ lease: { ...context.lease!, putOff: null } })),
  },
  guards: {
    isRoot: ({ context }) => context.last === null,
    tokenHere: ({ context }) => context.token,
    someoneWaits: ({ context }) => context.line.length > 0,
    idle: stateIn({ client: 'idle' }),
    following: stateIn({ epoch: 'following' }),
    closed: stateIn({ epoch: 'closed' }),
    isBelowPromise: ({ context, event }) => (epochOf(event)?.epoch ?? -1) < context.promised,
    isAhead: ({ context, event }) => (epochOf(event)?.epoch ?? -1) > context.epoch,
    /** R0: a message to ignore. (A frozen site that is not closed has promised more than its epoch.) */
    over: or(['isBelowPromise', and([not('following'), not('isAhead')])]),
    /** Models in which sites suspect at any time omit this (M5). */
    answers: () => true,
    newer: and(['isAhead', not('isBelowPromise')]),
    current: and(['following', not('isAhead'), not('isBelowPromise')]),
    /** M3: a voter gives its vote in the configuration in which the candidate counts it. */
    sameConfiguration: ({ context: { membership }, event }) =>
      'version' in event && event.term === membership.term && event.version === membership.version,
    worthAVote: and([
      'sameConfiguration',
      ({ context: { promised, membership }, event }) =>
        event.type === 'VOTE_REQUEST' && event.epoch > promised && event.epoch > membership.base,
    ]),
    joins: ({ event }) => event.type === 'configured' && event.joins,
    standing: stateIn({ epoch: 'candidate' }),
    /**
     * R10: the candidate stands for the epoch that has been adopted here, so it has missed that epoch. It
     * must be told, or it would wait for ever.
     */
    stale: ({ context, event }) =>
      event.type === 'VOTE_REQUEST' && (event.epoch < context.promised || event.epoch === context.epoch),
    forThisCandidacy: ({ context, event }) => event.type === 'VOTE' && event.epoch === context.promised,
    outdone: ({ context, event }) => event.type === 'REFUSE' && event.promise > context.promised,
    elected: ({ context }) => isMajority(context.votes, context.voters),
    strict: ({ context }) => context.lease !== null,
    /** Enters, in strict mode only with a lease. */
    mayEnter: ({ context: { lease } }) => lease === null || lease.since !== null,
    inside: stateIn({ client: 'inCS' }),
    entering: stateIn({ client: 'entering' }),
    asksAgain: or([stateIn({ client: 'requesting' }), 'entering']),
    waitsInVain: and([
      'following',
      or([stateIn({ client: 'requesting' }), stateIn({ client: 'withdrawn' })]),
      ({ context: { epoch }, event }) => event.type === 'OVER' && event.epoch === epoch,
    ]),
    hasNoRoom: ({ event }) => event.type === 'OVER' && event.full,
    roundIsOpen: ({ context: { lease } }) => lease !== null && lease.promises !== null,
    needsPromises: and(['strict', 'following', not('roundIsOpen'), or(['inside', 'entering'])]),
    /** With a deferred candidacy, this site promises only to a critical section that goes on. */
    mayPromise: ({ context: { lease }, event }) =>
      lease !== null && (lease.putOff === null || (event.type === 'HEARTBEAT' && event.stays)),
    isVoter: ({ context: { self, voters } }) => self in voters,
    promisesItself: and(['isVoter', or(['inside', 'mayPromise'])]),
    ofOpenRound: ({ context: { lease }, event }) =>
      event.type === 'PROMISE' && lease !== null && lease.promises !== null && event.round === lease.round,
    majorityPromised: ({ context: { lease, voters } }) =>
      lease !== null && lease.promises !== null && isMajority(lease.promises, voters),
    endsRound: ({ context: { epoch, lease }, event }) =>
      event.type === 'leaseOver' &&
      lease !== null &&
      event.epoch === epoch &&
      (event.round === lease.since || (event.round === lease.round && lease.promises !== null)),
    bound: stateIn({ lease: 'bound' }),
    wasAsked: ({ context: { lease } }) => lease !== null && lease.putOff !== null,
    diskIsLost: ({ event }) => inputOf(event)?.disk === 'lost',
    crashedBefore: ({ event }) => inputOf(event)?.disk !== 'none',
    wasForgotten: ({ event }) => inputOf(event)?.forgotten === true,
  },
});

export const requestVotes = siteSetup.enqueueActions(({ context, enqueue }) => {
  const { self, promised, membership } = context;
  const { term, version } = membership;
  const message = { type: 'VOTE_REQUEST', epoch: promised, candidate: self, term, version } as const;
  for (const target of otherVoters(context)) enqueue({ type: 'send', params: { target, message } });
});

export const sendHeartbeats = siteSetup.enqueueActions(({ context, enqueue, check }) => {
  const { epoch, root, self, lease, membership } = context;
  const { term, version } = membership;
  const of = { epoch, root, origin: self, round: lease!.round, term, version };
  const message = { type: 'HEARTBEAT', ...of, stays: check('inside') } as const;
  for (const target of otherVoters(context)) enqueue({ type: 'send', params: { target, message } });
});

export const askForPromises = siteSetup.enqueueActions(({ context, enqueue }) => {
  if (context.lease?.since === null) enqueue.raise({ type: 'heartbeat' });
});
