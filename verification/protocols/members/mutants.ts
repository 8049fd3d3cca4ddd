import { type AnyStateMachine, and, assign, not } from 'xstate';
import type { SiteId } from '../../../machines/actor.ts';
import {
  type Change,
  type Configuration,
  changed,
  compare,
  isEqual,
  isRewritten,
} from '../../../machines/members/configuration.ts';
import {
  type FoundingContext,
  type FoundingEvent,
  foundingMachine,
} from '../../../machines/members/founding.ts';
import { announce, baseAfter, type MembersContext, persist } from '../../../machines/members/members.ts';
import { editorOf } from '../../system/edit.ts';
import type { FoundingOptions, foundingPossibilities } from './founding.ts';
import { type LockContext, type LockMessage, withLock } from './lock.ts';
import { type MembersOptions, madeUp, withLiar, withLiarOfTwoIds } from './system.ts';

/*
 * A site with one rule of protocol.md, section 4, broken in each, and the smallest system that shows it. Never to be run for
 * anything else.
 */

type At = { readonly context: LockContext; readonly event: LockMessage };
type Options = Omit<MembersOptions, 'machine'>;

const site = withLock();
const { replace, remove } = editorOf(site);
const guards = (named: Readonly<Record<string, (at: At) => boolean>>): AnyStateMachine =>
  site.provide({ guards: named as object });
const actions = (named: object): AnyStateMachine => site.provide({ actions: named });

const isBelieved = site.implementations.guards['bringsNewer'] as unknown as (at: At) => boolean;
export const fourInReach: Options = {
  founders: 4,
  sites: 4,
  stands: { a: 1 },
  lockStands: {},
  changes: 1,
  change: { a: [{ remove: 'd' }] },
  liveness: true,
  reach: true,
};

/** A coordinator that writes another configuration than it should, and where it may do so. */
function writing(
  write: (context: MembersContext, change: Change) => Configuration,
  more: { readonly guard?: unknown; readonly machine?: AnyStateMachine } = {},
): AnyStateMachine {
  const of = ({ context, event }: { context: MembersContext; event: unknown }) =>
    write(context, (event as { readonly change: Change }).change);
  return editorOf(more.machine ?? site).replace('members.ready.on.change', {
    guard: more.guard ?? and(['changes', 'isHeard']),
    target: 'committing',
    actions: [
      {
        type: 'written',
        params: (at: At) => ({ configuration: of(at), parent: at.context.configuration! }),
      },
      assign((at) => {
        const { self, top } = at.context as MembersContext;
        const configuration = of(at as unknown as At);
        return {
          configuration,
          acknowledged: self in configuration.voters ? { [self]: Math.max(top, configuration.base) } : {},
        };
      }),
      persist,
      announce,
    ],
  });
}

/** The winner of a term goes on from the configuration that it holds, in its own name. */
const goesOnAtOnce = (target: 'ready' | 'committing') =>
  replace('members.candidate.always', {
    guard: 'elected',
    target,
    actions: [
      { type: 'coordinates', params: ({ context }: At) => ({ term: context.promised }) },
      assign(({ context }) => ({
        votes: {},
        acknowledged: {},
        promised: (context as MembersContext).promised,
      })),
    ],
  });

/** A vote says what its voter had promised by then, and the coordinator asks no more. */
function baseOfVotes(): AnyStateMachine {
  const counting = actions({
    countVote: assign(({ context, event }) => {
      const { votes, tops = {} } = context as MembersContext & { readonly tops?: object };
      const { voter, top } = event as unknown as { readonly voter: SiteId; readonly top: number };
      return { votes: { ...votes, [voter]: true }, tops: { ...tops, [voter]: top } };
    }),
  });
  const voting = editorOf(counting).replace('members.on.VOTE_REQUEST.1.actions.2', {
    type: 'send',
    params: ({ context: { self, top }, event }: At) => ({
      target: (event as { readonly candidate: SiteId }).candidate,
      message: { type: 'VOTE', term: (event as unknown as { readonly term: number }).term, voter: self, top },
    }),
  });
  return writing(
    (context, change) => {
      const {
        top,
        configuration,
        tops = {},
      } = context as MembersContext & { readonly tops?: Record<SiteId, number> };
      return changed(configuration!, change, Math.max(configuration!.base, top, ...Object.values(tops)));
    },
    { machine: voting },
  );
}

interface ConfigurationTold {
  readonly configuration: Configuration;
  readonly origin?: SiteId;
}

const isNewer = ({ configuration }: LockContext, event: unknown): boolean =>
  compare((event as ConfigurationTold).configuration, configuration) > 0;

/** Two coordinators at once; each may go on without the other. */
const twoCoordinators: Options = {
  ...{ founders: 3, sites: 3, stands: { a: 1, b: 1 }, lockStands: {}, changes: 1 },
  ...{ liveness: true, reach: true },
};

/** Three coordinators in turn, on links that keep their order: each may be outdone by one that comes later. */
export const threeCoordinators: Options = {
  ...{ founders: 3, sites: 3, stands: { a: 1, b: 1, c: 1 }, lockStands: {}, changes: 0 },
  ...{ liveness: true, reach: true, network: { order: 'fifo' } },
};

/**
 * Two coordinators remove one voter each, and one of the two crashes: in the end each of the four may hold another configuration, though all
 * are in reach.
 */
export const apart: Options = {
  ...{ founders: 4, sites: 4, stands: { b: 1, c: 1 }, lockStands: {}, changes: 2 },
  change: { b: [{ remove: 'd' }], c: [{ remove: 'b' }] },
  crashes: { b: 'with disk' },
  ...{ liveness: true, reach: true, network: { order: 'fifo' } },
};

/** A voter that gives its vote to a candidate which holds its own configuration or a newer one, where `also` holds of the two. */
const votingFor = (also: (counted: Configuration, own: Configuration) => boolean) =>
  guards({
    worthAVote: ({ context: { self, configuration, promised }, event }) => {
      const { term, configuration: counted } = event as unknown as ConfigurationTold & {
        readonly term: number;
      };
      const isVoter = configuration !== null && self in configuration.voters;
      return (
        isVoter && compare(counted, configuration) >= 0 && also(counted, configuration) && term > promised
      );
    },
  });

/** A site that believes more than it should. */
function believing(also: (at: At) => boolean): AnyStateMachine {
  const { bringsNewer } = site.implementations.guards as unknown as Record<string, (at: At) => boolean>;
  return guards({
    bringsNewer: (at) => bringsNewer!(at) || (isNewer(at.context, at.event) && also(at)),
  });
}

const inItsTerm = (context: MembersContext, change: Change) => ({
  ...changed(context.configuration!, change, baseAfter(context)),
  term: context.promised,
});

const three: Options = { founders: 3, sites: 3, stands: { a: 1 }, lockStands: { b: 1 }, changes: 1 };

export const mutants: Readonly<Record<string, readonly [Options, AnyStateMachine]>> = {
  'M1: a candidacy goes on though a newer configuration is adopted': [
    {
      ...three,
      stands: { a: 1, b: 1 },
      lockStands: {},
      changes: 2,
      change: { a: [{ remove: 'c' }], b: [{ remove: 'a' }] },
    },
    editorOf(
      actions({
        adopt: assign(({ context }, params) => {
          const { promised, votes } = context as MembersContext;
          const { configuration } = params as unknown as { readonly configuration: Configuration };
          return { configuration, promised: Math.max(promised, configuration.term), votes };
        }),
      }),
    ).remove('members.on.CONFIGURATION.0.target'),
  ],
  'M2: a voter acknowledges in spite of a later promise': [
    { ...three, stands: { a: 1, b: 1 }, lockStands: {}, changes: 1, keepDead: true },
    guards({
      mayAcknowledge: ({ context: { self, configuration } }) =>
        configuration !== null && self in configuration.voters,
    }),
  ],
  'M2: a voter acknowledges another configuration than it holds': [
    { ...three, stands: { a: 1 }, lockStands: {}, changes: 2, keepDead: true },
    guards({
      ofThisConfiguration: ({ event }) => (event as { readonly type: string }).type === 'ACKNOWLEDGE',
    }),
  ],
  'M2: a removed site takes it for agreed on when it is told': [
    {
      ...three,
      ...{ stands: { a: 1, b: 1 }, lockStands: {}, gossip: ['a'] },
      change: { a: [{ remove: 'c' }], b: [] },
    },
    replace('members.following.always.guard', and(['isMember', not('isVoter')])),
  ],
  'M3: a vote under an older configuration': [
    { ...three, lockStands: { c: 2 }, changes: 1, keepDead: true },
    guards({
      worthALockVote: ({ context: { top, configuration }, event }) =>
        event.type === 'LOCK_VOTE_REQUEST' &&
        compare(event.configuration, configuration) <= 0 &&
        event.epoch > top,
    }),
  ],
  'M3: a term is voted for twice': [
    { ...three, stands: { a: 1, b: 1 }, lockStands: {}, keepDead: true },
    guards({
      worthAVote: ({ context: { configuration, promised }, event: said }) => {
        const event = said as unknown as { readonly configuration: Configuration; readonly term: number };
        return compare(event.configuration, configuration) === 0 && event.term >= promised;
      },
    }),
  ],
  'M3: epochs at or below the base are voted for': [
    { founders: 1, sites: 2, stands: { a: 1 }, lockStands: { a: 1, b: 1 }, changes: 2, keepDead: true },
    actions({
      standForEpoch: assign(({ context }) => {
        const { self, top, configuration } = context as LockContext;
        const { term, version } = configuration!;
        return { top: top + 1, candidacy: { term, version, votes: { [self]: true } } };
      }),
    }).provide({ guards: { aboveBase: () => true } }),
  ],
  'M4: a change is begun before the own term is committed (the known bug of single-server changes)': [
    {
      founders: 4,
      sites: 5,
      stands: { a: 1, b: 1 },
      lockStands: {},
      changes: 1,
      change: { a: [{ add: 'e' }], b: [{ remove: 'a' }] },
    },
    writing(inItsTerm, { machine: goesOnAtOnce('ready') }),
  ],
  'M4: the base is not raised': [
    three,
    writing((context, change) => changed(context.configuration!, change, context.configuration!.base)),
  ],
  'M4: the base counts no acknowledgement but the own': [
    three,
    writing((context, change) =>
      changed(context.configuration!, change, Math.max(context.configuration!.base, context.top)),
    ),
  ],
  'M4: the base is of the votes that elected the coordinator': [{ ...three, founders: 3 }, baseOfVotes()],
  'M4: two voters at once': [
    { ...three, founders: 1, changes: 1, lockStands: { a: 1, b: 1 } },
    writing((context, change) => {
      const next = changed(context.configuration!, change, baseAfter(context));
      return { ...next, voters: { ...next.voters, b: true, c: true } };
    }),
  ],
  'M4: a change is begun before the one before is committed': [
    { founders: 3, sites: 3, stands: { a: 1 }, lockStands: { b: 1, c: 1 }, changes: 2 },
    guards({ isCommitted: () => true }),
  ],
  'M4: a later promise does not end the role': [
    { ...three, stands: { a: 1, b: 1 }, lockStands: {}, changes: 1 },
    remove('members.on.VOTE_REQUEST.1.target'),
  ],
  'M4a: a site that joined later begins in epoch 0': [
    { founders: 1, sites: 2, stands: { a: 1 }, lockStands: {}, changes: 1, first: true },
    guards({
      hasFirstToken: ({ context: { self, top, configuration, firstRoot } }) =>
        configuration !== null &&
        self in configuration.voters &&
        top === 0 &&
        (self === firstRoot || configuration.version > 1),
    }),
  ],
  'M3: no vote is given to a candidate that alone says that it wrote the configuration again': [
    twoCoordinators,
    votingFor((counted, own) => isEqual(counted, own)),
  ],
  'M3: a vote is given to a candidate with other voters, that is not believed': [
    {
      ...withLiar,
      liar: {
        site: 'c',
        lies: [
          { type: 'VOTE_REQUEST', term: 5, candidate: 'c', configuration: madeUp },
          { type: 'CONFIGURATION', configuration: madeUp, origin: 'c' },
        ],
      },
    },
    votingFor(() => true),
  ],
  'M6: a coordinator is not told that a later term was promised': [
    threeCoordinators,
    replace('members.on.CONFIGURATION.1.actions', 'keepTold'),
  ],
  'M1: an adopted configuration is not written down': [
    { ...three, stands: { a: 1 }, lockStands: { b: 1 }, changes: 1, crashes: { c: 'with disk' } },
    remove('members.on.CONFIGURATION.0.actions.1'),
  ],
  'M3: a vote is not written down': [
    { ...three, stands: { a: 1, b: 1 }, lockStands: {}, changes: 0, crashes: { c: 'with disk' } },
    remove('members.on.VOTE_REQUEST.1.actions.1'),
  ],
  'an emptied disk under the old id': [
    { ...three, stands: {}, changes: 0, lockStands: { a: 1, b: 1 }, crashes: { c: 'emptied' } },
    site,
  ],
  'an old copy of the disk': [
    {
      ...three,
      stands: { a: 1 },
      changes: 1,
      lockStands: { a: 1, b: 1 },
      crashes: { c: 'with an old disk' },
    },
    site,
  ],
  'M4b: a site is added that nobody has heard': [
    {
      founders: 3,
      sites: 4,
      stands: { a: 1 },
      lockStands: {},
      changes: 1,
      change: { a: [{ add: 'd' }] },
      liveness: true,
    },
    replace('members.ready.on.change.guard', 'changes'),
  ],
  'M6: a site takes every voter for one in reach': [
    fourInReach,
    guards({
      bringsNewer: ({ context, event }) =>
        isBelieved({ context: { ...context, reach: context.configuration?.voters ?? {} }, event }),
    }),
  ],
  'M6: one site alone is believed though others are in reach': [
    withLiar,
    guards({ bringsNewer: ({ context, event }) => isNewer(context, event) }),
  ],
  'M6: one site alone is believed by a REFUSE': [
    withLiar,
    believing(({ event }) => (event as { readonly type: string }).type === 'REFUSE'),
  ],
  'M6: a coordinator is believed whatever it writes': [
    withLiar,
    believing(({ context, event }) => {
      const { votedFor, promised } = context;
      const { origin, configuration } = event as unknown as ConfigurationTold;
      return origin !== undefined && origin === votedFor && configuration.term === promised;
    }),
  ],
  'M6: a site that says it twice is taken for two': [
    withLiar,
    believing(({ context: { told }, event }) => {
      const { configuration } = event as unknown as ConfigurationTold;
      return Object.values(told).some((one) => isEqual(one, configuration));
    }),
  ],
  'M6: a site that says it again under another id is taken for two': [
    withLiarOfTwoIds,
    believing(({ context: { told }, event }) => {
      const { configuration, origin } = event as unknown as ConfigurationTold;
      return Object.entries(told).some(([site, one]) => site !== origin && isEqual(one, configuration));
    }),
  ],
};

/** A mutant that shows only in a system that takes long. */
export const slowMutants: Readonly<Record<string, readonly [Options, AnyStateMachine]>> = {
  'M3: no vote is given to a candidate whose configuration another site tells too': [
    apart,
    votingFor((counted, own) => isRewritten(counted, own)),
  ],
};

const two = { a: ['a1'], b: ['b1'] };
const proposerLost = { a: ['a1', 'a2'], b: ['b1'] };
export const proposerOfThreeLost: FoundingOptions = {
  ids: { ...proposerLost, c: ['c1'] },
  generations: 2,
  onlyProposersMeet: true,
};
const otherLost = { a: ['a1'], b: ['b1', 'b2'] };
export const joiner = { self: 'j', id: 'j1' };

type FoundingAt = { readonly context: FoundingContext; readonly event: FoundingEvent };
const foundingGuards = (named: Readonly<Record<string, (at: FoundingAt) => boolean>>): AnyStateMachine =>
  foundingMachine.provide({ guards: named as object });
const foundingEditor = editorOf(foundingMachine);

/** No promise is broken, and from some state a founder can never come to know that the cluster is founded. */
export const stuckFoundingMutants = {
  'M8: a proposer that was started again waits for what it proposed before': [
    'all founders can come to know that the cluster is founded',
    { ids: two, crashes: 1 },
    foundingEditor.replace('waiting.on.found.guard', and(['isProposer', 'knowsAll', 'isNewToProposal'])),
  ],
  'M8: a founder that accepted another founding since ignores what it is told': [
    'a founder that knows of a founding can tell the others, whatever they accepted since',
    proposerOfThreeLost,
    foundingGuards({ wasAccepted: () => false }),
  ],
  'M8: a site that was met before the cluster was founded is not told of it': [
    'a site that is no founder can come to know of the cluster, though it is met no more',
    { ids: two, joiner },
    foundingMachine.provide({ actions: { noteJoiner: assign({}) } }),
  ],
} satisfies Readonly<
  Record<string, readonly [keyof typeof foundingPossibilities, FoundingOptions, AnyStateMachine]>
>;

/** Mutants of the founding of a cluster. */
export const foundingMutants: Readonly<
  Record<string, readonly [Omit<FoundingOptions, 'machine'>, AnyStateMachine]>
> = {
  'M8: a majority founds': [
    { ids: { a: ['a1'], b: ['b1'], c: ['c1'] } },
    foundingGuards({
      acceptedByAll: ({ context: { accepted, voters } }) =>
        accepted !== null && Object.keys(voters).length > 1,
    }),
  ],
  'M8: it is proposed before all founders are known': [
    { ids: two },
    foundingGuards({ knowsAll: () => true }),
  ],
  'M8: a founding of a lower generation is accepted': [
    { ids: proposerLost },
    foundingGuards({
      acceptable: ({ context: { self, id }, event }) => event.type === 'PROPOSE' && event.ids[self] === id,
    }),
  ],
  'M8: a founding that names another id is accepted': [
    { ids: otherLost },
    foundingGuards({
      acceptable: ({ context: { accepted }, event }) =>
        event.type === 'PROPOSE' && event.generation > (accepted?.generation ?? 0),
    }),
  ],
  'M8: a founder that knows of a founding accepts another': [
    { ids: proposerLost },
    foundingEditor.remove('founded.on.PROPOSE'),
  ],
  'M8: late news of a founding undo a later acceptance': [
    { ids: proposerLost },
    foundingGuards({
      wasAccepted: ({ context: { self, id }, event }) => event.type === 'FOUNDED' && event.ids[self] === id,
    }),
  ],
  'M8: an acceptance of an earlier proposal counts': [
    { ids: otherLost, generations: 2 },
    foundingGuards({
      ofThisProposal: ({ event }) => event.type === 'ACCEPTED',
      acceptedByAll: ({ context: { accepted, voters, founders } }) =>
        accepted !== null && Object.keys(voters).length >= Object.keys(founders).length,
    }),
  ],
  'M8: a restart forgets what was accepted': [
    { ids: proposerLost, crashes: 1, generations: 2 },
    foundingEditor.remove('on.PROPOSE.0.actions.1'),
  ],
  'M8: a lock is used before a majority knows of the founding': [
    { ids: { a: ['a1'], b: ['b1'], c: ['c1'] } },
    foundingGuards({ knownByMajority: () => true }),
  ],
  'M9: the generation of a founding anew is by the clock alone': [
    { ids: two, anew: { b1: 'b9' } },
    foundingMachine.provide({
      actions: {
        beginAnew: assign(({ context }, params) => {
          const { self } = context as FoundingContext;
          const { least, id } = params as unknown as { readonly least: number; readonly id: string };
          const ids = { [self]: id };
          const alone = { founders: { [self]: true as const }, proposer: self, known: ids };
          return { id, ...alone, accepted: { generation: least, ids }, voters: {}, knowers: {} };
        }) as never,
      },
    }),
  ],
  'M9: an earlier founding supersedes a later one': [
    { ids: two, anew: { b1: 'b9' } },
    foundingGuards({
      supersedes: ({ context: { self, id, accepted }, event }) =>
        event.type === 'FOUNDED' && accepted !== null && event.ids[self] !== id,
    }),
  ],
  'M9: a restart forgets that its cluster was founded anew': [
    { ids: two, anew: { b1: 'b9' }, crashes: 1 },
    editorOf(foundingEditor.remove('founded.on.FOUNDED.0.actions.1')).remove('on.FOUNDED.0.actions.1'),
  ],
  'M9: an id that accepted a founding joins another cluster': [
    { ids: { a: ['a1'], b: ['b1'], c: ['c1'] }, anew: { a1: 'a9' } },
    foundingGuards({ supersedes: () => false }),
  ],
  'M9: a site heeds the founding that it was told of last': [
    { ids: two, anew: { b1: 'b9' }, joiner },
    foundingGuards({
      excludes: ({ context: { self, id }, event }) => event.type === 'FOUNDED' && event.ids[self] !== id,
    }),
  ],
  'M8: a restart forgets that the cluster is founded': [
    { ids: proposerLost, crashes: 1, generations: 2 },
    foundingGuards({ wasFounded: () => false, wasSettled: () => false }),
  ],
};
