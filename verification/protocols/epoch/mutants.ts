import { type AnyStateMachine, and, assign } from 'xstate';
import type { MembersChange, SiteMessage } from '../../../machines/epoch/messages.ts';
import { noRoomMachine } from '../../../machines/epoch/no-room.ts';
import { type SiteContext, siteMachine } from '../../../machines/epoch/site.ts';
import { grant, handOn } from '../../../machines/epoch/steps.ts';
import { adopted, configured, counting, promising } from '../../../machines/epoch/variables.ts';
import { handOver, joinedLine, withoutToken, withToken } from '../../../machines/line/rule.ts';
import { editorOf } from '../../system/edit.ts';
import type { System } from '../../system/system.ts';
import type { ForgettingOptions } from './forgetting.ts';
import type { EpochMembersOptions } from './members.ts';
import type { OverOptions } from './over.ts';
import { type EpochOptions, epoch, epochFences, epochOvertaking } from './system.ts';

/*
 * The site machine with one rule of protocol.md, section 3, broken in each, and the smallest system that shows
 * it. Never to be run for anything else. A mutant reads as a diff: what is named or stands somewhere in the
 * statechart, and what stands there now.
 */

const { part, replace, remove } = editorOf(siteMachine);

type At = { readonly context: SiteContext; readonly event: SiteMessage };
type Star = Parameters<typeof adopted>[1];

const guards = (named: Readonly<Record<string, (at: At) => boolean>>): AnyStateMachine =>
  siteMachine.provide({ guards: named as object });
const actions = (named: object): AnyStateMachine => siteMachine.provide({ actions: named });
/** R2 with something else put into it. */
const adopting = (change: (before: SiteContext, to: Star) => Partial<SiteContext>): AnyStateMachine =>
  actions({
    adopt: assign((at, to) => {
      const { context } = at as unknown as At;
      return { ...adopted(context, to as unknown as Star), ...change(context, to as unknown as Star) };
    }),
  });
/** R6 with another way to count a vote. */
const countingVotes = (
  count: (before: SiteContext, voter: string, holds: number | null) => Partial<SiteContext>,
): AnyStateMachine =>
  actions({
    countVote: assign((at, params) => {
      const { voter, holds } = params as unknown as { voter: string; holds: number | null };
      return count((at as unknown as At).context, voter, holds);
    }),
  });

/** R12 with something else done to the line: of these two each is told the context before. */
const surrendering = (change: (before: SiteContext) => Partial<SiteContext>): AnyStateMachine =>
  actions({
    surrenderToken: assign((at) => {
      const { context } = at as unknown as At;
      return { k: 0, ...withoutToken(context.line), ...change(context) };
    }),
  });
const keeping = (change: (before: SiteContext, token: Token) => Partial<SiteContext>): AnyStateMachine =>
  actions({
    keepToken: assign((at, params) => {
      const { context } = at as unknown as At;
      const token = params as unknown as Token;
      return { k: token.k, ...withToken(context.line, token.line), ...change(context, token) };
    }),
  });
type Token = Extract<SiteMessage, { type: 'TOKEN' }>;
/** The token to the first of `order`. */
const handingOn = (order: (line: readonly string[], self: string) => readonly string[]) => ({
  type: 'send',
  params: ({ context: { epoch, root, k, line, self } }: At) => {
    const to = handOver(order(line, self));
    return { target: to.target, message: { type: 'TOKEN', epoch, root, k, line: to.line } };
  },
});

/** Where a mutant is let loose. */
export type Place =
  | 'one change'
  | 'four sites'
  | 'with dead messages'
  | 'two changes'
  | 'with disk'
  | 'without disk'
  | 'counted'
  | 'combined'
  | 'combined and counted'
  | 'overtaking';

const places: Readonly<Record<Place, Partial<EpochOptions>>> = {
  'one change': { crashes: 'none' },
  'four sites': { sites: 4, crashes: 'none' },
  'with dead messages': { crashes: 'none', keepDead: true },
  'two changes': { crashes: 'none', changes: 2 },
  'with disk': { restart: 'with disk' },
  'without disk': { restart: 'without disk', crashes: 'all' },
  counted: { crashes: 'none' },
  combined: { crashes: 'none', inARow: 'unbounded' },
  'combined and counted': { sites: 2, crashes: 'none', inARow: 1 },
  overtaking: {},
};

export function systemWith(machine: AnyStateMachine, place: Place): System {
  const whole = { sites: 3, network: { order: 'fifo' }, machine, keepFrozen: true } as const;
  const options: EpochOptions = { ...whole, ...places[place] };
  if (place === 'overtaking') return epochOvertaking(options);
  if (place === 'counted') return epochFences({ ...options, asks: 2 });
  return place === 'combined and counted' ? epochFences({ ...options, asks: 1 }) : epoch(options);
}

/** A request to the site that gets the token. */
const requestOfFirst = {
  type: 'send',
  params: ({ context: { epoch, root, self, line } }: At) => ({
    target: line[0]!,
    message: { type: 'REQUEST', epoch, root, origin: self },
  }),
};

export const mutants: Readonly<Record<string, readonly [Place, AnyStateMachine]>> = {
  'R0: a message below the promise is heard': ['with dead messages', guards({ isBelowPromise: () => false })],
  'R1: a newer epoch is not adopted': ['one change', guards({ newer: () => false })],
  'R2: every site that adopts makes the token': ['one change', adopting(() => ({ token: true }))],
  'R2: the line is kept': ['one change', adopting(({ line }) => ({ line }))],
  'R2: the token of before is kept': [
    'one change',
    adopting(({ self, token }, { root }) => ({ token: token || root === self })),
  ],
  'R2: a waiting root does not enter': [
    'one change',
    replace('client.requesting.on.adopted.0', { guard: 'isRoot' }),
  ],
  'R2: nobody is told that the section is lost': ['one change', remove('client.inCS.on.adopted.1')],
  'R2: the fence rises inside a critical section': [
    'counted',
    replace('client.inCS.on.adopted.0', { guard: 'isRoot', actions: 'countEntry' }),
  ],
  'R3: a frozen holder hands the token on': [
    'four sites',
    replace('client.inCS.on.release.0.guard', 'someoneWaits'),
  ],
  'R4: a candidate does not promise what it stands for': [
    'two changes',
    actions({
      standForNext: assign((at) => {
        const { self, promised, epoch: now, token } = (at as unknown as At).context;
        return {
          ...promising(Math.max(promised, now + 1)),
          ...counting({ votes: {}, holder: null }, self, token ? now : null),
        };
      }),
    }),
  ],
  'R5: a vote is given twice': [
    'with dead messages',
    guards({
      worthAVote: ({ context, event }) =>
        event.type === 'VOTE_REQUEST' && event.epoch >= context.promised && event.epoch > context.epoch,
    }),
  ],
  'R5: a voter does not freeze': ['one change', remove('epoch.on.VOTE_REQUEST.1.target')],
  'R6: a vote alone elects': ['one change', guards({ elected: () => true })],
  'R6: the winner takes the token from any holder': [
    'one change',
    countingVotes((before, voter) => counting(before, voter, null)),
  ],
  'R6: the token of the lowest epoch counts': [
    'two changes',
    countingVotes((before, voter, holds) => ({
      ...counting(before, voter, null),
      ...(holds !== null && holds <= (before.holder?.epoch ?? holds)
        ? { holder: { site: voter, epoch: holds } }
        : {}),
    })),
  ],
  'R7: a restart goes on where it crashed': ['with disk', guards({ crashedBefore: () => false })],
  'R7: a vote is not written down': ['with disk', remove('epoch.on.VOTE_REQUEST.1.actions.1')],
  'R7: an adoption is not written down': ['with disk', remove('epoch.on.NEW.0.actions.1')],
  'R8: a restart without disk votes': ['without disk', guards({ diskIsLost: () => false })],
  'R2: a site that adopts forgets where requests go': ['one change', remove('routing.on.adopted.2')],
  'a root does not forget where requests went': ['one change', actions({ becomeRoot: assign({}) })],
  'fence: it outlives its section': ['one change', actions({ clearFence: assign({}) })],
  'fence: entries are not counted': [
    'counted',
    actions({
      countEntry: assign({ fence: ({ context }) => ({ epoch: (context as SiteContext).epoch, k: 1 }) }),
    }),
  ],
  'again: it does not raise k': ['combined and counted', replace('client.inCS.on.again.0.actions', grant)],
  'again: a frozen site goes on': ['combined', remove('client.inCS.on.again.0.guard')],
  'again: the token is passed': [
    'combined',
    replace('client.inCS.on.again', [
      { guard: 'someoneWaits', actions: [handOn, 'surrenderToken', 'countEntry', grant] },
      {},
    ]),
  ],
  'try: a frozen site enters': [
    'combined',
    replace('client.idle.on.try.0.guard', ({ context }: At) => context.token),
  ],
  'try: it enters without the token': ['combined', replace('client.idle.on.try.0.guard', 'following')],
  'fence: the token forgets its count': ['counted', keeping(() => ({ k: 0 }))],
  'R12: a site that hands the token on still takes itself for the root': [
    'one change',
    remove('routing.root.always'),
  ],
  'R12: an entry stands twice': ['one change', surrendering(({ line }) => ({ line: line.slice(1) }))],
  'R12: a site that asks again keeps its pointer': [
    'one change',
    actions({
      joinLine: assign((at) => ({
        k: 0,
        ...joinedLine,
        last: (at as unknown as At).context.line.at(-1)!,
      })),
    }),
  ],
  'R12: a site that asks again also sends a request': [
    'one change',
    replace('client.inCS.on.releaseAndAsk.0.actions', [
      requestOfFirst,
      ...(part('client.inCS.on.releaseAndAsk.0.actions') as readonly unknown[]),
    ]),
  ],
  'R12: entries of the token go before the own line': [
    'overtaking',
    keeping(({ line }, token) => ({ line: [...token.line, ...line] })),
  ],
};

/** Requests that are not taken are not made up for, in `epoch-over`. */
export const overMutants = {
  'M5: a request that is not taken is not answered': {
    founder: 'crashes',
    machine: guards({ answers: () => false }),
  },
  'M5: the answer is not heeded': { founder: 'crashes', machine: remove('epoch.on.OVER.0') },
  'M5: a site that has no room does not say so': {
    founder: 'has no room',
    noRoom: editorOf(noRoomMachine).remove('on.REQUEST'),
  },
} satisfies Readonly<Record<string, Partial<OverOptions>>>;

/** The voters change while a candidacy is put off, in `epoch-put-off`. */
export const putOffMutants = {
  'M3: a candidacy of the configuration before is kept': actions({
    configure: assign((at, params) => {
      const { context } = at as unknown as At;
      const changed = configured(context, params as unknown as MembersChange);
      const lease = context.lease && { ...changed.lease!, putOff: context.lease.putOff };
      return { ...changed, lease };
    }),
  }),
} satisfies Readonly<Record<string, AnyStateMachine>>;

/** Mistakes in the forgetting of locks, in `epoch-forgetting`. */
export const forgettingMutants = {
  'R13: a lock is forgotten without its floor': { asks: 2, floorOf: () => null },
  'R13: a lock that was forgotten takes part in its last epoch again': {
    asks: 2,
    changes: 2,
    floorOf: ({ promised }) => promised,
  },
  'R13: the token of a lock that is forgotten is kept': { asks: 2, machine: actions({ giveUp: assign({}) }) },
  'R13: a lock is forgotten in a critical section': {
    asks: 2,
    machine: replace('epoch.on.forget.0.guard', and(['following', 'tokenHere'])),
  },
  'R13: a lock is forgotten while a request for it is under way': {
    machine: replace('epoch.on.FORGET.0.guard', 'current'),
  },
  'R13: a request for a lock that is forgotten is not answered': {
    machine: guards({ answers: () => false }),
  },
  'R13: the others do not hear that a lock is forgotten': {
    machine: replace('epoch.on.forget.0.actions', ['giveUp', 'forgotten']),
  },
} satisfies Readonly<Record<string, Partial<ForgettingOptions>>>;

/** `a` founds, and `b` takes its place. */
const replacing = { plan: [['a'], ['a', 'b'], ['b']], changes: 2 } as const;

/** Three voters become one; one that may be removed stands, and the one that stays. */
export const shrinking = {
  plan: [['a', 'b', 'c'], ['a', 'b'], ['a']],
  stands: ['a', 'c'],
  asks: [],
} as const;

/** Mistakes in the event by which a site learns of other voters, and in the part of a configuration in a vote. */
export const configuredMutants = {
  'configured: a site that joins takes part in the epochs before': {
    ...replacing,
    machine: guards({ joins: () => false }),
  },
  'configured: a site that joins is not closed': {
    ...replacing,
    machine: remove('epoch.on.configured.0.target'),
  },
  'configured: a section goes on at a site that is removed': {
    ...replacing,
    machine: remove('client.inCS.on.configured'),
  },
  'configured: a candidate stands for an epoch at or below the base': {
    ...replacing,
    machine: actions({
      standForNext: assign((at) => {
        const { self, voters, promised, epoch: now, token } = (at as unknown as At).context;
        return {
          ...promising(promised + 1),
          ...(self in voters ? counting({ votes: {}, holder: null }, self, token ? now : null) : {}),
        };
      }),
    }),
  },
  'configured: the base is not raised': { ...replacing, raisesBase: false },
  'configured: a candidacy goes on with the votes of the configuration before': {
    ...shrinking,
    machine: remove('epoch.on.configured.1'),
    keepsVotes: true,
  },
  'configured: a vote is given to a candidate of any configuration': {
    ...shrinking,
    machine: guards({
      worthAVote: ({ context: { self, voters, promised, membership }, event }) =>
        event.type === 'VOTE_REQUEST' &&
        self in voters &&
        event.epoch > promised &&
        event.epoch > membership.base,
    }),
  },
} satisfies Readonly<Record<string, EpochMembersOptions>>;

/** No promise is broken, and a site waits for ever. */
export const forgetfulMutants: Readonly<Record<string, AnyStateMachine>> = {
  'R1: the message that brings an epoch is dropped': actions({ processAgain: assign({}) }),
  'R2: a waiting site does not ask again': remove('client.requesting.on.adopted.1'),
  'R12: a busy site forgets a request': replace('routing.root.on.REQUEST.1', { guard: 'current' }),
  'R12: the token goes without its line': keeping(({ line }) => ({ line })),
  'R12: a site that asks again leaves no entry': replace(
    'client.inCS.on.releaseAndAsk.0.actions.0',
    handingOn((line) => line),
  ),
};

/** No promise is broken without a failure, and a site may wait for ever. */
export const starvingMutants: Readonly<Record<string, AnyStateMachine>> = {
  'R12: a site that asks again goes to the head of the rest': replace(
    'client.inCS.on.releaseAndAsk.0.actions.0',
    handingOn(([first, ...rest], self) => [first!, self, ...rest]),
  ),
  'R12: last is not set to the end of the line': surrendering(({ line }) => ({ last: line[0]! })),
  // A site that waits passes requests on, as in the published algorithm; a request may then chase the line for ever.
  'R12: a waiting site forwards': forwarding(),
};

function forwarding(): AnyStateMachine {
  const turned = siteMachine.provide({
    actions: {
      surrenderToken: assign(({ context: { last, line } }) => ({
        k: 0,
        ...withoutToken(line),
        last: last ?? line.at(-1)!,
      })),
      keepToken: assign(({ context: { last, line } }, { k, line: entries }) => ({
        k,
        ...withToken(line, entries),
        last: entries.at(-1) ?? last,
      })),
    },
  });
  const [append] = part('routing.root.on.REQUEST.0.actions') as readonly unknown[];
  const [forward, turn] = part('routing.forwarding.on.REQUEST.actions') as readonly unknown[];
  const keeps = { guard: 'current', actions: [append, turn] };
  return editorOf(editorOf(turned).replace('routing.root.on.REQUEST.1', keeps)).replace(
    'routing.forwarding',
    {
      always: { guard: 'isRoot', target: 'root' },
      on: {
        REQUEST: [
          { ...keeps, guard: and(['current', 'tokenHere']) },
          { guard: 'current', actions: [forward, turn] },
        ],
        ask: part('routing.forwarding.on.ask'),
      },
    },
  );
}

/** No promise is broken, and from some state a waiting site can never be served again. */
export const stuckMutants = {
  'R10: only candidates below the promise are refused': guards({
    stale: ({ context, event }) => event.type === 'VOTE_REQUEST' && event.epoch < context.promised,
  }),
  'nobody is elected': guards({ elected: () => false }),
  'a deferred vote is forgotten': actions({ takeUpAgain: assign({}) }),
} satisfies Readonly<Record<string, AnyStateMachine>>;
