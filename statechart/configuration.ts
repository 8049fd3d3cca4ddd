import type { AnyStateNode, AnyTransitionDefinition, StateValue } from 'xstate';
import type { Action } from './actions.ts';
import type { Guard } from './guards.ts';
import { ancestorsOf, isAtomic } from './sets.ts';

/** A transition that may be taken, if its guard lets it. */
export interface Option {
  readonly transition: AnyTransitionDefinition;
  readonly guard: Guard | null;
}

/** Who takes an event in a state: those inside, or else the first of its own that may. */
export interface Choice {
  readonly inner: readonly Choice[];
  readonly own: readonly Option[];
}

/** One microstep: what it does, in order, and where it ends. */
export interface Microstep {
  readonly actions: readonly Action[];
  readonly target: Configuration;
}

/** The transitions that were selected so far; `microstep` is made when it is first taken. */
export class Route {
  readonly taken: readonly Option[];
  microstep: Microstep | null = null;
  readonly #last: Option | undefined;
  /** One transition further. */
  readonly #next: Route[] = [];

  constructor(taken: readonly Option[]) {
    this.taken = taken;
    this.#last = taken.at(-1);
  }

  with(option: Option): Route {
    // There are few, and a map would ask each for its hash.
    for (const route of this.#next) if (route.#last === option) return route;
    const route = new Route([...this.taken, option]);
    this.#next.push(route);
    return route;
  }
}

/** The states that are active, interned; with it stands all that has been found out about what follows from it. */
export class Configuration {
  /** In the order in which they were entered, as far as it matters. */
  readonly nodes: readonly AnyStateNode[];
  /** As XState says it. */
  readonly value: StateValue;
  /** Of each `stateIn`, by its number: whether it holds. */
  readonly matches: (boolean | undefined)[] = [];
  /** By the event's type; those that the machine does not know are `''`. */
  readonly choices = new Map<string, Choice>();
  /** For each atomic state, its `always` and those around it, innermost first. */
  readonly always: readonly (readonly Option[])[];
  readonly start = new Route([]);

  constructor(nodes: readonly AnyStateNode[], value: StateValue, always: readonly (readonly Option[])[]) {
    this.nodes = nodes;
    this.value = value;
    this.always = always;
  }
}

/**
 * Two orders of entry are one configuration unless a step can tell them apart: XState has regions take an event in the
 * order in which they were entered, and atomic states their `always`.
 */
export function keyOf(nodes: readonly AnyStateNode[]): string {
  const orders = (some: readonly AnyStateNode[]) => some.map(({ order }) => order);
  const all = orders(nodes).sort((one, other) => one - other);
  const parallel = nodes
    .filter(({ type }) => type === 'parallel')
    .sort((one, other) => one.order - other.order);
  const regions = parallel.map((outer) => orders(nodes.filter(({ parent }) => parent === outer)));
  return [all, ...regions, orders(nodes.filter(hasAlways))].join('|');
}

export function hasAlways(node: AnyStateNode): boolean {
  return isAtomic(node) && [node, ...ancestorsOf(node)].some(({ always }) => always !== undefined);
}

/** Frozen: it is shared. */
export function stateValueOf(node: AnyStateNode, nodes: readonly AnyStateNode[]): StateValue {
  const children = nodes.filter(({ parent }) => parent === node);
  const [child] = children;
  if (node.type === 'compound' && child && isAtomic(child)) return child.key;
  return Object.freeze(Object.fromEntries(children.map((inner) => [inner.key, stateValueOf(inner, nodes)])));
}
