import fc from 'fast-check';
import { type AnyStateMachine, assign, setup } from 'xstate';
import type { ActorSpec, Bound, Network, Property, StatePredicate, System } from '../system.ts';

/**
 * Small systems at random: two or three actors of three states each. They count to two, remember the last sender, and
 * write to all, to the remembered one, or back. All state spaces are finite: a machine writes at most twice in its
 * life, unless the links have a capacity.
 */
export interface Draft {
  readonly names: readonly string[];
  /** One machine for each name, or one for all. */
  readonly plans: readonly Plan[];
  readonly network: Network;
  readonly goes: Bound;
  readonly crashes: Bound;
  /** Absent: as the network has it. */
  readonly inbox: 'kept' | 'lost' | null;
  /** How often an actor and the next one may count in one step. */
  readonly both: Bound;
  /** For each initial state, the count of the first actor. */
  readonly starts: readonly number[];
}

/** For each state, its answers; `late` is a timer, armed just while the state is active. */
type Plan = readonly { readonly [on in 'go' | 'ping' | 'pong' | 'late']: Rule | null }[];

/** `fresh` asks that the machine has counted to less than two. */
interface Rule {
  readonly fresh: boolean;
  readonly target: State | null;
  readonly count: boolean;
  readonly remember: boolean;
  readonly write: { readonly to: 'all' | 'peer' | 'back'; readonly type: 'ping' | 'pong' } | null;
}

type State = 's0' | 's1' | 's2';
const states: readonly State[] = ['s0', 's1', 's2'];

const names = fc.constantFrom(['ann', 'bob'], ['ann', 'bob', 'cyd']);

const rule: fc.Arbitrary<Rule | null> = fc.option(
  fc.record({
    fresh: fc.boolean(),
    target: fc.constantFrom(null, ...states),
    count: fc.boolean(),
    remember: fc.boolean(),
    write: fc.option(
      fc.record({
        to: fc.constantFrom('all' as const, 'peer' as const, 'back' as const),
        type: fc.constantFrom('ping' as const, 'pong' as const),
      }),
    ),
  }),
);

const plan: fc.Arbitrary<Plan> = fc.array(fc.record({ go: rule, ping: rule, pong: rule, late: rule }), {
  minLength: states.length,
  maxLength: states.length,
});

const few = fc.constantFrom<Bound>(0, 0, 1, 'unbounded');
const capacity = fc.constantFrom({}, {}, { capacity: 1 }, { capacity: 2 });

const network: fc.Arbitrary<Network> = fc.oneof(
  fc
    .record({ loss: few, duplication: fc.constantFrom<Bound>(0, 0, 1), breaks: few, capacity })
    .map(({ capacity, ...faults }) => ({ order: 'fifo' as const, ...faults, ...capacity })),
  fc
    .record({
      order: fc.constantFrom('unordered' as const, 'unordered-by-target' as const),
      loss: few,
      duplication: fc.constantFrom<Bound | 'persistent'>(0, 0, 1, 'persistent'),
      capacity,
    })
    .map(({ capacity, ...faults }) => ({ ...faults, ...capacity })),
);

export const drafts: fc.Arbitrary<Draft> = fc.record({
  names,
  plans: fc.array(plan, { minLength: 3, maxLength: 3 }),
  network,
  goes: fc.constantFrom<Bound>(1, 2, 'unbounded'),
  crashes: fc.constantFrom<Bound>(0, 1),
  inbox: fc.constantFrom(null, 'kept' as const, 'lost' as const),
  both: fc.constantFrom<Bound>(0, 1, 'unbounded'),
  starts: fc.constantFrom([0], [0], [1, 2], [0, 0, 2]),
});

/** One machine for all: what any permutation of the actors leaves as it is. */
export const symmetricDrafts: fc.Arbitrary<Draft> = fc.record({
  names,
  plans: fc.array(plan, { minLength: 1, maxLength: 1 }),
  network,
  goes: fc.constantFrom<Bound>(1, 'unbounded'),
  crashes: fc.constant(0),
  inbox: fc.constant(null),
  both: fc.constant(0),
  starts: fc.constant([0]),
});

export function systemOf({ names, plans, network, goes, crashes, inbox, both, starts }: Draft): System {
  const machines = plans.map((plan) => machineOf(plan, network.capacity !== undefined));
  const actors = names.map((self, index): [string, ActorSpec] => [
    self,
    {
      machine: machines[index % machines.length]!,
      input: { self },
      environment: [
        { event: { type: 'go' }, when: (actor) => !actor.in('s2'), times: goes },
        ...(both === 0 ? [] : [{ event: { type: 'both' }, together: withNext(names, index), times: both }]),
      ],
      crash: { times: crashes, ...(inbox === null || network.duplication === 'persistent' ? {} : { inbox }) },
      restart: { input: () => ({ self }) },
    },
  ]);
  return {
    name: 'random',
    actors: Object.fromEntries(actors),
    network,
    properties,
    ...(starts.length === 1
      ? {}
      : { starts: starts.map((counted) => ({ [names[0]!]: { self: names[0]!, counted } })) }),
    ...(plans.length === 1 ? { symmetry: names } : {}),
  };
}

const withNext = (names: readonly string[], index: number) => () => ({
  [names[(index + 1) % names.length]!]: { type: 'both' },
});

interface Context {
  readonly self: string;
  readonly peer: string | null;
  readonly counted: number;
}

type Event = { readonly type: 'go' | 'both' } | { readonly type: 'ping' | 'pong'; readonly by: string };
type Situation = { readonly context: Context; readonly event: Event };

function machineOf(plan: Plan, bounded: boolean): AnyStateMachine {
  return definition.createMachine({
    context: ({ input }) => ({ self: input.self, peer: null, counted: input.counted ?? 0 }),
    initial: 's0',
    // A system whose environment says what no machine takes is refused.
    on: {
      go: {},
      both: {
        guard: { type: 'allowed', params: { fresh: true, write: null } },
        actions: { type: 'note', params: { count: true, remember: false } },
      },
    },
    states: Object.fromEntries(
      plan.map(({ late, ...on }, index) => [
        states[index]!,
        {
          on: Object.fromEntries(
            Object.entries(on).flatMap(([type, rule]) =>
              rule === null ? [] : [[type, answer(rule, bounded)]],
            ),
          ),
          after: late === null ? {} : { 1000: { target: late.target ?? states[index]!, reenter: true } },
        },
      ]),
    ),
  });
}

const definition = setup({
  types: {} as {
    context: Context;
    events: Event;
    input: { readonly self: string; readonly counted?: number };
  },
  actions: {
    send: (_, _params: { target: string | null; message: object }) => {},
    broadcast: (_, _params: { message: object }) => {},
    note: assign(({ context, event }, { count, remember }: Pick<Rule, 'count' | 'remember'>) => ({
      counted: count ? context.counted + 1 : context.counted,
      peer: remember && 'by' in event ? event.by : context.peer,
    })),
  },
  guards: {
    allowed: (situation, { fresh, write }: Pick<Rule, 'fresh' | 'write'>) =>
      (situation.context.counted < 2 || !fresh) &&
      (write === null || write.to === 'all' || recipient(situation, write) !== null),
  },
});

function recipient({ context, event }: Situation, { to }: NonNullable<Rule['write']>): string | null {
  return to === 'back' && 'by' in event ? event.by : context.peer;
}

function answer({ fresh, target, count, remember, write }: Rule, bounded: boolean) {
  const counts = count || (write !== null && !bounded);
  const writing =
    write === null
      ? []
      : [
          {
            type: write.to === 'all' ? ('broadcast' as const) : ('send' as const),
            params: (situation: Situation) => ({
              target: recipient(situation, write),
              message: { type: write.type, by: situation.context.self },
            }),
          },
        ];
  return {
    ...(target === null ? {} : { target }),
    guard: { type: 'allowed' as const, params: { fresh: fresh || counts, write } },
    actions: [...writing, { type: 'note' as const, params: { count: counts, remember } }],
  };
}

const counted = (context: Readonly<Record<string, unknown>>) => (context as unknown as Context).counted ?? 0;
const tired: StatePredicate = { kind: 'some', is: ({ context }) => counted(context) >= 2 };
const calm: StatePredicate = { kind: 'every', is: (actor) => !actor.in('s1') };
const fewLate: StatePredicate = {
  kind: 'count',
  of: (actor) => (actor.in('s2') ? 1 : 0),
  is: (sum) => sum <= 1,
};
const popular: StatePredicate = {
  kind: 'tally',
  names: ({ context: { peer } }) => (typeof peer === 'string' ? [peer] : []),
  is: (times) => times <= 1,
};
const even: StatePredicate = {
  kind: 'relation',
  of: ({ context, inbox }) => counted(context) * 16 + inbox.length,
  holds: (observed) => Math.max(...observed) === Math.min(...observed),
};
const quiet: StatePredicate = {
  kind: 'plain',
  holds: ({ actors }) => actors.filter(({ inbox }) => inbox.length > 0).length <= 1,
};

const properties: readonly Property[] = [
  { kind: 'always', name: 'calm', predicate: calm },
  { kind: 'always', name: 'few late', predicate: fewLate },
  { kind: 'always', name: 'nobody popular', predicate: popular },
  { kind: 'always', name: 'quiet', predicate: quiet },
  { kind: 'always', name: 'tired or few late', predicate: { kind: 'or', of: [tired, fewLate] } },
  { kind: 'reachable', name: 'uneven', predicate: { kind: 'not', of: even } },
  { kind: 'reachable', name: 'tired and calm', predicate: { kind: 'and', of: [tired, calm] } },
  { kind: 'deadlockFree', name: 'never stuck' },
  { kind: 'deadlockFree', name: 'stuck only when calm', quiescent: calm },
];
