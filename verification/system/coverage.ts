import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import type { World } from './world.ts';

/** Which transitions of a statechart were taken in the steps that were explored. */
export interface MachineCoverage {
  /** The machine's id. */
  readonly machine: string;
  readonly transitions: number;
  /** In the order of the definition. */
  readonly never: readonly NeverTaken[];
}

/** A transition that no run takes. */
export interface NeverTaken {
  /** Id of the state that it leaves: `site.client.idle`. */
  readonly state: string;
  /** `''` for `always`. */
  readonly event: string;
  readonly guard: string | null;
  readonly targets: readonly string[];
}

/** Coverage of every machine of the system, in the order of its actors. Meaningful once the exploration is over. */
export function coverageOf(world: World): readonly MachineCoverage[] {
  const cells = world.specs.map(({ machine }, cell) => [machine, cell] as const);
  return [...new Map(cells)].map(([machine, cell]) => {
    const taken = new Set<AnyTransitionDefinition>(world.stepper(cell).taken());
    const all = transitionsOf(machine);
    return {
      machine: machine.id,
      transitions: all.length,
      never: all.filter((transition) => !taken.has(transition)).map(described),
    };
  });
}

function transitionsOf(machine: AnyStateMachine): readonly AnyTransitionDefinition[] {
  const nodes: AnyStateNode[] = [machine.root];
  for (const node of nodes) nodes.push(...Object.values(node.states));
  return nodes
    .sort((left, right) => left.order - right.order)
    .flatMap((node) => [...[...node.transitions.values()].flat(), ...(node.always ?? [])]);
}

function described({ source, eventType, guard, target }: AnyTransitionDefinition): NeverTaken {
  return {
    state: source.id,
    event: eventType,
    guard: guard === undefined ? null : guardText(guard),
    targets: (target ?? []).map(({ id }) => id),
  };
}

function guardText(guard: unknown): string {
  if (typeof guard === 'string') return guard;
  if (typeof guard === 'object' && guard !== null && 'type' in guard) return String(guard.type);
  if (typeof guard === 'function') return guard.name || 'inline guard';
  return 'guard';
}
