import { type AnyStateMachine, and, assign, createMachine } from 'xstate';
import type { MembersChange } from '../../machines/epoch/messages.ts';
import { type SiteContext, siteMachine } from '../../machines/epoch/site.ts';
import { configured } from '../../machines/epoch/variables.ts';
import { reasonOf } from '../../machines/errors.ts';
import { compare } from '../../machines/members/configuration.ts';
import { membersMachine } from '../../machines/members/members.ts';
import { leaseMutants } from '../../verification/protocols/epoch/lease-mutants.ts';
import type { EpochMembersOptions } from '../../verification/protocols/epoch/members.ts';
import * as epochs from '../../verification/protocols/epoch/mutants.ts';
import * as members from '../../verification/protocols/members/mutants.ts';
import { type ChangingOptions, changing, type Mistake } from './changing.ts';
import { ordeal } from './ordeal.ts';
import type { SimulationOptions } from './simulation.ts';

/* The mutants of the rules that the simulation can run, and the schedules that are to find each. */

/** One schedule of a seed. Rejects with what is broken. */
type Scenario = (seed: number, mutant: Mutated) => Promise<unknown>;
type Mutated = Pick<SimulationOptions, 'statechart' | 'membersStatechart' | 'foundingStatechart'>;

const strict = { leaseMs: 60, driftShare: 0.1 } as const;
/** Locks are forgotten whenever they may be. */
export const forgetful = { forgets: true, pauseMs: 600, timing: { forgetAfterMs: 4 } } as const;

const using =
  (options: Omit<SimulationOptions, 'seed'>, steps = 1_000): Scenario =>
  (seed, mutant) =>
    ordeal({ ...options, seed, ...mutant }, steps);
const fleet =
  (options: Omit<ChangingOptions, 'seed' | 'sites'> & { readonly sites?: number }, steps = 1_000): Scenario =>
  (seed, mutant) =>
    changing({ sites: 3, ...options, seed, ...mutant }, steps);
const erring = (mistake: Mistake) => fleet({ mistake });

const usual = [
  using({ sites: 3 }),
  using({ sites: 5 }),
  fleet({}),
  using({ sites: 3, faults: 'isolate' }),
  using({ sites: 3, faults: 'isolate', holdMs: 300 }),
  using({ sites: 4, faults: 'isolate', holdMs: 300 }),
  using({ sites: 3, faults: 'bounce' }),
  // Each site always wants the lock again, so that it stands in the line that it hands on.
  using({ sites: 4, pauseMs: 0, holdMs: 4 }, 500),
  using({ sites: 3, pauseMs: 5 }, 200),
];
/** The root has no room for the lock until it wants it itself, which it does not before the faults are over. */
const roomless = [using({ sites: 3, roomless: ['a'] }, 20)];
const forgetting = [
  using({ sites: 3, ...forgetful }),
  using({ sites: 2, ...forgetful }),
  using({ sites: 3, ...forgetful, pauseMs: 20 }, 200),
];
const leased = [
  using({ sites: 3, strict }),
  fleet({ strict }),
  using({ sites: 3, strict, holdMs: 300 }),
  using({ sites: 3, strict, holdMs: 300, faults: 'isolate' }),
  using({ sites: 3, strict, holdMs: 300, faults: 'bounce' }),
  using({ sites: 3, strict, holdMs: 300, faults: 'isolate', slow: true }),
];
const rush = fleet({ rushes: true }, 300);
const contend = fleet({ contends: true }, 100);
const changed = [
  fleet({}),
  fleet({ sites: 4 }),
  fleet({ machines: true }),
  fleet({ sites: 2 }),
  fleet({ sites: 1 }),
  fleet({ sites: 2, holdMs: 300 }),
];
const founded = [fleet({ founds: true }), fleet({ founds: true }, 500)];

/** Locks are forgotten often, as requests for them are under way. */
const crossing = { ...forgetful, pauseMs: 30, holdMs: 1, slow: true, faults: 'none' } as const;
/** The steps end as a site is told that its request was not taken. */
const unanswered = using({ sites: 2, ...crossing, endsAtOver: true });
/** A site is cut off as it gets a lease by a late promise, and the others stand at once. */
const lateLease = using({
  sites: 3,
  strict,
  holdMs: 300,
  faults: 'late',
  timing: { suspectMinMs: 1, suspectMaxMs: 2 },
});
/** A majority is lost for good, and the cluster is founded anew. */
const anew = [
  fleet({ anew: true }),
  fleet({ anew: true, founds: true }),
  fleet({ anew: true, machines: true }),
];
/** One voter lies. */
const lying = [fleet({ liar: true }), fleet({ liar: true, sites: 4 })];
/** The mutants that believe a liar. */
export const lyingMutants = [
  'M3: a vote is given to a candidate with other voters, that is not believed',
  'M6: one site alone is believed though others are in reach',
  'M6: one site alone is believed by a REFUSE',
  'M6: a coordinator is believed whatever it writes',
  'M6: a site that says it twice is taken for two',
  'M6: a site that says it again under another id is taken for two',
] as const;
/** For mutants that need an order of events which is rare elsewhere: these schedules in place of those of their table. */
const aimed: Readonly<Record<string, readonly Scenario[]>> = {
  'R7: a vote is not written down': [using({ sites: 3, faults: 'voter' })],
  'M5: a request that is not taken is not answered': [unanswered],
  'M5: the answer is not heeded': [unanswered],
  'R13: a lock is forgotten in a critical section': [using({ sites: 3, forgetsInUse: true }, 200)],
  'R13: a lock is forgotten while a request for it is under way': [using({ sites: 3, ...crossing }, 400)],
  'R13: a request for a lock that is forgotten is not answered': [unanswered],
  'R13: the others do not hear that a lock is forgotten': [
    using({ sites: 3, ...forgetful, forgetsInUse: true }),
  ],
  'M3: a candidacy of the configuration before is kept': [
    fleet({ strict: { leaseMs: 200, driftShare: 0.1 }, rushes: true }, 300),
  ],
  'the lease counts from the promise, not from its heartbeat': [lateLease],
  'promises of the round before count': [lateLease],
  ...Object.fromEntries(lyingMutants.map((name) => [name, lying])),
  ...Object.fromEntries(
    Object.keys(members.foundingMutants).flatMap((name) => (name.startsWith('M9') ? [[name, anew]] : [])),
  ),
  'M1: a candidacy goes on though a newer configuration is adopted': [rush],
  'M2: a voter acknowledges in spite of a later promise': [rush],
  'M3: a term is voted for twice': [rush],
  'M3: a vote is not written down': [rush],
  'M3: no vote is given to a candidate that alone says that it wrote the configuration again': [rush],
  'M6: a coordinator is not told that a later term was promised': [contend],
};

export interface SimulatedMutant {
  readonly mutated: Mutated;
  readonly scenarios: readonly Scenario[];
}

/** The mutants of these tables, each with its schedules. `machineOf` returns none for a mutant that stands in no statechart. */
function listed<Mutant>(
  protocol: string,
  table: Readonly<Record<string, Mutant>>,
  machineOf: (mutant: Mutant) => AnyStateMachine | undefined,
  key: keyof Mutated,
  scenarios: readonly Scenario[],
): readonly (readonly [string, SimulatedMutant])[] {
  return Object.entries(table).flatMap(([name, mutant]) => {
    const machine = machineOf(mutant);
    if (!machine) return [];
    return [
      [`${protocol}/${name}`, { mutated: { [key]: machine }, scenarios: aimed[name] ?? scenarios }] as const,
    ];
  });
}

/** The part of a mutant that is the member machine: the checker runs it beside a small model of a lock. */
function memberPart(machine: AnyStateMachine): AnyStateMachine | undefined {
  const part = (machine.config as { readonly states: { readonly members: object } }).states.members;
  const { context } = membersMachine.config;
  return createMachine({ ...part, context } as never, machine.implementations as never);
}

const standsAtTheBase =
  epochs.configuredMutants['configured: a candidate stands for an epoch at or below the base'];

/** The mutants of the members whose mistake is in that model of a lock: here the same mistake in the statechart of a lock. */
const inTheLock: Readonly<Record<string, AnyStateMachine>> = {
  'M3: a vote under an older configuration': siteMachine.provide({
    guards: {
      sameConfiguration: ({ context: { membership }, event }) =>
        'version' in event && compare(event, membership) <= 0,
    },
  }),
  'M3: epochs at or below the base are voted for': standsAtTheBase.machine.provide({
    guards: {
      worthAVote: and([
        'sameConfiguration',
        ({ context, event }) =>
          event.type === 'VOTE_REQUEST' &&
          (event as unknown as { readonly epoch: number }).epoch > (context as SiteContext).promised,
      ]),
    },
  }),
  'M4a: a site that joined later begins in epoch 0': siteMachine.provide({ guards: { joins: () => false } }),
};

const self = (machine: AnyStateMachine) => machine;
const third = ([, , machine]: readonly [unknown, unknown, AnyStateMachine]) => machine;
const own = (mutant: object) => (mutant as { readonly machine?: AnyStateMachine }).machine;
/** With the votes of the configuration before, where the mutant keeps them. */
const withVotes = (mutant: EpochMembersOptions): AnyStateMachine | undefined => {
  const { machine, keepsVotes } = mutant;
  if (!keepsVotes) return machine;
  return machine?.provide({
    actions: {
      configure: assign((at, params) => {
        const { votes, holder, ...before } = at.context as SiteContext;
        return { ...configured(before, params as unknown as MembersChange), votes, holder };
      }),
    },
  });
};

export const simulatedMutants: ReadonlyMap<string, SimulatedMutant> = new Map([
  ...listed('epoch', epochs.mutants, ([, machine]) => machine, 'statechart', usual),
  ...listed('epoch', epochs.forgetfulMutants, self, 'statechart', usual),
  ...listed('epoch', epochs.starvingMutants, self, 'statechart', usual),
  ...listed('epoch', epochs.stuckMutants, self, 'statechart', [...usual, ...leased]),
  ...listed('epoch', epochs.overMutants, own, 'statechart', [...roomless, ...forgetting]),
  ...listed('epoch', epochs.configuredMutants, withVotes, 'statechart', changed),
  ...listed('epoch', epochs.forgettingMutants, own, 'statechart', forgetting),
  ...listed('epoch', epochs.putOffMutants, self, 'statechart', [fleet({ strict })]),
  ...listed('epoch', leaseMutants, ([, machine]) => machine, 'statechart', leased),
  ...listed('members', members.mutants, ([, machine]) => memberPart(machine), 'membersStatechart', [
    ...changed,
    rush,
    contend,
  ]),
  ...listed('members', inTheLock, self, 'statechart', [rush, ...changed]),
  ...listed('members', members.foundingMutants, ([, machine]) => machine, 'foundingStatechart', founded),
  ...listed('members', members.stuckFoundingMutants, third, 'foundingStatechart', founded),
  // Mistakes of an operator, with the statecharts as they are.
  [
    'members/an emptied disk under the old id',
    { mutated: {}, scenarios: [erring('an emptied disk under the old id')] },
  ],
  ['members/an old copy of the disk', { mutated: {}, scenarios: [erring('an old copy of the disk')] }],
]);

export interface Found {
  /** Number of schedules up to the one that found it. */
  readonly schedules: number;
  readonly seed: number;
  /** The promise that was broken; `null`: none was in all of these schedules. */
  readonly what: string | null;
}

/** Runs schedules with the mutant, each of its kinds in turn, until one breaks a promise. */
export async function findMutant({ mutated, scenarios }: SimulatedMutant, most: number): Promise<Found> {
  let seed = 0;
  for (let schedules = 1; schedules <= most; schedules++) {
    const at = (schedules - 1) % scenarios.length;
    if (at === 0) seed += 1;
    try {
      await scenarios[at]!(seed, mutated);
    } catch (error) {
      return { schedules, seed, what: reasonOf(error) };
    }
  }
  return { schedules: most, seed, what: null };
}
