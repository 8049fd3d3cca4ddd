import { type Found, shortestTrace, type TraceOptions } from '../checker/packed/index.ts';
import { called, viewText } from '../system/callbacks.ts';
import { type Compiled, stateAfter, traceOf } from '../system/index.ts';
import type { Trace } from '../system/system.ts';
import { noFault, type StateProperty } from './questions.ts';
import type { Judged } from './report.ts';

/** Returns the verdict on a property from the finding of an exploration. */
export type Judge = (property: StateProperty, found: Found | null) => Promise<Judged>;

interface Circumstances {
  /** The reason why not all states were seen, or `null`. */
  readonly incomplete: string | null;
  /** True if only the system's constraint kept states from being seen. */
  readonly isConstrained: boolean;
  /** Omission probability of hash compaction; `null` without it. */
  readonly omissionProbability: number | null;
}

/**
 * `how`: the options with which the states were found. `timeoutMs` limits the search for all traces together.
 */
export function judgeOf(
  compiled: Compiled,
  { timeoutMs = Infinity, ...how }: TraceOptions,
  { incomplete, isConstrained, omissionProbability }: Circumstances,
): Judge {
  const deadline = performance.now() + timeoutMs;
  // Several properties are often broken in the same state.
  const known = new Map<string, Promise<Shown>>();
  const shown = (found: Found): Promise<Shown> => {
    const key = found.state.join();
    const trace =
      known.get(key) ?? show(compiled, found, { ...how, timeoutMs: deadline - performance.now() });
    known.set(key, trace);
    return trace;
  };
  return async (property, found) => {
    const { name, kind } = property;
    if (found !== null) {
      const { trace, state } = await shown(found);
      if (trace === null) {
        if (kind === 'reachable') return { name, kind, verdict: 'holds' };
        const reason = reasonOf(compiled, property, state, found.depth);
        return {
          name,
          kind,
          verdict: 'violated',
          reason: `${reason} (the time was over before the way there was found)`,
        };
      }
      if (kind === 'reachable') return { name, kind, verdict: 'holds', trace };
      const reason = reasonOf(compiled, property, state, trace.steps.length);
      return { name, kind, verdict: 'violated', trace, reason };
    }
    if (isConstrained && kind !== 'reachable') return { name, kind, verdict: 'holds within the constraint' };
    if (incomplete !== null) return { name, kind, verdict: 'incomplete', reason: incomplete };
    if (kind !== 'reachable') {
      const unless = omissionProbability === null ? {} : { omissionProbability };
      return { name, kind, verdict: 'holds', ...unless };
    }
    const reason = 'no reachable state is like that';
    if (omissionProbability === null) return { name, kind, verdict: 'violated', reason };
    return { name, kind, verdict: 'incomplete', reason: `${reason}, unless it was omitted` };
  };
}

interface Shown {
  /** `null`: the time was over. */
  readonly trace: Trace | null;
  readonly state: readonly number[];
}

async function show(compiled: Compiled, found: Found, how: TraceOptions): Promise<Shown> {
  const path = await shortestTrace(compiled.model, found, how);
  if (path === null) return { trace: null, state: found.state };
  return {
    trace: traceOf(compiled, path.steps, undefined, path.initial),
    state: stateAfter(compiled.model, path.steps, path.initial),
  };
}

export const stepsText = (steps: number): string => (steps === 1 ? '1 step' : `${steps} steps`);

/** The reason why a property is violated in this state, in words. */
export function reasonOf(
  compiled: Compiled,
  property: StateProperty,
  state: readonly number[],
  steps: number,
): string {
  const view = compiled.decode(state);
  if (property === noFault) {
    return view.actors
      .flatMap(({ id, fault }) => (fault === undefined ? [] : [`${id}: ${fault}`]))
      .join('; ');
  }
  if (property.kind === 'deadlockFree') return 'nothing can happen any more';
  if (property.kind === 'always' && property.because !== undefined) {
    const { because, name } = property;
    return called(
      `\`because\` of '${name}'`,
      () => viewText(view),
      () => because(view),
    );
  }
  return `it does not hold after ${stepsText(steps)}`;
}
