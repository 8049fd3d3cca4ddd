import { and, assign, enqueueActions, not, raise, type SnapshotFrom, setup } from 'xstate';
import type { SiteId } from '../actor.ts';
import {
  type Change,
  type Configuration,
  changed,
  compare,
  isChange,
  isEqual,
  isQuorum,
  isRewritten,
  mayFollow,
  nameOf,
  type SiteSet,
} from './configuration.ts';
import type { MembersDisk, MembersEffect, MembersEvent, MembersMessage } from './messages.ts';

export interface MembersContext {
  readonly self: SiteId;
  /**
   * The newest configuration that was adopted or written here. Persistent. `null`: this site has joined no
   * cluster yet.
   */
  readonly configuration: Configuration | null;
  /** The highest term that this site stood for, voted for or adopted. Persistent. */
  readonly promised: number;
  /** The highest epoch of any lock that this site ever promised. Persistent. */
  readonly top: number;
  /** The sites that voted for this candidate; empty if this site is no candidate. */
  readonly votes: SiteSet;
  /** The acknowledgements of the configuration that this coordinator wrote last, or that has not this site as a voter, each with its `top`. */
  readonly acknowledged: Readonly<Record<SiteId, number>>;
  /** The sites that asked to join. */
  readonly heard: SiteSet;
  /**
   * The candidate that this site voted for in the term that it has promised. `null`: it gave no vote in this
   * run.
   */
  readonly votedFor: SiteId | null;
  /** The reachable voters, as reported by the driver. */
  readonly reach: SiteSet;
  /** The newer configuration that each site told last and that is not believed here yet (M6). Sites of one name count as one. */
  readonly told: Readonly<Record<SiteId, Configuration>>;
}

export interface MembersSettings {
  readonly self: SiteId;
  /** The reachable voters at the start. Default: none. */
  readonly reach?: SiteSet;
  /** The data that an earlier run of this very site left. A founder starts with the first configuration. */
  readonly disk: MembersDisk;
}

export const noDisk: MembersDisk = { configuration: null, promised: 0, top: 0 };

type Of<Type extends MembersEvent['type']> = Extract<MembersEvent, { type: Type }>;
type At<Event = MembersEvent> = { readonly context: MembersContext; readonly event: Event };
type Send = { readonly target: SiteId; readonly message: MembersMessage };
type Effect<Type extends MembersEffect['type']> = Omit<Extract<MembersEffect, { type: Type }>, 'type'>;

/** The configuration that a message carries, or `null`. */
const brought = (event: MembersEvent): Configuration | null =>
  'configuration' in event ? event.configuration : null;

/** The site that states that it holds the configuration of a message. A REFUSE does not name it. */
const tellerOf = (event: MembersEvent): SiteId | null => {
  if (event.type === 'CONFIGURATION') return event.origin;
  return event.type === 'VOTE_REQUEST' ? event.candidate : null;
};

/**
 * M6: a site that is no voter believes the first that makes it one. A voter believes the coordinator that it voted for, and any site that says
 * that this one has written its configuration again; two sites that say the same; and one alone where the other voters in reach are no
 * majority: without that site they could not decide.
 */
function isBelieved(
  { configuration, self, promised, votedFor, reach, told }: MembersContext,
  event: MembersEvent,
) {
  const came = brought(event)!;
  const teller = tellerOf(event);
  if (configuration === null || (!(self in configuration.voters) && self in came.voters)) return true;
  const isOfVote = votedFor !== null && came.term === promised;
  if (isOfVote && (teller === votedFor ? mayFollow(came, configuration) : isRewritten(came, configuration)))
    return true;
  const agree = Object.keys(configuration.voters).filter(
    (voter) => voter === self || (voter in reach && voter !== teller),
  );
  if (!isQuorum(Object.fromEntries(agree.map((voter) => [voter, true])), configuration)) return true;
  return (
    teller !== null &&
    Object.entries(told).some(([site, one]) => nameOf(site) !== nameOf(teller) && isEqual(one, came))
  );
}

/**
 * Another site than the candidate has told its configuration, under whatever term, or one that follows it by one change: quorums of the two
 * meet.
 */
const isToldTwice = (
  { candidate, configuration: counted }: Of<'VOTE_REQUEST'>,
  told: MembersContext['told'],
) =>
  Object.entries(told).some(
    ([site, one]) =>
      nameOf(site) !== nameOf(candidate) &&
      (isRewritten(one, counted) || (one.version === counted.version + 1 && mayFollow(one, counted))),
  );

const topOf = ({ top, configuration }: MembersContext) => Math.max(top, configuration!.base);

/**
 * The acknowledgements with which a coordinator starts after it has written a configuration: its own, if it
 * is a voter.
 */
const ownAcknowledgement = ({ self, top }: MembersContext, { voters, base }: Configuration) =>
  self in voters ? { [self]: Math.max(top, base) } : {};

/** The maximum of the base and the acknowledged epochs: no epoch above it has been decided so far. */
export const baseAfter = ({ configuration, acknowledged }: MembersContext) =>
  Math.max(configuration!.base, ...Object.values(acknowledged));

const writing = (context: MembersContext, configuration: Configuration): Partial<MembersContext> => ({
  configuration,
  votes: {},
  acknowledged: ownAcknowledgement(context, configuration),
});

export const persist = {
  type: 'persist',
  params: ({ context: { configuration, promised, top } }: At): MembersDisk => ({
    configuration,
    promised,
    top,
  }),
} as const;

const configured = {
  type: 'configured',
  params: ({ context }: At): Effect<'configured'> => ({ configuration: context.configuration! }),
} as const;

export const membersSetup = setup({
  types: {} as { context: MembersContext; events: MembersEvent; input: MembersSettings },
  actions: {
    send: (_, _params: Send) => {},
    persist: (_, _params: MembersDisk) => {},
    configured: (_, _params: Effect<'configured'>) => {},
    coordinates: (_, _params: Effect<'coordinates'>) => {},
    written: (_, _params: Effect<'written'>) => {},
    committed: (_, _params: Effect<'committed'>) => {},
    processAgain: raise(({ event }) => event),
    /**
     * M1: adopting includes a promise to the configuration's term. It ends any candidacy, and the right to
     * change the voters under an older configuration.
     */
    adopt: assign(({ context }, { configuration }: { configuration: Configuration }) => ({
      configuration,
      promised: Math.max(context.promised, configuration.term),
      votes: {},
      acknowledged: {},
      votedFor: configuration.term > context.promised ? null : context.votedFor,
      told: Object.fromEntries(
        Object.entries(context.told).filter(([, one]) => compare(one, configuration) > 0),
      ),
    })),
    promise: assign((_, { term, candidate = null }: { term: number; candidate?: SiteId | null }) => ({
      promised: term,
      votes: {},
      acknowledged: {},
      votedFor: candidate,
    })),
    /** M6: keeps the configuration until a second site states the same, or the other voters in reach are no majority. */
    keepTold: assign(({ context: { told }, event }) => {
      const teller = tellerOf(event)!;
      const others = Object.entries(told).filter(
        ([site]) => site === teller || nameOf(site) !== nameOf(teller),
      );
      return { told: { ...Object.fromEntries(others), [teller]: brought(event)! } };
    }),
    putReach: assign((_, { sites }: { sites: SiteSet }) => ({ reach: sites })),
    hearAgain: enqueueActions(({ context: { told }, enqueue }) => {
      for (const [origin, configuration] of Object.entries(told))
        enqueue.raise({ type: 'CONFIGURATION', configuration, origin });
    }),
    standForNext: assign(({ context: { self, promised } }) => ({
      promised: promised + 1,
      votes: { [self]: true as const },
      acknowledged: {},
      votedFor: null,
    })),
    countVote: assign(({ context: { votes } }, { voter }: { voter: SiteId }) => ({
      votes: { ...votes, [voter]: true as const },
    })),
    /** M4: writes the same voters and base under the coordinator's own term. */
    rewrite: assign(({ context }) => writing(context, { ...context.configuration!, term: context.promised })),
    writeChange: assign(({ context }, { change }: { change: Change }) =>
      writing(context, changed(context.configuration!, change, baseAfter(context))),
    ),
    countAcknowledgement: assign(
      ({ context: { acknowledged } }, { voter, top }: { voter: SiteId; top: number }) => ({
        acknowledged: { ...acknowledged, [voter]: top },
      }),
    ),
    hear: assign(({ context: { heard } }, { site }: { site: SiteId }) => ({
      heard: { ...heard, [site]: true as const },
    })),
    raiseTop: assign(({ context: { top } }, { epoch }: { epoch: number }) => ({ top: Math.max(top, epoch) })),
  },
  guards: {
    isMember: ({ context }) => context.configuration !== null,
    isVoter: ({ context: { self, configuration } }) => configuration !== null && self in configuration.voters,
    bringsNewer: ({ context, event }) =>
      compare(brought(event), context.configuration) > 0 && isBelieved(context, event),
    /** M6: evaluated only after `bringsNewer` was false. */
    isDoubted: ({ context, event }) => compare(brought(event), context.configuration) > 0,
    /** Another term was promised here since this configuration was written. */
    isOfEarlierTerm: ({ context, event }) => brought(event)!.term < context.promised,
    bringsOlder: ({ context, event }) => compare(brought(event), context.configuration) < 0,
    /**
     * M3: a vote is given only under the configuration in which the candidate counts, or under the same of an earlier term, or where another
     * site tells the same or the change after it, whatever the term (M6). That one is not adopted by the vote: the candidate alone says that
     * it was written again.
     * (`base` binds the locks, not the terms.)
     */
    worthAVote: and([
      'isVoter',
      ({ context: { configuration, promised, told }, event }) =>
        event.type === 'VOTE_REQUEST' &&
        compare(event.configuration, configuration) >= 0 &&
        (isRewritten(event.configuration, configuration!) || isToldTwice(event, told)) &&
        event.term > promised,
    ]),
    /** M2: this site votes in the configuration and has promised no later term. */
    mayAcknowledge: and([
      'isVoter',
      ({ context: { configuration, promised } }) => promised === configuration!.term,
    ]),
    outdone: ({ context, event }) => event.type === 'REFUSE' && event.term > context.promised,
    forThisCandidacy: ({ context, event }) => event.type === 'VOTE' && event.term === context.promised,
    elected: ({ context: { votes, configuration } }) => isQuorum(votes, configuration!),
    ofThisConfiguration: ({ context: { configuration }, event }) =>
      event.type === 'ACKNOWLEDGE' && compare(event, configuration) === 0,
    isCommitted: ({ context: { acknowledged, configuration } }) => isQuorum(acknowledged, configuration!),
    changes: ({ context: { configuration }, event }) =>
      event.type === 'change' && isChange(configuration!, event.change),
    /**
     * M4b: only a site that has been heard from is added. An unreachable voter could take the majority from a
     * cluster that has one.
     */
    isHeard: ({ context: { heard }, event }) =>
      event.type === 'change' && (!('add' in event.change) || event.change.add in heard),
    raisesTop: ({ context, event }) => event.type === 'promised' && event.epoch > context.top,
  },
});

const send = <Type extends MembersEvent['type']>(to: (at: At<Of<Type>>) => Send) =>
  ({ type: 'send', params: to }) as const;

const acknowledge = send<'CONFIGURATION'>(({ context, event }) => ({
  target: event.origin,
  message: {
    type: 'ACKNOWLEDGE',
    term: context.configuration!.term,
    version: context.configuration!.version,
    voter: context.self,
    top: topOf(context),
  },
}));

const configurationTo = (target: SiteId, { configuration, self }: MembersContext): Send => ({
  target,
  message: { type: 'CONFIGURATION', configuration: configuration!, origin: self },
});

const refuse = <Type extends 'CONFIGURATION' | 'VOTE_REQUEST' | 'JOIN'>(
  target: (event: Of<Type>) => SiteId,
) =>
  send<Type>(({ context, event }) => ({
    target: target(event),
    message: { type: 'REFUSE', term: context.promised, configuration: context.configuration! },
  }));

export const requestVotes = membersSetup.enqueueActions(({ context, enqueue }) => {
  const { self, promised, configuration } = context;
  const message = {
    type: 'VOTE_REQUEST',
    term: promised,
    candidate: self,
    configuration: configuration!,
  } as const;
  for (const target of Object.keys(configuration!.voters)) {
    if (target !== self) enqueue({ type: 'send', params: { target, message } });
  }
});

/** The writer of a configuration sends it to all of its voters. */
export const announce = membersSetup.enqueueActions(({ context, enqueue }) => {
  for (const target of Object.keys(context.configuration!.voters)) {
    if (target !== context.self) enqueue({ type: 'send', params: configurationTo(target, context) });
  }
});

const stand = {
  guard: 'isVoter',
  target: '#members.candidate',
  actions: ['standForNext', persist, requestVotes],
} as const;

/** M1: the rest of the message is handled under the configuration that it carries. */
export const adoptBrought = [
  { type: 'adopt', params: ({ event }: At) => ({ configuration: brought(event)! }) },
  persist,
  configured,
  'processAgain',
] as const;

const committed = {
  type: 'committed',
  params: ({ context }: At): Effect<'committed'> => ({ configuration: context.configuration! }),
} as const;

/**
 * The part of one site in changes of the voters (protocol.md, section 4: M1 to M4, M6). A coordinator is elected, as in
 * Raft, by a quorum of the configuration that it holds; it writes that configuration again under its own term, and has
 * a quorum acknowledge it, before it changes it by one voter; and so on, each time from a configuration that is
 * committed.
 *
 * - `following`: it votes, adopts and acknowledges.
 * - `outside`: it is no voter, and a quorum of the voters has acknowledged that to it.
 * - `candidate`: it stands for the term that it has promised.
 * - `committing`: it has won that term, and waits for the acknowledgements of the configuration that it wrote last.
 * - `ready`: that is committed, and may be changed.
 */
export const membersMachine = membersSetup.createMachine({
  id: 'members',
  context: ({ input: { self, disk, reach = {} } }): MembersContext => ({
    self,
    ...disk,
    votes: {},
    acknowledged: {},
    heard: {},
    votedFor: null,
    reach,
    told: {},
  }),
  initial: 'following',
  on: {
    CONFIGURATION: [
      { guard: 'bringsNewer', target: '.following', actions: adoptBrought },
      // A coordinator whose term is over stands above it, or all that hold its configuration refuse the others for ever.
      {
        guard: and(['isDoubted', 'isOfEarlierTerm']),
        actions: ['keepTold', refuse<'CONFIGURATION'>(({ origin }) => origin)],
      },
      { guard: 'isDoubted', actions: 'keepTold' },
      {
        guard: 'bringsOlder',
        actions: send<'CONFIGURATION'>(({ context, event }) => configurationTo(event.origin, context)),
      },
      { guard: 'mayAcknowledge', actions: acknowledge },
      { guard: 'isVoter', actions: refuse<'CONFIGURATION'>(({ origin }) => origin) },
      {},
    ],
    VOTE_REQUEST: [
      { guard: 'bringsNewer', target: '.following', actions: adoptBrought },
      {
        guard: 'worthAVote',
        target: '.following',
        actions: [
          { type: 'promise', params: ({ event }) => event },
          persist,
          send<'VOTE_REQUEST'>(({ context, event }) => ({
            target: event.candidate,
            message: { type: 'VOTE', term: event.term, voter: context.self },
          })),
        ],
      },
      // The candidate learns what is promised here, and can stand above it.
      {
        guard: 'isDoubted',
        actions: ['keepTold', refuse<'VOTE_REQUEST'>(({ candidate }) => candidate)],
      },
      { actions: refuse<'VOTE_REQUEST'>(({ candidate }) => candidate) },
    ],
    REFUSE: [
      { guard: 'bringsNewer', target: '.following', actions: adoptBrought },
      {
        guard: and(['isMember', 'outdone']),
        target: '.following',
        actions: [{ type: 'promise', params: ({ event }) => event }, persist],
      },
      {},
    ],
    VOTE: {},
    ACKNOWLEDGE: {},
    tell: {
      guard: 'isMember',
      actions: send<'tell'>(({ context, event }) => configurationTo(event.peer, context)),
    },
    join: {
      guard: not('isVoter'),
      actions: send<'join'>(({ context, event }) => ({
        target: event.peer,
        message: { type: 'JOIN', site: context.self },
      })),
    },
    JOIN: { actions: { type: 'hear', params: ({ event }) => event } },
    reach: { actions: [{ type: 'putReach', params: ({ event }) => event }, 'hearAgain'] },
    promised: {
      guard: 'raisesTop',
      actions: [{ type: 'raiseTop', params: ({ event }) => event }, persist],
    },
  },
  states: {
    following: {
      on: {
        stand,
        ACKNOWLEDGE: {
          guard: and([not('isVoter'), 'ofThisConfiguration']),
          actions: { type: 'countAcknowledgement', params: ({ event }) => event },
        },
      },
      always: {
        guard: and(['isMember', not('isVoter'), 'isCommitted']),
        target: 'outside',
        actions: committed,
      },
    },
    outside: {},
    candidate: {
      on: {
        stand,
        VOTE: {
          guard: 'forThisCandidacy',
          actions: { type: 'countVote', params: ({ event }) => event },
        },
      },
      always: {
        guard: 'elected',
        target: 'committing',
        actions: [
          { type: 'coordinates', params: ({ context }) => ({ term: context.promised }) },
          {
            type: 'written',
            params: ({ context: { configuration, promised } }) => ({
              configuration: { ...configuration!, term: promised },
              parent: configuration!,
            }),
          },
          'rewrite',
          persist,
          configured,
          announce,
        ],
      },
    },
    committing: {
      on: {
        ACKNOWLEDGE: {
          guard: 'ofThisConfiguration',
          actions: { type: 'countAcknowledgement', params: ({ event }) => event },
        },
      },
      always: { guard: 'isCommitted', target: 'ready', actions: committed },
    },
    ready: {
      on: {
        ACKNOWLEDGE: {
          guard: 'ofThisConfiguration',
          actions: { type: 'countAcknowledgement', params: ({ event }) => event },
        },
        change: {
          guard: and(['changes', 'isHeard']),
          target: 'committing',
          actions: [
            {
              type: 'written',
              params: ({ context, event }) => ({
                configuration: changed(context.configuration!, event.change, baseAfter(context)),
                parent: context.configuration!,
              }),
            },
            { type: 'writeChange', params: ({ event }) => event },
            persist,
            configured,
            announce,
          ],
        },
      },
    },
  },
});

export type MembersSnapshot = SnapshotFrom<typeof membersMachine>;
