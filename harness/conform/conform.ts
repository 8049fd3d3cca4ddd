import { isDeepStrictEqual } from 'node:util';
import type { AnyStateMachine } from 'xstate';
import type { SiteId } from '../../machines/actor.ts';
import { CodedError } from '../../machines/errors.ts';
import type { Held } from '../../runtime/api/lock.ts';
import type { LockActor } from '../../runtime/site/lock-actor.ts';
import { epoch } from '../../verification/protocols/epoch/system.ts';
import { type Action, actionText, type StateRecord, stateText } from '../../verification/system/index.ts';
import { graphOf, type Transition, toursOf } from './graph.ts';
import { closeSites, openSites, type RealSite } from './real-sites.ts';

/**
 * - `SITE_DIFFERS`: after a step a site, or the messages on their way, differ from the model.
 * - `SITE_CRASHED`: a site ended by an error of its own.
 */
export class ConformError extends CodedError<'SITE_DIFFERS' | 'SITE_CRASHED'> {}

export interface ConformOptions {
  readonly sites: number;
  /** Number of changes of epoch that may begin. Default: 1 with two sites, else 0. */
  readonly changes?: number;
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
 * Drives every transition of the explored graph of `epoch`, in the model's order, on sites as they run, over TCP: clients ask and
 * release by the lock's own queue, and each message is held back at its receiver until the model delivers it. After each step all
 * sites and all that is on its way must be as in the model. Throws `ConformError` with the run so far.
 */
export async function conform(options: ConformOptions): Promise<Conformed> {
  const {
    sites: count,
    changes = count === 2 ? 1 : 0,
    statechart,
    patienceMs = 5_000,
    signal,
    onProgress,
  } = options;
  // No message is taken off the network early and no states are merged, because a running site does neither.
  const network = { order: 'fifo' } as const;
  const asked = {
    sites: count,
    network,
    changes,
    crashes: 'none',
    keepDead: true,
    answers: true,
    keepFrozen: true,
  } as const;
  const system = epoch(asked);
  const { initial, states, transitions } = graphOf(system);
  const failure: { error: Error | null } = { error: null };
  const sites = await openSites(
    Object.keys(system.actors),
    (error) => {
      failure.error ??= error;
    },
    statechart,
  );
  try {
    const taken = new Set<Transition>();
    let [runs, steps] = [0, 0];
    for (const tour of toursOf(initial)) {
      const run = new Run(sites, `run ${runs}`, failure, patienceMs);
      await run.begin(initial.record);
      for (const transition of tour) {
        signal?.throwIfAborted();
        await run.take(transition);
        taken.add(transition);
        steps += 1;
      }
      runs += 1;
      onProgress?.(taken.size, transitions);
    }
    return { states, transitions: taken.size, runs, steps };
  } finally {
    closeSites(sites);
  }
}

/** One run: a lock that no site has used before. */
class Run {
  readonly #sites: readonly RealSite[];
  readonly #lock: string;
  readonly #failure: { readonly error: Error | null };
  readonly #patienceMs: number;
  /** The locks that callers hold. */
  readonly #held = new Map<SiteId, Held>();
  readonly #done: string[] = [];

  constructor(
    sites: readonly RealSite[],
    lock: string,
    failure: { readonly error: Error | null },
    patienceMs: number,
  ) {
    this.#sites = sites;
    this.#lock = lock;
    this.#failure = failure;
    this.#patienceMs = patienceMs;
  }

  async begin(expected: StateRecord): Promise<void> {
    for (const { site } of this.#sites) site.actor(this.#lock);
    await this.#settle(expected);
  }

  async take({ action, to }: Transition): Promise<void> {
    this.#done.push(actionText(action));
    this.#do(action);
    await this.#settle(to.record);
  }

  #do(action: Action): void {
    const { site, mailbox } = this.#sites.find(({ id }) => id === action.actor)!;
    const actor = site.actor(this.#lock);
    if (action.kind === 'deliver') {
      mailbox.deliver(action.source!, this.#lock);
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

  /** Resolves once all sites and all messages on their way are as in the model. */
  async #settle(expected: StateRecord): Promise<void> {
    const until = performance.now() + this.#patienceMs;
    for (;;) {
      const { error } = this.#failure;
      if (error !== null) {
        throw new ConformError('SITE_CRASHED', `${error.message}, after ${this.#way()}`, { cause: error });
      }
      const now = this.#record(expected);
      if (isDeepStrictEqual(now, uncounted(expected)) && this.#callersHave(expected)) return;
      if (performance.now() > until) {
        throw new ConformError(
          'SITE_DIFFERS',
          `after ${this.#way()}\nthe model has\n${stateText(expected)}\nand the sites are\n${stateText(now)}\n${this.#holders()}`,
        );
      }
      await new Promise(setImmediate);
    }
  }

  /** A caller holds the lock exactly where the model's client is in its critical section. */
  #callersHave(expected: StateRecord): boolean {
    return this.#sites.every(
      ({ id }) =>
        this.#holds(id) === ((expected[id]!.value as { readonly client: string }).client === 'inCS'),
    );
  }

  #holds(id: SiteId): boolean {
    return this.#held.get(id)?.signal.aborted === false;
  }

  #holders(): string {
    const holders = this.#sites.flatMap(({ id }) => (this.#holds(id) ? [id] : []));
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
      this.#sites.map(({ id, site, mailbox }) => {
        const { value, context } = site.actor(this.#lock).snapshot;
        const inbox = this.#sites.flatMap(({ id: source }) =>
          mailbox.held(source, this.#lock).map(({ message }) => ({ source, message })),
        );
        return [id, uncounted({ ...expected[id]!, up: true, value, context, inbox })];
      }),
    );
  }
}

/** As JSON, without the number of grants, which has no bound: the model leaves it out. */
function uncounted<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value, (key, part: unknown) => (key === 'k' ? 0 : part)));
}
