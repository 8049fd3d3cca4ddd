import { isDeepStrictEqual } from 'node:util';
import type { AnyStateMachine, SnapshotFrom } from 'xstate';
import type { NamedAction } from '../../machines/actor.ts';
import type { RecordedSnapshot } from '../../machines/record.ts';
import { type Step, start, take } from '../../statechart/xstate.ts';

/** One snapshot of the machine, met for the first time or again: equal snapshots are one object. */
export interface KnownSnapshot {
  /** As a record would say it. */
  readonly plain: RecordedSnapshot;
  readonly steps: Map<string, KnownStep>;
}

export interface KnownStep {
  readonly after: KnownSnapshot;
  readonly effects: readonly NamedAction[];
}

/** Where snapshots hold numbers that rise, there is no end to them. */
const mostKnown = 50_000;

const shared = new WeakMap<AnyStateMachine, Steps>();

/** The machine's steps, each computed once: a site has few distinct snapshots and meets them over and over. */
export class Steps {
  readonly #machine: AnyStateMachine;
  readonly #known = new Map<string, KnownSnapshot>();
  readonly #live = new WeakMap<KnownSnapshot, SnapshotFrom<AnyStateMachine>>();

  constructor(machine: AnyStateMachine) {
    this.#machine = machine;
  }

  /** The steps of `machine`, the same for each caller: records of one machine meet the same snapshots. */
  static of(machine: AnyStateMachine): Steps {
    const known = shared.get(machine) ?? new Steps(machine);
    shared.set(machine, known);
    return known;
  }

  start(input: unknown): KnownStep {
    return this.#intern(start(this.#machine, input as never));
  }

  take(from: KnownSnapshot, event: { readonly type: string }): KnownStep {
    const key = JSON.stringify(event);
    const known = from.steps.get(key);
    if (known !== undefined) return known;
    const step = this.#intern(take(this.#machine, this.#live.get(from)!, event));
    from.steps.set(key, step);
    return step;
  }

  #intern({ snapshot, effects }: Step<AnyStateMachine>): KnownStep {
    const text = JSON.stringify({ value: snapshot.value, context: snapshot.context });
    let after = this.#known.get(text);
    if (after === undefined) {
      if (this.#known.size >= mostKnown) this.#known.clear();
      after = { plain: JSON.parse(text) as RecordedSnapshot, steps: new Map() };
      this.#known.set(text, after);
      this.#live.set(after, snapshot);
    }
    return { after, effects: JSON.parse(JSON.stringify(effects)) as NamedAction[] };
  }
}

/** Equal as JSON: the order of keys means nothing. */
export function same(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(a, b);
}
