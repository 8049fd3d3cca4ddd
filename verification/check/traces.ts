import { type Found, type SearchOptions, shortestTrace } from '../checker/search.ts';
import { type Compiled, stateAfter, traceOf } from '../system/index.ts';
import type { PropertyResult, Trace } from '../system/system.ts';
import { noFault, type StateProperty } from './questions.ts';

/** What an exploration found for a property, as a verdict. */
export type Judge = (property: StateProperty, found: Found | null) => Promise<PropertyResult>;

/** `how`: what the states were found with. `incomplete`: why not all were seen, or `null`. */
export function judgeOf(
  compiled: Compiled,
  how: Pick<SearchOptions, 'constraint' | 'symmetry'>,
  incomplete: string | null,
): Judge {
  // Several properties are often broken in the same state.
  const known = new Map<string, Promise<Shown>>();
  const shown = (found: Found): Promise<Shown> => {
    const key = found.state.join();
    const trace = known.get(key) ?? show(compiled, found, how);
    known.set(key, trace);
    return trace;
  };
  return async (property, found) => {
    const { name, kind } = property;
    if (found !== null) {
      const { trace, state } = await shown(found);
      if (kind === 'reachable') return { name, kind, verdict: 'holds', trace };
      const reason = reasonOf(compiled, property, state, found.depth);
      return { name, kind, verdict: 'violated', trace, reason };
    }
    if (incomplete !== null) return { name, kind, verdict: 'incomplete', reason: incomplete };
    if (kind !== 'reachable') return { name, kind, verdict: 'holds' };
    return { name, kind, verdict: 'violated', reason: 'no reachable state is like that' };
  };
}

interface Shown {
  readonly trace: Trace;
  readonly state: readonly number[];
}

async function show(compiled: Compiled, found: Found, how: Pick<SearchOptions, 'constraint' | 'symmetry'>) {
  const { steps } = await shortestTrace(compiled.model, found, how);
  return { trace: traceOf(compiled, steps), state: stateAfter(compiled.model, steps) };
}

function reasonOf(
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
  if (property.kind === 'always' && property.because !== undefined) return property.because(view);
  return `it does not hold after ${steps} steps`;
}
