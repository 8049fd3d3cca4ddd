import type { AnyStateMachine, EventObject, StateValue } from 'xstate';
import type { SiteId } from '../../../machines/actor.ts';
import {
  type Configuration,
  compare,
  firstConfiguration,
  isQuorum,
} from '../../../machines/members/configuration.ts';
import { compile } from '../../../statechart/compile.ts';
import type { State } from '../../../statechart/statechart.ts';
import { always, relation } from '../../system/properties.ts';
import type { ActorView, Property } from '../../system/system.ts';
import type { Memory } from './histories.ts';
import type { LockContext } from './lock.ts';

/** A site's states and variables, without the messages on their way to it. */
interface Site {
  readonly value: StateValue;
  readonly context: LockContext;
}

/**
 * Liveness, as one run from every state. Whichever sites are left, and though all that is under way is lost: as long as they are
 * a quorum of the last committed configuration, and those that were heard of and wait to be voters are among them, they
 * can elect a coordinator, which can begin the next change, and they can decide an epoch of the lock above all that were
 * decided. Where a voter is being removed, they must be a quorum without it, too: a coordinator is not to remove the one that
 * is left. Each tells all others what it holds; `inReach`: and they are in reach of it (M6). The runs are
 * made by the machine itself, with its refusals; no bound of the system holds for them.
 */
export function canGoOn(
  machine: AnyStateMachine,
  ids: readonly SiteId[],
  founders: readonly SiteId[],
  inReach: boolean,
): Property {
  const sites: (Site | null)[] = [null];
  const numbers = new Map<string, number>();
  const numberOf = ({ up, value, context }: ActorView) => {
    if (!up) return 0;
    const text = JSON.stringify([value, context]);
    const known = numbers.get(text);
    if (known !== undefined) return known;
    numbers.set(text, sites.length);
    sites.push({ value, context } as unknown as Site);
    return sites.length - 1;
  };
  const judged = new Map<string, boolean>();
  return always(
    'the rest can go on',
    relation(numberOf, (held, history) => {
      const { committed, elections } = history as Memory;
      const decided = Math.max(0, ...elections.map(({ epoch }) => epoch));
      const last = committed.reduce((one, other) => (compare(one, other) > 0 ? one : other), {
        term: 0,
        version: 1,
      });
      const key = `${held.join()} ${decided} ${last.term} ${last.version}`;
      const known = judged.get(key);
      if (known !== undefined) return known;
      const all = new Map(
        ids.map((id, at) => [id, sites[held[at]!]!] as const).filter(([, site]) => site !== null),
      );
      const voters = [
        firstConfiguration(founders),
        ...(history as Memory).written.map((one) => one.configuration),
      ].find((one) => compare(one, last) === 0)!;
      const holds = subsets([...all.keys()]).every((left) =>
        goesOn(machine, all, left, voters, decided, inReach),
      );
      judged.set(key, holds);
      return holds;
    }),
    ({ actors }) => JSON.stringify(actors.map(({ id, value, context }) => [id, value, context])),
  );
}

function goesOn(
  machine: AnyStateMachine,
  all: ReadonlyMap<SiteId, Site>,
  left: readonly SiteId[],
  committed: Configuration,
  decided: number,
  inReach: boolean,
): boolean {
  const set = Object.fromEntries(left.map((id) => [id, true] as const));
  const waiting = [...all.values()].flatMap(({ context }) => Object.keys(context.heard));
  if (!isQuorum(set, committed) || waiting.some((id) => !(id in set))) return true;
  const run = new Run(machine, all, left);
  if (inReach) for (const id of left) run.tell(id, { type: 'reach', sites: set } as EventObject);
  // What a site adopts it tells again.
  for (const id of [...left, ...left])
    for (const peer of left) if (peer !== id) run.tell(id, { type: 'tell', peer } as EventObject);
  const { newest } = run;
  const shrinks = Object.keys(newest.voters).length < Object.keys(committed.voters).length;
  if (shrinks && !isQuorum(set, newest)) return true;
  return run.coordinates() && run.decidesAbove(decided);
}

/** So often a site stands before it is taken never to win. */
const attempts = 6;

class Run {
  readonly #machine: ReturnType<typeof compile>;
  readonly #sites = new Map<SiteId, State>();
  #elected = 0;

  constructor(machine: AnyStateMachine, all: ReadonlyMap<SiteId, Site>, left: readonly SiteId[]) {
    this.#machine = compile(machine);
    for (const id of left) {
      const { value, context } = all.get(id)!;
      this.#sites.set(id, this.#machine.resume({ value, context: context as unknown as State['context'] }));
    }
  }

  /** The newest configuration that a site holds. */
  get newest(): Configuration {
    const held = [...this.#sites.values()].flatMap(
      ({ context }) => (context as unknown as LockContext).configuration ?? [],
    );
    return held.reduce((one, other) => (compare(one, other) > 0 ? one : other));
  }

  /** Some site comes to be ready for the next change. */
  coordinates(): boolean {
    return this.#tries('stand', (id) => {
      const { configuration } = this.#sites.get(id)!;
      return (configuration.value as { readonly members: string }).members === 'ready';
    });
  }

  decidesAbove(epoch: number): boolean {
    return this.#tries('standLock', () => this.#elected > epoch);
  }

  #tries(type: string, succeeds: (id: SiteId) => boolean): boolean {
    for (let attempt = 0; attempt < attempts; attempt++) {
      for (const id of this.#sites.keys()) {
        this.tell(id, { type });
        // One that is refused stands again soon, above the promise that it was told: so it need not alternate with one that cannot win.
        if (!succeeds(id)) this.tell(id, { type });
        if (succeeds(id)) return true;
      }
    }
    return false;
  }

  /** Delivers the event and all messages that follow from it. Messages to other sites are lost. */
  tell(first: SiteId, event: EventObject): void {
    const queue: (readonly [SiteId, EventObject])[] = [[first, event]];
    for (const [id, next] of queue) {
      const site = this.#sites.get(id);
      if (site === undefined) continue;
      const { configuration, context, effects } = this.#machine.step(site.configuration, site.context, next);
      this.#sites.set(id, { configuration, context });
      for (const effect of effects as readonly unknown[]) {
        const { type, target, message, epoch } = effect as {
          readonly type: string;
          readonly target: SiteId;
          readonly message: EventObject;
          readonly epoch: number;
        };
        if (type === 'send') queue.push([target, message]);
        if (type === 'elected') this.#elected = Math.max(this.#elected, epoch);
      }
    }
  }
}

function subsets(ids: readonly SiteId[]): readonly (readonly SiteId[])[] {
  return Array.from({ length: 2 ** ids.length }, (_, bits) => ids.filter((_, at) => (bits >> at) & 1));
}
