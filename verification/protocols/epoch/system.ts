import type { AnyStateMachine } from 'xstate';
import type { DurableState } from '../../../machines/epoch/messages.ts';
import { type SiteInput, siteMachine } from '../../../machines/epoch/site.ts';
import type { ActorSpec, Bound, EnvironmentEvent, System } from '../../system/system.ts';
import { bounded, overtaking } from '../line/overtaking.ts';
import { combining } from '../row.ts';
import { type Options, siteNames } from '../sites.ts';
import { nothingUnexpected } from '../unexpected.ts';
import { clocks } from './clocks.ts';
import { withoutCount } from './count.ts';
import { elections, grants } from './histories.ts';
import { ofLeases } from './leases.ts';
import {
  epochOf,
  follows,
  isCounted,
  isDead,
  isInside,
  leaseOf,
  promiseOf,
  seenFrozen,
  site,
} from './observed.ts';
import { boundedWithinEpochs, overtakingByEpoch } from './overtaking.ts';
import { ofCombining, ofElections, ofGrants, ofRestarts } from './properties.ts';

/** The faults of a system. All sites vote; the first is the founder. */
export interface EpochOptions extends Options {
  /** No site suspects once it has promised this epoch, so that it bounds the number of changes. Default: 1. */
  readonly changes?: number;
  /**
   * The sites that may end, each once. Default: the founder. `leavers`: every site, but only while its client is idle, as a site
   * that leaves: it hands on the token that others wait for, and says no goodbye.
   */
  readonly crashes?: 'founder' | 'all' | 'none' | 'leavers';
  /** May a crashed site start again, with its disk or without? Default: `'never'`. */
  readonly restart?: 'never' | 'with disk' | 'without disk';
  /** How often a link may lose the last of its messages under way. Default: 0. */
  readonly breaks?: Bound;
  /** Does a client give up at any time? Default: false. */
  readonly withdraw?: boolean;
  /** Clients also try, and say `again` so often in a row, where asks are counted as often in all. Default: they do not. */
  readonly inARow?: Bound;
  /** Does each `again` change the state, also where nobody counts (`combining`)? Default: false. */
  readonly isSeen?: boolean;
  /** `machine` runs in place of the real one: a mutant. */
  readonly machine?: AnyStateMachine;
  /** The sites that refuse stale candidates (R10); of the others a refusal is lost. Default: all. */
  readonly refusals?: 'all' | 'but the founder' | 'but the last' | 'none';
  /** Is a request that is not taken answered (M5)? Only with `keepDead`. Default: no, since each site suspects at any time. */
  readonly answers?: boolean;
  /** How often each site stands. Default: `'unbounded'`, by `changes` alone. */
  readonly stands?: Bound;
  /** Leave messages that will never be heeded on the network? Default: false. */
  readonly keepDead?: boolean;
  /** Whether frozen sites count as different that differ only in values that they will never read again (`seenFrozen`). Default: false. */
  readonly keepFrozen?: boolean;
  /** Leases? Default: false. */
  readonly strict?: boolean;
  /** Strict mode: the sites that send heartbeats once more than at each entry. Default: none. */
  readonly renews?: 'founder' | 'all' | 'none';
}

/** Clients ask without end; no grant is counted. For S1, S2 and S4. */
export function epoch(options: EpochOptions): System {
  const { changes = 1, restart, machine = siteMachine } = options;
  const properties = ofElections(siteNames(options), changes);
  return system('epoch', { ...options, machine: withoutCount(machine) }, 'unbounded', {
    history: elections,
    properties: restart === 'with disk' ? [...properties, ...ofRestarts] : properties,
  });
}

/** `epoch` with two changes, in which the founder may come back with its disk. */
export function epochRestarts(options: EpochOptions): System {
  return { ...epoch({ changes: 2, restart: 'with disk', ...options }), name: 'epoch-restarts' };
}

/** `epoch` with three changes and no crash; all but the founder refuse stale candidates. */
export function epochChanges(options: EpochOptions): System {
  const faults = { changes: 3, crashes: 'none', refusals: 'but the founder' } as const;
  return { ...epoch({ ...faults, ...options }), name: 'epoch-changes' };
}

/** `epoch`, whose clients also say `again` up to twice in a row, and try to enter without waiting. */
export function epochCombined(options: EpochOptions): System {
  return { ...epoch({ inARow: 2, ...options }), name: 'epoch-combined' };
}

/** Each client asks `asks` times (default: 2), and every grant is counted. For S3 and S5. */
export function epochFences(options: EpochOptions & { readonly asks?: number }): System {
  const { asks = 2 } = options;
  return system('epoch-fences', options, asks, {
    history: grants,
    properties: ofGrants(siteNames(options), asks),
  });
}

/** The bound of overtaking of the line rule. Default: one epoch, in which no site fails. */
export function epochOvertaking(options: EpochOptions): System {
  const most = options.sites - 1;
  const { machine = siteMachine, changes = 0, crashes = 'none', ...rest } = options;
  const founder = siteNames(options)[0]!;
  return system(
    'epoch-overtaking',
    { ...rest, changes, crashes, machine: withoutCount(machine) },
    'unbounded',
    changes === 0
      ? { history: overtaking(founder, most), properties: [bounded(most)] }
      : { history: overtakingByEpoch(siteNames(options), most), properties: [boundedWithinEpochs(most)] },
  );
}

/** Strict mode: `epoch` with leases, each client asks `asks` times (default: 1). For S6. */
export function epochStrict(options: EpochOptions & { readonly asks?: number }): System {
  const { asks = 1, machine = siteMachine } = options;
  return system('epoch-strict', { ...options, strict: true, machine: withoutCount(machine) }, asks, {
    history: clocks,
    properties: ofLeases(options),
  });
}

const release: EnvironmentEvent = { event: { type: 'release' }, when: (site) => site.in('client.inCS') };
/**
 * It is a release and an ask but where others stand in the line, so clients that also say `again` alone say it elsewhere: where
 * nobody waits, and where the section is lost already. A frozen site's line is not looked at (`seenFrozen`).
 */
const releaseAndAsk = (times: Bound, everywhere: boolean): EnvironmentEvent => ({
  event: { type: 'releaseAndAsk' },
  when: (actor) =>
    isInside(actor)
      ? everywhere || !follows(actor) || site(actor).context.line.length > 0
      : everywhere && actor.in('client.idle'),
  times,
});
/** The client speaks of a section that it has not heard is lost. */
const crossings = ['release', 'again'].map(
  (type): EnvironmentEvent => ({ event: { type }, when: (site) => site.in('client.idle') }),
);
const withdraw: EnvironmentEvent = {
  event: { type: 'withdraw' },
  when: (site) => site.in('client.requesting') || site.in('client.entering'),
};

function system(
  name: string,
  options: EpochOptions,
  asks: Bound,
  rest: Pick<System, 'history' | 'properties'>,
): System {
  const { changes = 1, crashes = 'founder', restart = 'never', breaks = 0, keepDead = false } = options;
  const { refusals = 'all', network, strict = false, renews = 'none', answers = false } = options;
  const { machine: plain = siteMachine, inARow } = options;
  const answering = answers ? plain : plain.provide({ guards: { answers: () => false } });
  const { machine, says } =
    inARow === undefined
      ? { machine: answering, says: [] }
      : combining(answering, inARow, {
          times: asks === 'unbounded' ? asks : inARow,
          isSeen: options.isSeen === true,
        });
  const sites = siteNames(options);
  const founder = sites[0]!;
  const withoutRefusals = machine.provide({ guards: { stale: () => false } });
  const input = (self: string, disk: SiteInput['disk']): SiteInput => ({
    self,
    founder,
    voters: sites,
    disk,
    strict,
  });
  const mayRenew = (self: string) =>
    strict && (renews === 'all' || (renews === 'founder' && self === founder));
  // Where asks are counted one site suffices, and keeps the states few.
  const mayAskAgain = (self: string) => asks === 'unbounded' || self === founder;
  const refuses = (self: string) =>
    refusals === 'all' ||
    (refusals === 'but the founder' && self !== founder) ||
    (refusals === 'but the last' && self !== sites.at(-1));
  const environment = (self: string): readonly EnvironmentEvent[] => [
    {
      event: { type: 'ask' },
      when: (site) => site.in('client.idle') || site.in('client.withdrawn'),
      times: asks,
    },
    release,
    ...(mayAskAgain(self) ? [releaseAndAsk(asks, inARow !== undefined)] : []),
    ...says,
    ...(inARow === undefined ? [] : crossings),
    ...(options.withdraw ? [withdraw] : []),
    ...(strict ? time(changes, asks) : []),
    ...(mayRenew(self) ? [heartbeat] : []),
    {
      event: { type: 'suspect' },
      when: (site) => !site.in('epoch.barred') && promiseOf(site) < changes,
      times: options.stands ?? 'unbounded',
    },
  ];
  const mayCrash = (self: string) => crashes === 'all' || (crashes === 'founder' && self === founder);
  const actor = (self: string): ActorSpec => ({
    machine: refuses(self) ? machine : withoutRefusals,
    input: input(self, 'none'),
    environment: environment(self),
    ...(keepDead ? {} : { dead: (message, site) => isDead(refuses(self), message, site) }),
    ...(mayCrash(self) ? { crash: { times: 1 } } : {}),
    ...(crashes === 'leavers' ? { crash: { times: 1, when: (site) => site.in('client.idle') } } : {}),
    ...(restart === 'never' || !mayCrash(self)
      ? {}
      : {
          restart: {
            input: (disk: unknown) => input(self, restart === 'with disk' ? (disk as DurableState) : 'lost'),
          },
        }),
  });
  const spec = actor(founder);
  return {
    name,
    actors: Object.fromEntries(sites.map((self) => [self, actor(self)])),
    network: { ...network, ...(breaks === 0 ? {} : { breaks }) },
    ...rest,
    ...(options.keepFrozen ? {} : { view: seenFrozen }),
    // The effects for clients, timers and the log.
    outside: [
      ...['grant', 'lost', 'elected', 'unheard', 'unexpected'],
      ...['leaseTimer', 'leased', 'leaseEnded', 'promiseTimer', 'promiseEnded'],
    ],
    properties: [
      ...rest.properties,
      ...(inARow === undefined ? [] : ofCombining(strict)),
      nothingUnexpected(spec, network),
    ],
  };
}

/** For as long as the client needs a lease, and nobody counts promises. */
const heartbeat: EnvironmentEvent = {
  event: { type: 'heartbeat' },
  when: (actor) => (isInside(actor) || actor.in('client.entering')) && leaseOf(actor).promises === null,
  times: 1,
};

/** Timers may ring at any moment; `clocks.ts` says what follows from that. */
function time(changes: number, asks: Bound): readonly EnvironmentEvent[] {
  const rounds = asks === 'unbounded' ? 0 : asks + 1;
  const promiseOver: EnvironmentEvent = {
    event: { type: 'promiseOver' },
    when: (actor) => actor.in('lease.bound'),
  };
  const leaseOver = (epoch: number, round: number): EnvironmentEvent => ({
    event: { type: 'leaseOver', epoch, round } as EnvironmentEvent['event'],
    when: (actor) => epochOf(actor) === epoch && isCounted(round, leaseOf(actor)),
  });
  const all = Array.from({ length: changes + 1 }, (_, epoch) =>
    Array.from({ length: rounds }, (_, round) => leaseOver(epoch, round + 1)),
  );
  return [promiseOver, ...all.flat()];
}
