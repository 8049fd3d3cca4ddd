import { isDeepStrictEqual } from 'node:util';
import { successors } from '../checker/model.ts';
import type { Compiled } from './compile.ts';
import { SystemError } from './errors.ts';
import type { Action, Trace, TraceStep } from './system.ts';
import { actionText } from './text.ts';
import { type PathStep, written } from './trace.ts';

/**
 * Repeats a trace step by step: every action, effect and state must come out as written. Returns the path.
 * `TRACE_REFUSED` names the first step that the system cannot take, and the steps that it can take there.
 */
export function replayTrace(compiled: Compiled, trace: Trace): readonly PathStep[] {
  const { model } = compiled;
  let state: readonly number[] | undefined = model.initial.find((initial) =>
    is(compiled, initial, { ...trace, state: trace.initial }),
  );
  if (state === undefined) throw refused(compiled, 'does not start as the trace does');
  const states = [state];
  const path: PathStep[] = [];
  for (const [index, wanted] of trace.steps.entries()) {
    const { action, effects } = wanted;
    const before: readonly number[] = state;
    const found = enabled(compiled, before).find(
      (step) =>
        isDeepStrictEqual(step.action, action) &&
        isDeepStrictEqual(
          plain(compiled.effects(step.process, before[step.process]!, step.step)),
          plain(effects),
        ) &&
        is(compiled, step.after, wanted),
    );
    if (found === undefined) throw refused(compiled, whyNot(compiled, before, action, index));
    path.push({ process: found.process, step: found.step });
    state = found.after;
    states.push(state);
  }
  const { loop } = trace;
  if (loop !== undefined && !isDeepStrictEqual(states[loop], state)) {
    throw refused(
      compiled,
      `is, after the last step, not where it was after step ${loop}: the trace is no lasso`,
    );
  }
  return path;
}

interface Enabled extends PathStep {
  readonly action: Action;
  readonly after: readonly number[];
}

function enabled(compiled: Compiled, state: readonly number[]): readonly Enabled[] {
  const { model } = compiled;
  return Array.from(successors(model, state), ({ process, step, after }) => ({
    process,
    step: model.steps(process, state[process]!).findIndex((other) => isDeepStrictEqual(other, step)),
    action: compiled.action(step.action),
    after,
  }));
}

function whyNot(compiled: Compiled, state: readonly number[], action: Action, index: number): string {
  const choices = enabled(compiled, state);
  const wanted = actionText(action);
  if (choices.some((choice) => isDeepStrictEqual(choice.action, action))) {
    return `takes step ${index + 1} (${wanted}) with other effects, or to another state`;
  }
  const texts = choices.map((choice) => actionText(choice.action));
  return `cannot take step ${index + 1} (${wanted}). It could have taken: ${texts.join('; ') || 'nothing'}`;
}

function is(compiled: Compiled, state: readonly number[], { state: record, history }: Written): boolean {
  return isDeepStrictEqual(plain(written(compiled, state)), plain({ state: record, history }));
}

type Written = Pick<TraceStep, 'state' | 'history'>;

/** The value as it looks after it has been written to a file and read again. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function refused({ system }: Compiled, why: string): SystemError {
  return new SystemError('TRACE_REFUSED', `System '${system.name}' ${why}.`);
}
