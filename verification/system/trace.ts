import { apply, type Model, type Step } from '../checker/model.ts';
import type { Compiled } from './compile.ts';
import type { Trace, TraceStep } from './system.ts';

/** A step of a path: the process that moves, and which of the steps that it can take. */
export interface PathStep {
  readonly process: number;
  /** Index in `model.steps(process, local)`. */
  readonly step: number;
}

/**
 * Returns the trace of `path` from an initial state. `loop`: the number of steps after which a lasso returns.
 * Default: the model's first initial state.
 */
export function traceOf(
  compiled: Compiled,
  path: readonly PathStep[],
  loop?: number,
  first: readonly number[] = compiled.model.initial[0]!,
): Trace {
  const walk = [...walked(compiled.model, path, first)];
  const steps = walk.map(
    ({ before, process, index, step, after }): TraceStep => ({
      action: compiled.action(step.action),
      effects: compiled.effects(process, before[process]!, index),
      ...written(compiled, after),
    }),
  );
  const { state: initial, ...history } = written(compiled, first);
  const trace = { initial, ...history, steps, ...(loop === undefined ? {} : { loop }) };
  paths.set(trace, { first, path });
  return trace;
}

interface Way {
  readonly first: readonly number[];
  readonly path: readonly PathStep[];
}

const paths = new WeakMap<Trace, Way>();

/**
 * Returns the path of a trace that `traceOf` made in this process: its initial state, and the steps from
 * there.
 */
export function pathOf(trace: Trace): Way | undefined {
  return paths.get(trace);
}

/** A state as traces show it. */
export function written(
  { system, record, decode }: Compiled,
  state: readonly number[],
): Pick<TraceStep, 'state' | 'history'> {
  return {
    state: record(state),
    ...(system.history === undefined ? {} : { history: decode(state).history }),
  };
}

/** The state at the end of `path`. */
export function stateAfter(
  model: Model,
  path: readonly PathStep[],
  first: readonly number[] = model.initial[0]!,
): readonly number[] {
  return [...walked(model, path, first)].at(-1)?.after ?? first;
}

interface Walked {
  readonly process: number;
  readonly index: number;
  readonly step: Step;
  readonly before: readonly number[];
  readonly after: readonly number[];
}

function* walked(model: Model, path: readonly PathStep[], first: readonly number[]): Generator<Walked> {
  let before = first;
  for (const { process, step: index } of path) {
    const step = model.steps(process, before[process]!)[index];
    const after = step === undefined ? null : apply(model, before, process, step);
    if (step === undefined || after === null)
      throw new RangeError(`Process ${process} has no step ${index} there.`);
    yield { process, index, step, before, after };
    before = after;
  }
}
