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
import { closeSites, openSites, type RealSite } from './real-sites.ts';

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
}

/** The environments whose graphs are small enough to be driven in seconds, by the number of sites. */
export const environments: Readonly<Record<2 | 3, readonly Environment[]>> = {
  2: [{}],
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

/** Number of runs that go on at once. */
const atOnce = 32;
/** Number of runs, each with its lock, after which all sites are ended, and others opened. */
const runsOfSites = 4_000;

/**
 * Drives every transition of the explored graph of `epoch`, in the model's order, on sites as they run, over TCP: clients ask and
 * release by the lock's own queue, and each message is held back at its receiver until the model delivers it. After each step all
 * sites and all that is on its way must be as in the model. Several runs go on at once, each with a lock of its own. Throws
 * `ConformError` with the run so far, and `UsageError` for a site that does not exist.
 */
export async function conform(options: ConformOptions): Promise<Conformed> {
  const { statechart, signal, onProgress } = options;
  const system = systemOf(options);
  const explored = await Explored.of(system);
  const { states, transitions } = explored;
  const tours = toursOf(explored);
  const isTaken = new Uint8Array(transitions);
  let [taken, runs, steps] = [0, 0, 0];
  const records = new Records(explored);

  const driveOn = async (group: Group, last: number): Promise<void> => {
    while (runs < last) {
      const { value: tour } = tours.next();
      if (tour === undefined) return;
      const run = new Run(group, `run ${runs}`, records, options.patienceMs ?? 5_000);
      runs += 1;
      await run.begin();
      for (const transition of tour) {
        signal?.throwIfAborted();
        if (group.isOver) return;
        await run.take(explored.action(transition), explored.target(transition));
        steps += 1;
        if (isTaken[transition] === 1) continue;
        isTaken[transition] = 1;
        taken += 1;
      }
      onProgress?.(taken, transitions);
    }
  };
  while (taken < transitions) {
    const group: Group = { sites: [], error: null, isOver: false };
    const crashed = (error: Error) => {
      group.error ??= error;
    };
    group.sites = await openSites(Object.keys(system.actors), crashed, statechart);
    const last = runs + runsOfSites;
    try {
      await Promise.all(Array.from({ length: atOnce }, () => driveOn(group, last)));
    } finally {
      group.isOver = true;
      closeSites(group.sites);
    }
  }
  return { states, transitions: taken, runs, steps };
}

function systemOf({ sites, changes = 1, asking, standing }: ConformOptions): System {
  // No message is taken off the network early and no states are merged, because a running site does neither.
  const asRunning = { crashes: 'none', keepDead: true, answers: true, keepFrozen: true } as const;
  const system = epoch({ sites, network: { order: 'fifo' }, changes, ...asRunning });
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
interface Group {
  sites: readonly RealSite[];
  /** The error by which a site ended. */
  error: Error | null;
  /** A run has failed, or all are done. */
  isOver: boolean;
}

/** A site's state in the model. */
interface Expected {
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
        expected = { text: textOf(record[id]!), inbox: record[id]!.inbox.length };
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

/** One run: a lock that no site has used before. */
class Run {
  readonly #group: Group;
  readonly #lock: string;
  readonly #records: Records;
  readonly #patienceMs: number;
  /** The locks that callers hold. */
  readonly #held = new Map<SiteId, Held>();
  readonly #done: string[] = [];

  constructor(group: Group, lock: string, records: Records, patienceMs: number) {
    this.#group = group;
    this.#lock = lock;
    this.#records = records;
    this.#patienceMs = patienceMs;
  }

  async begin(): Promise<void> {
    for (const { site } of this.#group.sites) site.actor(this.#lock);
    await this.#settle(0);
  }

  /** Takes an action, after which all must be as in `state`. */
  async take(action: Action, state: number): Promise<void> {
    this.#done.push(actionText(action));
    this.#do(action);
    await this.#settle(state);
  }

  #do(action: Action): void {
    const { site, mailbox } = this.#group.sites.find(({ id }) => id === action.actor)!;
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
    const expected = this.#records.of(state);
    const until = performance.now() + this.#patienceMs;
    while (!this.#group.isOver) {
      const { error } = this.#group;
      if (error !== null) {
        throw new ConformError('SITE_CRASHED', `${error.message}, after ${this.#way()}`, { cause: error });
      }
      if (this.#isAs(expected)) return;
      if (performance.now() > until) {
        const record = this.#records.explored.record(state);
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
    const { sites } = this.#group;
    // The number of messages, which is quickly told, shows whether one has not come yet.
    if (sites.some(({ mailbox }, index) => mailbox.count(this.#lock) !== expected[index]!.inbox))
      return false;
    return sites.every((one, index) => {
      if (textOf(this.#siteRecord(one)) !== expected[index]!.text) return false;
      const { client } = one.site.actor(this.#lock).snapshot.value;
      return this.#holds(one.id) === (client === 'inCS');
    });
  }

  #holds(id: SiteId): boolean {
    return this.#held.get(id)?.signal.aborted === false;
  }

  #holders(): string {
    const holders = this.#group.sites.flatMap(({ id }) => (this.#holds(id) ? [id] : []));
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
      this.#group.sites.map((site) => [
        site.id,
        { ...expected[site.id]!, up: true, ...this.#siteRecord(site) },
      ]),
    );
  }

  #siteRecord({ site, mailbox }: RealSite): SiteRecord {
    const { value, context } = site.actor(this.#lock).snapshot;
    const inbox = this.#group.sites.flatMap(({ id: source }) =>
      mailbox.held(source, this.#lock).map(({ message }) => ({ source, message })),
    );
    return { value, context, inbox };
  }
}
