import { successors } from '../../checker/model.ts';
import { compile } from '../compile.ts';
import type { StateRecord, System } from '../system.ts';

/** Every reachable state of a small system, written out. */
export function breadthFirstStates(system: System): readonly StateRecord[] {
  const { model, record } = compile(system);
  const states = [...model.initial];
  const seen = new Set(states.map(String));
  for (const state of states) {
    for (const { after } of successors(model, state)) {
      if (seen.has(String(after))) continue;
      seen.add(String(after));
      states.push(after);
    }
  }
  return states.map(record);
}
