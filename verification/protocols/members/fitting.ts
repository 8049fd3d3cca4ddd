import { type AnyStateMachine, assign, createMachine, enqueueActions, not, setup } from 'xstate';
import type { SiteId } from '../../../machines/actor.ts';
import {
  type CallResult,
  type FittingContext,
  type FittingInput,
  fittingMachine,
  type Standing,
} from '../../../machines/members/fitting.ts';
import { always, deadlockFree, every, plain, reachable, relation } from '../../system/properties.ts';
import type {
  ActorSpec,
  ActorView,
  EnvironmentEvent,
  Network,
  Property,
  System,
} from '../../system/system.ts';
import { type Options, OptionsError, siteNames } from '../sites.ts';
import { nothingUnexpected } from '../unexpected.ts';

export interface FittingOptions {
  /** The processes, in the order of their addresses. Those of `later` start at any time, the others run from the beginning. */
  readonly processes: readonly SiteId[];
  readonly later?: readonly SiteId[];
  /** Number of members that there should be. */
  readonly size: number;
  /** The process that has founded the cluster before. Default: none. */
  readonly founder?: SiteId;
  /** The processes that are asked to end at some time. Default: none. */
  readonly leavers?: readonly SiteId[];
  /** The processes that are killed at some time. Default: none. */
  readonly dying?: readonly SiteId[];
  /** The processes that these call. Default: each calls all others. */
  readonly calls?: Readonly<Record<SiteId, readonly SiteId[]>>;
  /** The processes that look whether they are to found, and call others only then. Default: each looks, and calls while it waits, too. */
  readonly lookers?: readonly SiteId[];
  /** Does discovery show a process that is to end until it has ended? Default: no more from then on. */
  readonly shownToEnd?: boolean;
  /** May a member leave though no guest has taken its place in the longest time? Default: false. */
  readonly late?: boolean;
  /** A mutant, in place of the real machine. */
  readonly machine?: AnyStateMachine;
}

const clusterId = 'cluster';
const clockId = 'clock';

type Send = { readonly target: SiteId; readonly message: { readonly type: string } };
const sendTo = (target: SiteId, message: object) => ({ type: 'send', params: { target, message } }) as never;

interface ClusterContext {
  readonly voters: readonly SiteId[];
  /** Members that leave as soon as another one has taken their place. */
  readonly replacing: readonly SiteId[];
  /** Processes that ask to be added. */
  readonly joining: readonly SiteId[];
  /** Members that are to be removed. */
  readonly resigning: readonly SiteId[];
  /** Members that know that they are: a majority must acknowledge each change (M4). */
  readonly knowing: readonly SiteId[];
}

/** Said by a process to the members. */
interface Said {
  readonly type: 'FOUND' | 'JOIN' | 'admit' | 'ROOM' | 'RESIGN' | 'dismiss' | 'KNOWS' | 'DEAD';
  readonly from: SiteId;
}

const withOne = (all: readonly SiteId[], one: SiteId) => [...new Set([...all, one])].sort();
const without = (all: readonly SiteId[], one: SiteId) => all.filter((other) => other !== one);

/** The agreement of the members (M1 to M9): one site more or less at a time, and a dead one is removed while a majority is left. */
const clusterMachine = (size: number, first: readonly SiteId[]): AnyStateMachine =>
  setup({
    types: {} as { context: ClusterContext; events: Said },
    actions: {
      send: (_, _params: Send) => {},
      hear: assign(({ context: { joining }, event }) => ({ joining: withOne(joining, event.from) })),
      add: assign(({ context: { voters, joining }, event }) => ({
        voters: withOne(voters, event.from),
        joining: without(joining, event.from),
      })),
      remove: assign(({ context: { voters, replacing, joining, resigning, knowing }, event }) => ({
        voters: without(voters, event.from),
        replacing: without(replacing, event.from),
        joining: voters.length === 1 && voters.includes(event.from) ? [] : without(joining, event.from),
        resigning: without(resigning, event.from),
        knowing: without(knowing, event.from),
      })),
      resign: assign(({ context: { joining, resigning }, event }) => ({
        joining: without(joining, event.from),
        resigning: withOne(resigning, event.from),
      })),
      know: assign(({ context: { knowing }, event }) => ({ knowing: withOne(knowing, event.from) })),
      note: assign(({ context: { replacing }, event }) => ({ replacing: withOne(replacing, event.from) })),
    },
    guards: {
      isVoter: ({ context, event }) => context.voters.includes(event.from),
      mayHear: ({ context: { voters }, event }) => voters.length > 0 && !voters.includes(event.from),
      mayAdd: ({ context: { voters, replacing } }) =>
        voters.length > 0 && voters.length < size + Math.min(replacing.length, 1),
      knowsEnough: ({ context: { voters, knowing } }) =>
        voters.filter((one) => knowing.includes(one)).length * 2 > voters.length,
      mayBury: ({ context: { voters, knowing }, event }) =>
        voters.length === 1 ||
        voters.filter((one) => one !== event.from && knowing.includes(one)).length * 2 > voters.length,
    },
  }).createMachine({
    context: { voters: first, replacing: [], joining: [], resigning: [], knowing: first },
    on: {
      FOUND: { actions: ['add', tell('joined')] },
      JOIN: [
        { guard: 'mayHear', actions: 'hear' },
        {
          guard: not('isVoter'),
          actions: enqueueActions(({ event, enqueue }) => enqueue(sendTo(event.from, { type: 'gaveUp' }))),
        },
        {},
      ],
      admit: { guard: 'mayAdd', actions: ['add', tell('joined')] },
      ROOM: { actions: 'note' },
      RESIGN: { actions: 'resign' },
      dismiss: [
        { guard: not('isVoter'), actions: ['remove', tell('resigned')] },
        { guard: 'knowsEnough', actions: [disappoint, 'remove', tell('resigned')] },
      ],
      KNOWS: [{ guard: 'isVoter', actions: 'know' }, {}],
      DEAD: [
        { guard: not('isVoter'), actions: 'remove' },
        { guard: 'mayBury', actions: [disappoint, 'remove', tell(null)] },
        {},
      ],
    },
  });

/** Tells the members their number, and the one that it is about its part. */
const tell = (about: 'joined' | 'resigned' | null) =>
  enqueueActions(({ context, event, enqueue }) => {
    const { voters } = context as unknown as ClusterContext;
    const { from } = event as unknown as Said;
    for (const voter of voters)
      if (voter !== from) enqueue(sendTo(voter, { type: 'members', voters: voters.length }));
    if (about !== null) enqueue(sendTo(from, { type: about, voters: voters.length }));
  }) as never;

/** With the last member goes the answer that others wait for. */
const disappoint = enqueueActions(({ context, event, enqueue }) => {
  const { voters, joining } = context as unknown as ClusterContext;
  const { from } = event as unknown as Said;
  if (voters.length > 1) return;
  for (const one of joining) if (one !== from) enqueue(sendTo(one, { type: 'gaveUp' }));
}) as never;

/** Time: a process that has met a member waits until each that had begun to leave is gone. */
const clockMachine = setup({
  types: {} as { context: { leaving: number }; events: { type: 'LEAVING' | 'GONE' | 'QUIET' } },
  actions: {
    more: assign({ leaving: ({ context }) => context.leaving + 1 }),
    less: assign({ leaving: ({ context }) => context.leaving - 1 }),
  },
  guards: { isQuiet: ({ context }) => context.leaving === 0 },
}).createMachine({
  context: { leaving: 0 },
  on: {
    LEAVING: { actions: 'more' },
    GONE: { actions: 'less' },
    QUIET: { guard: 'isQuiet' },
  },
});

interface ProcessContext extends FittingContext {
  readonly self: SiteId;
  /** The process that it calls now. */
  readonly calling: SiteId | null;
  /** The member that it is attached to. */
  readonly at: SiteId | null;
  /** The guests that it has, which can all become members, and those that it has asked to. */
  readonly guests: readonly SiteId[];
  readonly asked: readonly SiteId[];
  /** The guests that know that they are. */
  readonly confirmed: readonly SiteId[];
  /** Is it a member, as far as it knows? */
  readonly isVoter: boolean;
  /** Did it end because no guest had come for a while? */
  readonly hadNoHeir: boolean;
  /** The guests that it had when it ended without a successor. */
  readonly leftBehind: readonly SiteId[];
}

type Node = { readonly on?: Record<string, unknown>; readonly states?: Record<string, Node> };

/** The guest's part of a process, at these events and in any state: one call is under way at a time, and a member has no session. */
const ofGuest: Readonly<Record<string, string>> = {
  tried: 'hangUp',
  attached: 'begin',
  parted: 'end',
  joined: 'know',
  gaveUp: 'decline',
  leave: 'unlist',
  noHeir: 'concede',
};

function withGuest(node: Node): Node {
  const also = (transitions: unknown, action: string) =>
    ([transitions].flat() as { readonly actions?: unknown }[]).map((one) => {
      const { actions = [], ...rest } = typeof one === 'string' ? { target: one } : one;
      return { ...rest, actions: [action, actions].flat() };
    });
  const on = Object.fromEntries(
    Object.entries(node.on ?? {}).map(([type, transitions]) => [
      type,
      type in ofGuest ? also(transitions, ofGuest[type]!) : transitions,
    ]),
  );
  const states = Object.fromEntries(
    Object.entries(node.states ?? {}).map(([name, state]) => [name, withGuest(state)]),
  );
  return { ...node, ...(node.on && { on }), ...(node.states && { states }) };
}

const said = (event: object) =>
  event as unknown as {
    readonly guest: SiteId;
    readonly target: SiteId;
    readonly member: SiteId;
    readonly address: string;
    readonly isKnown: boolean;
  };
const own = (context: object) => context as ProcessContext;

/** A process: its statechart, the calls that its guest makes and takes, and its start and end. */
function processMachine(
  machine: AnyStateMachine,
  initial: 'absent' | 'alone' | 'member',
  shownToEnd: boolean,
): AnyStateMachine {
  const { config, implementations } = machine;
  const { on, states } = withGuest(config as Node) as { on: object; states: Record<string, Node> };
  const toCluster = (type: Said['type']) =>
    enqueueActions(({ context, enqueue }) => enqueue(sendTo(clusterId, { type, from: own(context).self })));
  const answerWith = (result: CallResult) =>
    enqueueActions(({ context, event, enqueue }) =>
      enqueue(sendTo(said(event).guest, { type: 'tried', address: own(context).self, result })),
    );
  const goodbye = enqueueActions(({ context, enqueue }) => {
    const { at, self } = own(context);
    if (at !== null) enqueue(sendTo(at, { type: 'guestGone', guest: self }));
    enqueue.assign({ at: null } as never);
  });
  const late = enqueueActions(({ context, event, enqueue }) =>
    enqueue(sendTo(said(event).member, { type: 'guestGone', guest: own(context).self })),
  );
  const dismiss = enqueueActions(({ context, enqueue }) => {
    for (const guest of own(context).guests) enqueue(sendTo(guest, { type: 'parted' }));
    enqueue.assign({ guests: [], heirs: 0, asked: [], confirmed: [] } as never);
  });
  const gone = { called: { actions: answerWith('refused') }, attached: { actions: late }, '*': {} };
  return createMachine(
    {
      ...config,
      context: ({ input }: { input: FittingInput & { self: SiteId } }) => ({
        ...(config.context as unknown as (at: object) => FittingContext)({ input }),
        ...{
          self: input.self,
          calling: null,
          at: null,
          guests: [],
          asked: [],
          confirmed: [],
          hadNoHeir: false,
          leftBehind: [],
        },
        ...(initial === 'member' ? { isVoter: true, voters: 1 } : { isVoter: false }),
      }),
      initial,
      on: {
        ...on,
        call: {
          actions: [
            enqueueActions(({ context, event, enqueue }) => {
              const { self } = own(context);
              enqueue(sendTo(said(event).target, { type: 'called', guest: self, address: self }));
            }),
            assign({ calling: ({ event }) => said(event).target }),
          ],
        },
        unlisted: {
          actions: enqueueActions(({ context, event, enqueue }) => {
            const others = without(own(context).others, said(event).address);
            enqueue.raise({ type: 'listed', own: own(context).self, others } as never);
          }),
        },
        guestGone: {
          actions: assign(({ context, event }) => {
            const { guest } = said(event);
            const guests = without(own(context).guests, guest);
            const { asked, confirmed } = own(context);
            return {
              ...{ guests, heirs: guests.length },
              ...{ asked: without(asked, guest), confirmed: without(confirmed, guest) },
            };
          }),
        },
        here: {
          actions: assign(({ context, event }) => ({
            confirmed: withOne(own(context).confirmed, said(event).guest),
          })),
        },
        declined: {
          actions: assign(({ context, event }) => ({
            asked: without(own(context).asked, said(event).guest),
          })),
        },
        die: { target: '.ended', actions: [goodbye, dismiss, toCluster('DEAD')] },
      },
      states: {
        ...states,
        absent: {
          on: {
            start: 'alone',
            ...gone,
            unlisted: {
              actions: assign(({ context, event }) => {
                const { address, isKnown } = said(event);
                const { others } = own(context);
                return { others: isKnown ? without(others, address) : others };
              }),
            },
          },
        },
        left: { ...states['left'], on: { ...states['left']!.on, resigned: '#fitting.resigned' } },
        resigned: {
          on: {
            ...gone,
            end: { target: '#fitting.ended', actions: goodbye },
            called: { actions: answerWith('unknown') },
          },
        },
        ended: { on: gone },
      },
    } as never,
    {
      ...implementations,
      actions: {
        ...implementations.actions,
        hangUp: assign({ calling: null }),
        begin: enqueueActions(({ context, event, enqueue }) => {
          const { member } = said(event);
          enqueue.assign({ calling: null, at: member } as never);
          enqueue(sendTo(member, { type: 'here', guest: own(context).self }));
        }),
        end: assign({ at: null }),
        concede: assign({ hadNoHeir: true } as never),
        know: enqueueActions(({ enqueue }) => {
          enqueue(goodbye as never);
          enqueue.assign({ isVoter: true } as never);
          enqueue(toCluster('KNOWS') as never);
        }),
        decline: enqueueActions(({ context, enqueue }) => {
          const { at, self } = own(context);
          if (at !== null) enqueue(sendTo(at, { type: 'declined', guest: self }));
        }),
        answer: enqueueActions(({ context, enqueue }, params) => {
          const { guest, as } = params as unknown as { guest: SiteId; as: Standing };
          const { self, guests } = own(context);
          if (as === 'member') {
            const all = [...guests.filter((one) => one !== guest), guest].sort();
            enqueue.assign({ guests: all, heirs: all.length } as never);
            enqueue(sendTo(guest, { type: 'attached' }));
          } else {
            const result: CallResult = as === 'free' ? 'free' : 'unknown';
            enqueue(sendTo(guest, { type: 'tried', address: self, result }));
          }
        }),
        ask: toCluster('JOIN'),
        invite: enqueueActions(({ context, enqueue }, params) => {
          const { guest } = params as unknown as { readonly guest: SiteId };
          enqueue.assign({ asked: withOne(own(context).asked, guest) } as never);
          enqueue(sendTo(guest, { type: 'invited' }));
        }),
        found: toCluster('FOUND'),
        replace: toCluster('ROOM'),
        // One that is no member goes at once.
        left: enqueueActions(({ context, enqueue }) => {
          const { guests, hasSuccessor } = own(context);
          enqueue.assign({ leftBehind: hasSuccessor ? [] : guests } as never);
          enqueue(dismiss as never);
          if (own(context).isVoter) enqueue(toCluster('RESIGN') as never);
          else enqueue.raise({ type: 'resigned' } as never);
        }),
        unlist: enqueueActions(({ context, enqueue }) => {
          if (shownToEnd) return;
          const { self, others, guests, confirmed } = own(context);
          const isKnown = guests.length > 0 && guests.every((one) => confirmed.includes(one));
          for (const other of others) enqueue(sendTo(other, { type: 'unlisted', address: self, isKnown }));
        }),
      },
    } as never,
  );
}

const contextOf = ({ context }: ActorView) => context as unknown as ProcessContext;
const isProcess = ({ id }: ActorView) => id !== clusterId && id !== clockId;
const isGone = (actor: ActorView) => actor.in('ended') || actor.in('absent');

function environment(
  self: SiteId,
  { processes, later, leavers, dying, late, calls, lookers }: FittingOptions,
): readonly EnvironmentEvent[] {
  const isEnding = (actor: ActorView) =>
    ['member.leaving', 'lastAsking', 'left', 'resigned'].some((state) => actor.in(state));
  const looks = lookers?.includes(self) ?? true;
  const others = calls?.[self] ?? processes.filter((one) => one !== self);
  return [
    ...(later?.includes(self)
      ? [{ event: { type: 'start' }, when: (actor: ActorView) => actor.in('absent') }]
      : []),
    {
      event: { type: 'call' },
      payloads: (actor) =>
        others
          .filter((target) => !actor.in('alone.looking') || !(target in contextOf(actor).seen))
          .map((target) => ({ target })),
      when: (actor) =>
        ((actor.in('alone.waiting') && !lookers?.includes(self)) || actor.in('alone.looking')) &&
        contextOf(actor).calling === null,
    },
    {
      event: { type: 'waited' },
      when: (actor) => looks && actor.in('alone.waiting') && !contextOf(actor).hasMet,
    },
    {
      event: { type: 'waited' },
      when: (actor) => looks && actor.in('alone.waiting') && contextOf(actor).hasMet,
      together: () => ({ [clockId]: { type: 'QUIET' } }),
    },
    {
      event: { type: 'inviteDue' },
      payloads: (actor) => {
        const { guests, asked } = contextOf(actor);
        const able = guests.filter((one) => !asked.includes(one));
        return able.length > 0 ? [{ guests: able }] : [];
      },
      when: (actor) => actor.in('member'),
    },
    // One that ends after that may have become a member meanwhile, and is removed as one that has died.
    ...(leavers === undefined
      ? [{ event: { type: 'gaveUp' }, times: 1, when: (actor: ActorView) => actor.in('asking') }]
      : []),
    ...(late ? [{ event: { type: 'late' }, when: (actor: ActorView) => actor.in('member.leaving') }] : []),
    { event: { type: 'noHeir' }, when: (actor) => actor.in('member.leaving') },
    {
      event: { type: 'end' },
      when: (actor) => actor.in('resigned'),
      together: () => ({ [clockId]: { type: 'GONE' } }),
    },
    ...(leavers?.includes(self)
      ? [
          {
            event: { type: 'leave' },
            times: 1,
            when: (actor: ActorView) => !isGone(actor) && !isEnding(actor),
            together: () => ({ [clockId]: { type: 'LEAVING' } }),
          },
        ]
      : []),
    ...(dying?.includes(self)
      ? [{ event: { type: 'die' }, times: 1, when: (actor: ActorView) => !isGone(actor) && !isEnding(actor) }]
      : []),
  ];
}

const network: Network = { order: 'fifo' };

/**
 * Processes that fit: each with its statechart. The agreement of the members is what their promises say of it (M1 to M9). Discovery shows all
 * of them from the beginning; a process that has not started, or has ended, is refused. One that is to end is shown no
 * more to those that run; one that starts is shown it while it has no guest that would tell of it.
 */
export function fitting(options: FittingOptions): System {
  const { processes, later = [], size, founder, machine = fittingMachine, shownToEnd = false } = options;
  const actor = (self: SiteId): ActorSpec => ({
    machine: processMachine(
      machine,
      later.includes(self) ? 'absent' : self === founder ? 'member' : 'alone',
      shownToEnd,
    ),
    input: { self, size, own: self, others: processes.filter((one) => one !== self) },
    environment: environment(self, options),
    deliver: (message, source) => (message.type === 'attached' ? { ...message, member: source! } : message),
  });
  const actors: Record<SiteId, ActorSpec> = {
    ...Object.fromEntries(processes.map((self) => [self, actor(self)])),
    [clusterId]: {
      machine: clusterMachine(size, founder === undefined ? [] : [founder]),
      environment: [
        {
          event: { type: 'admit' },
          payloads: ({ context }) => (context as unknown as ClusterContext).joining.map((from) => ({ from })),
        },
        {
          event: { type: 'dismiss' },
          payloads: ({ context }) =>
            (context as unknown as ClusterContext).resigning.map((from) => ({ from })),
        },
      ],
    },
    [clockId]: { machine: clockMachine },
  };
  return {
    name: 'fitting',
    actors,
    network,
    // Time and calls, which the driver has elsewhere, are the environment's here.
    outside: ['wait', 'look'],
    properties: [...properties(options), nothingUnexpected(actors[processes[0]!]!, network)],
  };
}

/** For a guest, or it knew of no other process. */
const hasWaited = ({ hadNoHeir, others }: ProcessContext) => hadNoHeir || others.length === 0;

const votersOf = ({ context }: ActorView) => (context as unknown as ClusterContext).voters;

function properties({ size, dying = [], calls, late = false }: FittingOptions): readonly Property[] {
  const isMember = (actor: ActorView) => actor.in('member') || actor.in('left');
  return [
    always(
      'no cluster is founded where a process is a member',
      relation(
        (actor) => {
          if (!isProcess(actor)) return 0;
          if (actor.in('alone.founding')) return 1;
          // One that has left serves its holders until it is removed.
          return actor.in('member') || (actor.in('left') && contextOf(actor).isVoter) ? 2 : 0;
        },
        (standings) => {
          const founders = standings.filter((one) => one === 1).length;
          return founders === 0 || (founders === 1 && !standings.includes(2));
        },
      ),
    ),
    ...(late
      ? []
      : [
          always(
            'the last member does not end before a guest that could take its place',
            plain(({ actors }) => {
              const voters = votersOf(actors.find(({ id }) => id === clusterId)!);
              return actors.every(
                (actor) =>
                  !isProcess(actor) ||
                  !actor.in('left') ||
                  !(voters.length === 1 && voters[0] === actor.id) ||
                  actors.every(
                    (other) =>
                      !contextOf(actor).leftBehind.includes(other.id) ||
                      isMember(other) ||
                      other.in('resigned') ||
                      isGone(other),
                  ),
              );
            }),
          ),
        ]),
    ...(late || dying.length > 0
      ? []
      : [
          always(
            'of members that all end one has waited for a guest',
            plain(({ actors }) => {
              const voters = votersOf(actors.find(({ id }) => id === clusterId)!);
              const members = actors.filter(({ id }) => voters.includes(id));
              return (
                members.length === 0 ||
                !members.every((member) => member.in('left')) ||
                actors.some((actor) => isProcess(actor) && hasWaited(contextOf(actor)))
              );
            }),
          ),
        ]),
    // Not where some call none of the members.
    ...(dying.length > 0 || calls !== undefined
      ? []
      : [
          deadlockFree(
            'at rest there are as many members as there should be, or as there are processes',
            plain(({ actors }) => {
              const here = actors.filter((actor) => isProcess(actor) && !isGone(actor));
              const voters = votersOf(actors.find(({ id }) => id === clusterId)!);
              return (
                voters.length === Math.min(size, here.length) &&
                here.every(
                  (one) =>
                    one.in('member.staying') ||
                    one.in('attached') ||
                    one.in('asking') ||
                    one.in('lastAsking'),
                )
              );
            }),
          ),
        ]),
    reachable(
      'a guest becomes a member',
      plain(({ actors }) => votersOf(actors.find(({ id }) => id === clusterId)!).length > 1),
    ),
  ];
}

/** From every state with a process that runs, one with a member must stay possible, as `possible` of `check/` asks it. */
export const fittingPossibilities = {
  'a process that runs can become a member': {
    from: every(() => true),
    to: relation(
      (actor) => (!isProcess(actor) || isGone(actor) ? 0 : actor.in('member') ? 2 : 1),
      (standings) => standings.includes(2) || !standings.includes(1),
    ),
  },
} as const;

/** As many processes as sites are asked for, two of them members; the first ends at some time. */
export function fittingOf(options: Options): System {
  const processes = siteNames(options);
  if (options.network.order !== 'fifo')
    throw new OptionsError('NETWORK_UNFIT', 'the system fitting needs links: --network fifo');
  return fitting({ processes, size: 2, leavers: processes.slice(0, 1) });
}
