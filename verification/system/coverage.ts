import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import { interpreted, unimplementedIn } from './names.ts';
import type { System } from './system.ts';
import type { World } from './world.ts';

/** The transitions of a statechart, and those that no explored step took. */
export interface MachineCoverage {
  /** The machine's id. */
  readonly machine: string;
  readonly transitions: number;
  /** In the order of the definition. */
  readonly never: readonly NeverTaken[];
}

/** A transition that no run takes. */
export interface NeverTaken {
  /** Id of the state that the transition leaves: `site.client.idle`. */
  readonly state: string;
  /** `''` for `always`. */
  readonly event: string;
  readonly guard: string | null;
  readonly targets: readonly string[];
}

/** The named actions of a machine that are functions, or have no implementation, unless a check runs them. */
export interface NotRun {
  /** The machine's id. */
  readonly machine: string;
  readonly actions: readonly string[];
}

/** Returns one entry per machine that has such actions, in the order of its actors. */
export function notRun({ actors, outside = [], history }: System): readonly NotRun[] {
  const known = [...interpreted, ...outside, ...(history?.effects ?? [])];
  // A tree of actors runs all of them.
  const alone = Object.values(actors).filter(({ outcomes }) => outcomes === undefined);
  const machines = new Set(alone.map(({ machine }) => machine));
  return [...machines].flatMap((machine) => {
    const named = Object.entries(machine.implementations.actions as Readonly<Record<string, unknown>>);
    const functions = named.flatMap(([name, implementation]) =>
      typeof implementation === 'function' && !('type' in implementation) ? [name] : [],
    );
    const actions = [...functions, ...unimplementedIn(machine)].filter((name) => !known.includes(name));
    return actions.length === 0 ? [] : [{ machine: machine.id, actions }];
  });
}

/** Coverage of every machine of the system, in the order of its actors. Meaningful once the exploration is over. */
export function coverageOf(world: World): readonly MachineCoverage[] {
  const processes = world.specs.map(({ machine }, process) => [machine, process] as const);
  return [...new Map(processes)].map(([machine, process]) => {
    const taken = new Set<AnyTransitionDefinition>(world.stepper(process).taken());
    const all = transitionsOf(machine);
    return {
      machine: machine.id,
      transitions: all.length,
      never: all.filter((transition) => !taken.has(transition)).map(describedTransition),
    };
  });
}

/** Every transition of the machine, in the order of the definition. */
export function transitionsOf(machine: AnyStateMachine): readonly AnyTransitionDefinition[] {
  const nodes: AnyStateNode[] = [machine.root];
  for (const node of nodes) nodes.push(...Object.values(node.states));
  return nodes
    .sort((left, right) => left.order - right.order)
    .flatMap((node) => [...[...node.transitions.values()].flat(), ...(node.always ?? [])]);
}

export function describedTransition({
  source,
  eventType,
  guard,
  target,
}: AnyTransitionDefinition): NeverTaken {
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
