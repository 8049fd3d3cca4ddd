import { isDeepStrictEqual } from 'node:util';
import type { AnyMachineSnapshot, AnyStateMachine, EventObject } from 'xstate';
import type { HistoryValue } from '../sets.ts';
import type { State, Stepped } from '../statechart.ts';
import { type Step, start, take } from '../xstate.ts';

/** The stepper that is compared with XState. */
export interface Stepper {
  start(input: unknown): Stepped;
  step(
    configuration: State['configuration'],
    context: State['context'],
    event: EventObject,
    owns?: boolean,
  ): Stepped;
}

/** The state of one machine in XState and in the stepper, after the same events. */
export interface Pair {
  readonly snapshot: AnyMachineSnapshot;
  readonly state: Stepped;
}

export class Difference extends Error {}

/** Runs XState and a stepper side by side. Throws `Difference` at the first step on which they disagree. */
export class Beside {
  readonly #machine: AnyStateMachine;
  readonly #stepper: Stepper;

  constructor(machine: AnyStateMachine, stepper: Stepper) {
    this.#machine = machine;
    this.#stepper = stepper;
  }

  /** `null`: both throw. */
  start(input?: unknown): Pair | null {
    return this.#compare(
      'start',
      attempt(() => {
        const started = start(this.#machine, input);
        if (started.snapshot.status === 'error') throw started.snapshot.error;
        return started;
      }),
      () => this.#stepper.start(input),
    );
  }

  take({ snapshot, state }: Pair, event: EventObject): Pair | null {
    const what = `${JSON.stringify(event)} in ${text(snapshot)}`;
    const expected = attempt(() => take(this.#machine, snapshot, event));
    const context = { ...state.context };
    this.#compare(`${what}, in place`, expected, () =>
      this.#stepper.step(state.configuration, context, event, true),
    );
    return this.#compare(what, expected, () => this.#stepper.step(state.configuration, state.context, event));
  }

  #compare(what: string, expected: Attempt<Step<AnyStateMachine>>, stepped: () => Stepped): Pair | null {
    const was = attempt(stepped);
    if ('error' in expected && 'error' in was) return null;
    if ('error' in expected || 'error' in was) {
      throw new Difference(`${what}: ${said(expected, (it) => text(it.snapshot))}, not ${said(was, textOf)}`);
    }
    const { snapshot, effects, timers } = expected.result;
    const state = was.result;
    const same =
      isDeepStrictEqual(state.configuration.value, snapshot.value) &&
      isDeepStrictEqual(state.context, snapshot.context) &&
      isDeepStrictEqual(state.effects, effects) &&
      isDeepStrictEqual(state.timers, timers) &&
      isDeepStrictEqual(state.output, snapshot.output) &&
      state.done === (snapshot.status === 'done') &&
      isDeepStrictEqual(remembered(state.configuration.history), remembered(snapshot.historyValue));
    if (!same) {
      const [left, right] = [text(snapshot), textOf(state)];
      throw new Difference(
        `${what}: ${left} ${JSON.stringify([effects, timers])}, not ${right} ` +
          JSON.stringify([state.effects, state.timers]),
      );
    }
    return { snapshot, state };
  }
}

type Attempt<Result> = { readonly result: Result } | { readonly error: unknown };

function attempt<Result>(work: () => Result): Attempt<Result> {
  try {
    return { result: work() };
  } catch (error) {
    return { error };
  }
}

function said<Result>(attempted: Attempt<Result>, tell: (result: Result) => string): string {
  return 'error' in attempted ? String(attempted.error) : tell(attempted.result);
}

const text = ({ value, context, historyValue, status, output }: AnyMachineSnapshot) =>
  JSON.stringify({ value, context, history: remembered(historyValue), done: status === 'done', output });
const textOf = ({ configuration: { value, history }, context, done, output }: Stepped) =>
  JSON.stringify({ value, context, history: remembered(history), done, output });

const remembered = (history: HistoryValue) =>
  Object.fromEntries(Object.entries(history).map(([id, nodes]) => [id, nodes.map((node) => node.id).sort()]));

/**
 * Compares every pair of a reachable snapshot and an event or a timer, breadth first, for at most `most`
 * snapshots.
 */
export function explore(
  beside: Beside,
  inputs: readonly unknown[],
  events: readonly EventObject[],
  { most, within = () => true }: { readonly most: number; readonly within?: (context: unknown) => boolean },
): { readonly snapshots: number; readonly steps: number } {
  const queue = inputs
    .map((input) => beside.start(input))
    .filter((pair) => pair !== null && pair.snapshot.status === 'active') as Pair[];
  const seen = new Set(queue.map(key));
  const fired = new Map<string, EventObject>();
  let steps = 0;
  for (const pair of queue) {
    for (const event of [...events, ...fired.values()]) {
      const after = beside.take(pair, event);
      steps++;
      for (const change of after?.state.timers ?? [])
        if ('arm' in change) fired.set(JSON.stringify(change.arm.event), change.arm.event);
      if (
        after === null ||
        after.snapshot.status !== 'active' ||
        seen.size === most ||
        !within(after.snapshot.context)
      )
        continue;
      const known = key(after);
      if (seen.has(known)) continue;
      seen.add(known);
      queue.push(after);
    }
  }
  return { snapshots: seen.size, steps };
}

/** The key includes the order in which states were entered, because it matters in XState. */
function key({ snapshot }: Pair): string {
  const { _nodes: nodes, context, historyValue } = snapshot;
  return `${nodes.map(({ order }) => order).join()} ${JSON.stringify([context, remembered(historyValue)])}`;
}
