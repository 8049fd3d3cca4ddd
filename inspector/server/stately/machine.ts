import { type AnyStateMachine, createMachine } from 'xstate';
import { chartOf } from '../../../verification/timeline/chart.ts';
import type { Chart } from '../../../verification/timeline/format.ts';

/** The statechart that an inspector tells as JSON; `null` where an actor is no machine, or is none that XState accepts. */
export function chartFrom(definition: string | undefined): Chart | null {
  if (definition === undefined) return null;
  try {
    const config = JSON.parse(definition) as Parameters<typeof createMachine>[0];
    const machine: AnyStateMachine = createMachine(config);
    return Object.keys(machine.root.states).length === 0 ? null : chartOf(machine);
  } catch {
    // Not every configuration survives as JSON: then its actor is shown without a statechart.
    return null;
  }
}

/** Ids of the states that are active in a state value of the chart. */
export function activeStates(chart: Chart, value: unknown): ReadonlySet<string> {
  const active = new Set([chart.root.id]);
  const visit = (state: Chart['root'], inside: unknown) => {
    for (const child of state.children) {
      const isActive =
        inside === child.key || (typeof inside === 'object' && inside !== null && child.key in inside);
      if (!isActive) continue;
      active.add(child.id);
      if (typeof inside === 'object') visit(child, (inside as Record<string, unknown>)[child.key]);
    }
  };
  visit(chart.root, value);
  return active;
}

/**
 * The transitions that lead from one value to another by `event`, as far as that can be told from outside: none of a
 * state that has several which do, since guards are not told.
 */
export function takenFrom(chart: Chart, before: unknown, event: string, after: unknown): readonly string[] {
  const from = activeStates(chart, before);
  const to = activeStates(chart, after);
  const possible = chart.transitions.filter(
    ({ source, event: by, targets }) =>
      by === event && from.has(source) && targets.every((target) => to.has(target)),
  );
  return possible
    .filter(({ source }) => possible.filter((other) => other.source === source).length === 1)
    .map(({ id }) => id);
}
