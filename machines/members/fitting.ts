import { and, assign, not, type SnapshotFrom, setup } from 'xstate';
import type { SiteId } from '../actor.ts';

/**
 * The result of one call of an address.
 *
 * - `free`: a process answered that is no member and knows of none.
 * - `refused`: no process listens there.
 * - `unknown`: all else: no answer, or that of a process that knows of a member.
 */
export type CallResult = 'free' | 'refused' | 'unknown';

/** As which a process answers a call of another one: `bound`: it is no member, and knows of one. */
export type Standing = 'member' | 'free' | 'bound';

type Seen = Readonly<Record<string, Exclude<CallResult, 'unknown'>>>;

export interface FittingContext {
  /** Number of members that there should be. */
  readonly size: number;
  /** The address of this process among those that discovery shows. `null`: it is not shown. */
  readonly own: string | null;
  /** The other addresses. */
  readonly others: readonly string[];
  /** The results of this round of calls. */
  readonly seen: Seen;
  /** The results of the round before. `null`: this is the first. */
  readonly before: Seen | null;
  /** Has this process met a member since it waited last, or is one shown no more that may be a member? */
  readonly hasMet: boolean;
  readonly isAttached: boolean;
  /** At a member: the number of voters, and the number of them with which no further process is added. */
  readonly voters: number;
  readonly mostVoters: number;
  /** At a member: number of its guests that can become members. */
  readonly heirs: number;
  /** At a member that is to end: has another one joined since? */
  readonly hasSuccessor: boolean;
}

export interface FittingInput {
  readonly size: number;
  readonly own?: string | null;
  readonly others?: readonly string[];
}

/**
 * The events of the driver.
 *
 * - `listed`: discovery shows these addresses.
 * - `waited`: the time that `wait` asked for is over.
 * - `tried`: the result of a call.
 * - `called`: another process calls, from this address as far as that is known. It is answered by `answer`.
 * - `attached`, `parted`: a session with a member has begun, and is over.
 * - `invited`: the member asks this process to become one. `gaveUp`: the time of `ask` is over.
 * - `joined`, `removed`: this process is one of this number of members now, and is none any more. `members`: how many there are now.
 * - `heirs`: number of the guests here that can become members. `inviteDue`: it is time to ask these, in this order.
 * - `leave`: the service ends this process. `noHeir`: no guest has come for the time that `replace` asked for. `late`: a guest has not taken
 *   the place of this member within the longest time.
 */
export type FittingEvent =
  | { readonly type: 'listed'; readonly own: string | null; readonly others: readonly string[] }
  | { readonly type: 'tried'; readonly address: string; readonly result: CallResult }
  | { readonly type: 'called'; readonly guest: SiteId; readonly address: string | null }
  | { readonly type: 'joined'; readonly voters: number }
  | { readonly type: 'members'; readonly voters: number }
  | { readonly type: 'heirs'; readonly count: number }
  | { readonly type: 'inviteDue'; readonly guests: readonly SiteId[] }
  | {
      readonly type:
        | 'waited'
        | 'attached'
        | 'parted'
        | 'invited'
        | 'gaveUp'
        | 'removed'
        | 'leave'
        | 'noHeir'
        | 'late';
    };

/**
 * The requests of the statechart to its driver. Each is a named action whose params are the other keys.
 *
 * - `wait`: say `waited` later. `afterMember`: when each member that has begun to leave before is gone.
 * - `look`: call all addresses, one after the other, again and again.
 * - `found`: found the cluster with this process alone.
 * - `answer`: to a process that has called.
 * - `ask`: ask the members for a while to add this process.
 * - `invite`: ask a guest to become a member.
 * - `replace`: this member leaves as soon as another one has taken its place.
 * - `left`: this process may end.
 */
export type FittingEffect =
  | { readonly type: 'wait'; readonly afterMember: boolean }
  | { readonly type: 'answer'; readonly guest: SiteId; readonly as: Standing }
  | { readonly type: 'invite'; readonly guest: SiteId }
  | { readonly type: 'look' | 'found' | 'ask' | 'replace' | 'left' };

type At<Event = FittingEvent> = { readonly context: FittingContext; readonly event: Event };
type Of<Type extends FittingEvent['type']> = Extract<FittingEvent, { type: Type }>;

/** Number of members that are missing, as this one sees it. */
export const vacanciesOf = ({ mostVoters, voters }: FittingContext): number =>
  Math.max(0, mostVoters - voters);

export const fittingSetup = setup({
  types: {} as { context: FittingContext; events: FittingEvent; input: FittingInput },
  actions: {
    wait: (_, _params: { afterMember: boolean }) => {},
    look: () => {},
    found: () => {},
    answer: (_, _params: { guest: SiteId; as: Standing }) => {},
    ask: () => {},
    invite: (_, _params: { guest: SiteId }) => {},
    replace: () => {},
    left: () => {},
    list: assign(({ event }) => {
      const { own, others } = event as Of<'listed'>;
      return { own, others };
    }),
    /** A process that is shown no more may be a member that is to end. */
    heedMissing: assign(({ context: { hasMet, others }, event }) => ({
      hasMet: hasMet || others.some((one) => !(event as Of<'listed'>).others.includes(one)),
    })),
    beginRounds: assign({ seen: {}, before: null }),
    beginSecondRound: assign({ seen: {}, before: ({ context }) => context.seen }),
    see: assign(({ context: { seen }, event }) => {
      const { address, result } = event as Of<'tried'> & { readonly result: Seen[string] };
      return { seen: { ...seen, [address]: result } };
    }),
    overlook: assign(({ context: { seen }, event }) => {
      const { [(event as Of<'tried'>).address]: _, ...rest } = seen;
      return { seen: rest };
    }),
    forgetMember: assign({ hasMet: false }),
    attach: assign({ isAttached: true, hasMet: true }),
    part: assign({ isAttached: false }),
    count: assign(({ event }) => ({ voters: (event as Of<'joined' | 'members'>).voters })),
    countSuccessor: assign(({ context: { voters, hasSuccessor }, event }) => ({
      hasSuccessor: hasSuccessor || (event as Of<'members'>).voters > voters,
    })),
    countHeirs: assign(({ event }) => ({ heirs: (event as Of<'heirs'>).count })),
    makeRoom: assign(({ context: { size } }) => ({ mostVoters: size + 1, hasSuccessor: false })),
    leaveMembers: assign(({ context: { size } }) => ({
      ...{ voters: 0, mostVoters: size, heirs: 0 },
      ...{ isAttached: false, hasMet: true },
    })),
  },
  guards: {
    isAttached: ({ context }) => context.isAttached,
    isListed: ({ context, event }) =>
      event.type === 'tried' && context.own !== null && context.others.includes(event.address),
    /** The process with the first address founds, where two are free. */
    isBehind: ({ context: { own }, event }) =>
      event.type === 'tried' &&
      (event.result === 'refused' || (event.result === 'free' && event.address > own!)),
    /** It may have been a member in the time between. */
    hasEnded: ({ context: { before }, event }) =>
      event.type === 'tried' && event.result === 'refused' && before?.[event.address] === 'free',
    hasStarted: ({ context: { seen, before }, event }) =>
      event.type === 'called' &&
      event.address !== null &&
      (seen[event.address] === 'refused' || before?.[event.address] === 'refused'),
    hasSeenAll: ({ context: { own, others, seen } }) =>
      own !== null && others.every((address) => address in seen),
    isSecondRound: ({ context }) => context.before !== null,
    hasRoom: ({ context }) => vacanciesOf(context) > 0,
    hasHeirs: ({ context }) => context.heirs > 0,
    isReplaced: ({ context }) => context.hasSuccessor && vacanciesOf(context) === 0,
    isAlone: ({ context: { others, heirs } }) => others.length === 0 && heirs === 0,
  },
});

const answer = (as: Standing) =>
  ({
    type: 'answer',
    params: ({ event }: At) => ({ guest: (event as Of<'called'>).guest, as }),
  }) as const;

const wait = {
  type: 'wait',
  params: ({ context }: At) => ({ afterMember: context.hasMet }),
} as const;

const invite = fittingSetup.enqueueActions(({ context, event, enqueue }) => {
  for (const guest of (event as Of<'inviteDue'>).guests.slice(0, vacanciesOf(context)))
    enqueue({ type: 'invite', params: { guest } });
});

const joined = { target: '#fitting.member', actions: 'count' } as const;
const attached = { target: '#fitting.attached', actions: 'attach' } as const;

/**
 * A process that is a member or a guest, as there are members enough or not (`size`). It is a guest first.
 *
 * - `alone`: it knows of no member. It waits, looks, and founds the cluster where no other process is a member (M10).
 * - `attached`: it is a guest of a member.
 * - `asking`: a member has asked it to become one (M11).
 * - `member`: and `leaving` as soon as a guest has taken its place (M12).
 * - `lastAsking`: it is to end, and has asked to become a member before.
 * - `left`: it may end.
 */
export const fittingMachine = fittingSetup.createMachine({
  id: 'fitting',
  context: ({ input: { size, own = null, others = [] } }): FittingContext => ({
    ...{ size, own, others, seen: {}, before: null, hasMet: false, isAttached: false },
    ...{ voters: 0, mostVoters: size, heirs: 0, hasSuccessor: false },
  }),
  initial: 'alone',
  on: {
    listed: { actions: 'list' },
    called: { actions: answer('bound') },
    joined,
    members: { actions: 'count' },
    heirs: { actions: 'countHeirs' },
    waited: {},
    tried: {},
    attached: { actions: 'attach' },
    parted: { actions: 'part' },
    invited: {},
    gaveUp: {},
    removed: {},
    inviteDue: {},
    noHeir: {},
    late: {},
  },
  states: {
    alone: {
      initial: 'waiting',
      on: {
        listed: { target: '.waiting', reenter: true, actions: ['heedMissing', 'list'] },
        attached,
        leave: 'left',
      },
      states: {
        waiting: {
          entry: wait,
          on: {
            called: [
              { guard: ({ context }) => context.hasMet, actions: answer('bound') },
              { actions: answer('free') },
            ],
            waited: { target: 'looking', actions: 'forgetMember' },
          },
        },
        looking: {
          entry: ['beginRounds', 'look'],
          always: [
            { guard: and(['hasSeenAll', 'isSecondRound']), target: 'founding' },
            { guard: 'hasSeenAll', actions: 'beginSecondRound' },
          ],
          on: {
            tried: [
              { guard: not('isListed') },
              { guard: not('isBehind'), actions: 'overlook' },
              { guard: 'hasEnded', actions: ['beginRounds', 'see'] },
              { actions: 'see' },
            ],
            called: [
              { guard: 'hasStarted', actions: ['beginRounds', answer('free')] },
              { actions: answer('free') },
            ],
          },
        },
        founding: {
          entry: 'found',
          // It is a member next, whatever comes.
          on: { listed: { actions: 'list' }, leave: '#fitting.lastAsking', attached: {} },
        },
      },
    },
    attached: {
      on: {
        parted: { target: 'alone', actions: 'part' },
        invited: 'asking',
        leave: 'left',
      },
    },
    asking: {
      entry: 'ask',
      on: {
        invited: { target: 'asking', reenter: true },
        gaveUp: [{ guard: 'isAttached', target: 'attached' }, { target: 'alone' }],
        leave: 'lastAsking',
      },
    },
    lastAsking: {
      on: {
        joined: { target: 'member.leaving', actions: 'count' },
        gaveUp: 'left',
      },
    },
    member: {
      initial: 'staying',
      on: {
        called: { actions: answer('member') },
        inviteDue: { guard: 'hasRoom', actions: invite },
      },
      states: {
        staying: {
          on: {
            removed: { target: '#fitting.alone', actions: 'leaveMembers' },
            leave: 'leaving',
          },
        },
        leaving: {
          entry: ['makeRoom', 'replace'],
          always: [
            { guard: 'isReplaced', target: '#fitting.left' },
            { guard: 'isAlone', target: '#fitting.left' },
          ],
          on: {
            joined: { actions: 'count' },
            members: { actions: ['countSuccessor', 'count'] },
            removed: '#fitting.left',
            noHeir: { guard: not('hasHeirs'), target: '#fitting.left' },
            late: '#fitting.left',
          },
        },
      },
    },
    left: { entry: 'left', on: { joined: {} } },
  },
});

export type FittingSnapshot = SnapshotFrom<typeof fittingMachine>;
