import type { AnyStateMachine } from 'xstate';
import type { SiteId } from '../../machines/actor.ts';
import { CodedError } from '../../machines/errors.ts';
import type { Held } from '../../runtime/api/lock.ts';
import type { LockActor } from '../../runtime/site/lock-actor.ts';
import { UsageError } from '../../verification/check/errors.ts';
import { epoch } from '../../verification/protocols/epoch/system.ts';
import { actionText, stateText } from '../../verification/system/index.ts';
import type { Action, ActorSpec, StateRecord, System } from '../../verification/system/system.ts';
import { Explored, toursOf } from './graph.ts';
import { type RealSite, RealSites } from './real-sites.ts';

/**
 * - `SITE_DIFFERS`: after a step a site, or the messages on their way, differ from the model.
 * - `SITE_CRASHED`: a site ended by an error of its own.
 */
export class ConformError extends CodedError<'SITE_DIFFERS' | 'SITE_CRASHED'> {}

/** The events of a graph's sites: the sites that ask, and those that stand. */
export interface Environment {
  /** Number of changes of epoch that may begin. Default: 1. */
  readonly changes?: number;
  /** The sites that ask. Default: all. */
  readonly asking?: readonly SiteId[];
  /** The sites that suspect, and stand for election. Default: all. */
  readonly standing?: readonly SiteId[];
  /** Whether the first site, the root at first, crashes once, and whether it returns with its disk. Default: it stays. */
  readonly founder?: 'stays' | 'crashes' | 'returns';
}

/** The environments whose graphs are small enough to be driven in seconds, by the number of sites. */
export const environments: Readonly<Record<2 | 3, readonly Environment[]>> = {
  2: [{}, { changes: 0, founder: 'returns' }],
  3: [{ changes: 0 }, { asking: ['b'], standing: ['b', 'c'] }],
};

export interface ConformOptions extends Environment {
  readonly sites: number;
  /** The statechart that the sites run; the model is of the real one. For a test of the comparison. */
  readonly statechart?: AnyStateMachine;
  /** Limit in ms for a site to reach the state of the model. Default: 5,000. */
  readonly patienceMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (taken: number, of: number) => void;
}

export interface Conformed {
  readonly states: number;
  readonly transitions: number;
  /** Runs from the initial state, each with a lock of its own. */
  readonly runs: number;
  /** Transitions that were taken, some of them again on the way to others. */
  readonly steps: number;
}

/**
 * Clusters at once, the runs that go on at once on each, and the number of runs after which its sites are ended and others opened. A
 * crash is of a whole site, with all of its locks, and a site that comes back takes each lock for one that it may have had before:
 * where sites crash, each run has a cluster of its own.
 */
const paces = {
  stays: { clusters: 1, atOnce: 32, runsOfSites: 4_000 },
  crashes: { clusters: 8, atOnce: 1, runsOfSites: 1 },
} as const;

/**
 * Drives every transition of the explored graph of `epoch`, in the model's order, on sites as they run, over TCP: clients ask and
 * release by the lock's own queue, and each message is held back at its receiver until the model delivers it. After each step all
 * sites and all that is on its way must be as in the model. Several runs go on at once, each with a lock of its own. Throws
 * `ConformError` with the run so far, and `UsageError` for a site that does not exist.
 */
export async function conform(options: ConformOptions): Promise<Conformed> {
  const { founder = 'stays', patienceMs = 5_000, statechart, signal, onProgress } = options;
  const system = systemOf(options);
  const explored = await Explored.of(system);
  const { states, transitions, ids } = explored;
  const tours = toursOf(explored);
  const isTaken = new Uint8Array(transitions);
  let [taken, runs, steps, isExhausted] = [0, 0, 0, false];
  const records = new Records(explored);
  const { clusters, atOnce, runsOfSites } = paces[founder === 'stays' ? 'stays' : 'crashes'];
  /** A run has failed. */
  const over = new AbortController();

  const driveRuns = async (cluster: Cluster): Promise<void> => {
    while (cluster.runs < runsOfSites) {
      const { value: tour } = tours.next();
      isExhausted ||= tour === undefined;
      if (tour === undefined) return;
      cluster.runs += 1;
      const run = new Run(cluster, `run ${runs}`, { records, patienceMs, over: over.signal });
      runs += 1;
      await run.begin();
      for (const transition of tour) {
        signal?.throwIfAborted();
        if (over.signal.aborted) return;
        await run.take(explored.action(transition), explored.target(transition));
        steps += 1;
        if (isTaken[transition] === 1) continue;
        isTaken[transition] = 1;
        taken += 1;
      }
      onProgress?.(taken, transitions);
    }
  };
  const driveClusters = async (): Promise<void> => {
    while (!isExhausted && !over.signal.aborted) {
      const crashed = (error: Error) => {
        cluster.error ??= error;
      };
      const how = { crashed, restart: founder === 'returns', ...(statechart && { statechart }) };
      const cluster: Cluster = { sites: await RealSites.open(ids, how), runs: 0, error: null };
      try {
        await Promise.all(Array.from({ length: atOnce }, () => driveRuns(cluster)));
      } catch (error) {
        over.abort();
        throw error;
      } finally {
        await cluster.sites.close();
      }
    }
  };
  const driven = Array.from({ length: clusters }, driveClusters);
  try {
    await Promise.all(driven);
  } finally {
    await Promise.allSettled(driven);
  }
  return { states, transitions: taken, runs, steps };
}

function systemOf({ sites, changes = 1, asking, standing, founder = 'stays' }: ConformOptions): System {
  // No message is taken off the network early and no states are merged, because a running site does neither.
  const asRunning = { keepDead: true, answers: true, keepFrozen: true } as const;
  const crashes = founder === 'stays' ? 'none' : 'founder';
  const restart = founder === 'returns' ? 'with disk' : 'never';
  const system = epoch({ sites, network: { order: 'fifo' }, changes, crashes, restart, ...asRunning });
  const strangers = [...(asking ?? []), ...(standing ?? [])].filter((id) => !(id in system.actors));
  if (strangers.length > 0) {
    const sites = Object.keys(system.actors).join(', ');
    throw new UsageError(`no site is named ${strangers.join(' or ')}: expected some of ${sites}`);
  }
  const only = (id: SiteId, { environment = [], ...spec }: ActorSpec): ActorSpec => ({
    ...spec,
    environment: environment.filter(({ event: { type } }) => {
      const sites = type === 'ask' ? asking : type === 'suspect' ? standing : undefined;
      return sites?.includes(id) ?? true;
    }),
  });
  const actors = Object.entries(system.actors).map(([id, spec]) => [id, only(id, spec)] as const);
  return { ...system, actors: Object.fromEntries(actors) };
}

/** Sites, and the runs on them. */
interface Cluster {
  readonly sites: RealSites;
  /** Number of runs that have begun on these sites. */
  runs: number;
  /** The error by which a site ended. */
  error: Error | null;
}

/** A site's state in the model. */
interface Expected {
  readonly isUp: boolean;
  readonly text: string;
  /** Number of messages on their way to it. */
  readonly inbox: number;
}

/** The sites' states in the model, as texts that can be compared. Sites have the same local state in many states of the graph. */
class Records {
  readonly explored: Explored;
  readonly #known = new Map<string, Expected>();

  constructor(explored: Explored) {
    this.explored = explored;
  }

  /** All sites in `state`, in their order. */
  of(state: number): readonly Expected[] {
    let record: StateRecord | null = null;
    return this.explored.ids.map((id, process) => {
      const key = `${process} ${this.explored.local(state, process)}`;
      let expected = this.#known.get(key);
      if (expected === undefined) {
        record ??= this.explored.record(state);
        const { up: isUp, inbox } = record[id]!;
        expected = { isUp, text: textOf(record[id]!), inbox: inbox.length };
        this.#known.set(key, expected);
      }
      return expected;
    });
  }
}

type SiteRecord = Pick<StateRecord[string], 'value' | 'context' | 'inbox'>;

function textOf({ value, context, inbox }: SiteRecord): string {
  return plainText([value, context, inbox]);
}

/** JSON with sorted keys, without the number of grants, which has no bound: the model leaves it out. */
function plainText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(plainText).join()}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const keys = Object.keys(value).sort();
  const parts = keys.flatMap((key) => {
    const part = (value as Record<string, unknown>)[key];
    return part === undefined ? [] : [`"${key}":${key === 'k' ? 0 : plainText(part)}`];
  });
  return `{${parts.join()}}`;
}

interface RunSetting {
  readonly records: Records;
  /** Limit for a site to reach the state of the model. */
  readonly patienceMs: number;
  /** Another run has failed. */
  readonly over: AbortSignal;
}

/** One run: a lock that no site has used before. */
class Run {
  readonly #cluster: Cluster;
  readonly #lock: string;
  readonly #setting: RunSetting;
  /** The locks that callers hold. */
  readonly #held = new Map<SiteId, Held>();
  readonly #done: string[] = [];

  constructor(cluster: Cluster, lock: string, setting: RunSetting) {
    this.#cluster = cluster;
    this.#lock = lock;
    this.#setting = setting;
  }

  async begin(): Promise<void> {
    for (const { site } of this.#cluster.sites.all) site.actor(this.#lock);
    await this.#settle(0);
  }

  /** Takes an action, after which all must be as in `state`. */
  async take(action: Action, state: number): Promise<void> {
    this.#done.push(actionText(action));
    await this.#do(action);
    await this.#settle(state);
  }

  async #do(action: Action): Promise<void> {
    const real = this.#cluster.sites.of(action.actor);
    if (action.kind === 'crash') {
      real.crash();
      this.#held.delete(action.actor);
      return;
    }
    if (action.kind === 'restart') {
      await real.start();
      return;
    }
    const { site, mailbox } = real;
    const actor = site.actor(this.#lock);
    if (action.kind === 'deliver') {
      mailbox.deliver(action.source!, this.#lock);
      // A running candidate keeps votes back for a while, which is a longer way of the message. Here that time is over at once.
      actor.votes?.close();
      return;
    }
    const type = action.kind === 'environment' ? action.event.type : action.kind;
    switch (type) {
      case 'ask':
        this.#ask(action.actor, actor);
        return;
      case 'release':
        this.#release(action.actor);
        return;
      case 'releaseAndAsk':
        this.#release(action.actor);
        this.#ask(action.actor, actor);
        return;
      case 'suspect':
        actor.suspect({ reason: 'death', down: {} });
        return;
      default:
        throw new RangeError(`no site can be made to do this: ${actionText(action)}`);
    }
  }

  #ask(id: SiteId, actor: LockActor): void {
    // A caller that still waits at the end of the run ends with its site.
    actor.queue.acquire().then(
      (granted) => this.#held.set(id, granted),
      () => undefined,
    );
  }

  #release(id: SiteId): void {
    this.#held.get(id)!.release();
    this.#held.delete(id);
  }

  /** Resolves once all sites and all messages on their way are as in `state`, or another run has failed. */
  async #settle(state: number): Promise<void> {
    const expected = this.#setting.records.of(state);
    const { records, patienceMs, over } = this.#setting;
    const until = performance.now() + patienceMs;
    while (!over.aborted) {
      const { error } = this.#cluster;
      if (error !== null) {
        throw new ConformError('SITE_CRASHED', `${error.message}, after ${this.#way()}`, { cause: error });
      }
      if (this.#isAs(expected)) return;
      if (performance.now() > until) {
        const record = records.explored.record(state);
        throw new ConformError(
          'SITE_DIFFERS',
          `after ${this.#way()}\nthe model has\n${stateText(record)}\nand the sites are\n${stateText(this.#record(record))}\n${this.#holders()}`,
        );
      }
      await new Promise(setImmediate);
    }
  }

  /** Each site is as in the model, and a caller holds the lock exactly where the client is in its critical section. */
  #isAs(expected: readonly Expected[]): boolean {
    const { sites } = this.#cluster;
    // The number of messages, which is quickly told, shows whether one has not come yet.
    const isNear = sites.all.every((one, index) => {
      const wanted = expected[index]!;
      return one.isUp === wanted.isUp && (!one.isUp || one.mailbox.count(this.#lock) === wanted.inbox);
    });
    if (!isNear || !sites.haveMet()) return false;
    return sites.all.every((one, index) => {
      if (!one.isUp) return true;
      if (textOf(this.#siteRecord(one)) !== expected[index]!.text) return false;
      const { client } = one.site.actor(this.#lock).snapshot.value;
      return this.#holds(one.id) === (client === 'inCS');
    });
  }

  #holds(id: SiteId): boolean {
    return this.#held.get(id)?.signal.aborted === false;
  }

  #holders(): string {
    const holders = this.#cluster.sites.all.flatMap(({ id }) => (this.#holds(id) ? [id] : []));
    return holders.length === 0
      ? 'no caller holds the lock'
      : `callers hold the lock at ${holders.join(', ')}`;
  }

  #way(): string {
    return this.#done.length === 0 ? 'the start' : this.#done.join('; ');
  }

  /** The state of the sites in the model's form. */
  #record(expected: StateRecord): StateRecord {
    return Object.fromEntries(
      this.#cluster.sites.all.map((site) => [
        site.id,
        site.isUp
          ? { ...expected[site.id]!, up: true, ...this.#siteRecord(site) }
          : { ...expected[site.id]!, up: false },
      ]),
    );
  }

  #siteRecord({ site, mailbox }: RealSite): SiteRecord {
    const { value, context } = site.actor(this.#lock).snapshot;
    const inbox = this.#cluster.sites.all.flatMap(({ id: source }) =>
      mailbox.held(source, this.#lock).map(({ message }) => ({ source, message })),
    );
    return { value, context, inbox };
  }
}
