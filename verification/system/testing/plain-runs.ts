import type { StatePredicate, System } from '../system.ts';
import { firstWorld, holds, steps, textOf, type World } from './plain-explorer.ts';

/** Gives what happens (`bob deliver ann …`) the name of its class, or `null`. */
export type ClassOf = (label: string) => string | null;

interface Node {
  readonly enabled: ReadonlySet<string>;
  /** Where a step leads to a state in which the predicate does not hold: its class, and that state. */
  readonly next: readonly (readonly [string | null, number])[];
}

/**
 * A second implementation of properties of runs: reports whether a run that is weakly fair to all classes
 * never reaches a state in which `predicate` holds. Such a run exists iff, among the states before any such
 * state, it may stay in one for ever, or a whole strongly connected component takes or disables every class.
 */
export function isAvoidable(system: System, predicate: StatePredicate, classOf: ClassOf): boolean {
  const nodes = statesBefore(system, predicate, classOf);
  if (nodes.some(({ enabled }) => enabled.size === 0)) return true;
  const reach = nodes.map((_, from) => reachedFrom(nodes, from));
  return nodes.some((node, from) => {
    const component = [...reach[from]!].filter((other) => reach[other]!.has(from));
    return component.length > 0 && [...node.enabled].every((name) => isTreatedFairly(nodes, component, name));
  });
}

function isTreatedFairly(nodes: readonly Node[], component: readonly number[], name: string): boolean {
  return component.some((at) => {
    const { enabled, next } = nodes[at]!;
    return !enabled.has(name) || next.some(([taken, to]) => taken === name && component.includes(to));
  });
}

/** In one step or more. */
function reachedFrom(nodes: readonly Node[], from: number): ReadonlySet<number> {
  const reached = new Set(nodes[from]!.next.map(([, to]) => to));
  for (const at of reached) for (const [, to] of nodes[at]!.next) reached.add(to);
  return reached;
}

function statesBefore(system: System, predicate: StatePredicate, classOf: ClassOf): readonly Node[] {
  const numbers = new Map<string, number>();
  const worlds: World[] = [];
  const numberOf = (world: World): number | null => {
    if (holds(predicate, system, world)) return null;
    const known = numbers.get(textOf(world));
    if (known !== undefined) return known;
    numbers.set(textOf(world), worlds.length);
    return worlds.push(world) - 1;
  };
  for (const inputs of system.starts ?? [{}]) numberOf(firstWorld(system, inputs));
  const nodes: Node[] = [];
  for (const world of worlds) {
    // A step that changes nothing is neither enabled nor taken.
    const here = textOf(world);
    const ways = [...steps(system, world)]
      .filter(([, after]) => textOf(after) !== here)
      .map(([label, after]) => [classOf(label), numberOf(after)] as const);
    nodes.push({
      enabled: new Set(ways.flatMap(([name]) => (name === null ? [] : [name]))),
      next: ways.flatMap(([name, to]) => (to === null ? [] : [[name, to] as const])),
    });
  }
  return nodes;
}
