import type { AnyStateNode, AnyTransitionDefinition, StateValue } from 'xstate';
import type { Action } from './actions.ts';
import type { Guard } from './guards.ts';
import { ancestorsOf, type HistoryValue, isAtomic } from './sets.ts';

/** A transition that may be taken if its guard allows it. */
export interface Option {
  readonly transition: AnyTransitionDefinition;
  readonly guard: Guard | null;
}

/**
 * The candidates for an event in a state. The inner states come first. If they take nothing, the first own
 * option whose guard allows it is taken.
 */
export interface Choice {
  readonly inner: readonly Choice[];
  readonly own: readonly Option[];
}

/** One microstep: its actions, in order, as one, and the configuration in which it ends. */
export interface Microstep {
  readonly act: Action;
  readonly target: Configuration;
  /** True when XState makes a new snapshot for it, even if the active states are the same. */
  readonly changes: boolean;
}

/** Extends a route with the transitions that are selected. */
export type Select = (...guarded: readonly [...Parameters<Guard>, route: Route]) => Route;

/** The transitions selected so far. `microstep` is computed when it is first taken. */
export class Route {
  readonly taken: readonly Option[];
  microstep: Microstep | null = null;
  readonly #last: Option | undefined;
  /** The routes that are longer by one transition. */
  readonly #next: Route[] = [];

  constructor(taken: readonly Option[]) {
    this.taken = taken;
    this.#last = taken.at(-1);
  }

  with(option: Option): Route {
    // There are few routes, and a map would hash each option.
    for (const route of this.#next) if (route.#last === option) return route;
    const route = new Route([...this.taken, option]);
    this.#next.push(route);
    return route;
  }
}

/** The active states, interned. The object also caches everything derived from them. */
export class Configuration {
  /** The active states in order of entry, as far as the order matters. */
  readonly nodes: readonly AnyStateNode[];
  /** The state value in XState's form. */
  readonly value: StateValue;
  readonly history: HistoryValue;
  /** For each `stateIn`, by its number: true if it holds. */
  readonly matches: (boolean | undefined)[] = [];
  /**
   * Selects the transitions for each event type. Types that no transition names share a key if the same wildcards take
   * them.
   */
  readonly choices = new Map<string, Select>();
  /** Selects the transitions that need no event; `null`: there are none. Set once, as the configuration is made. */
  eventless: Select | null = null;
  readonly start = new Route([]);

  constructor(nodes: readonly AnyStateNode[], value: StateValue, history: HistoryValue) {
    this.nodes = nodes;
    this.value = value;
    this.history = history;
  }
}

/**
 * Two orders of entry are one configuration unless a step can tell them apart. XState makes regions take an
 * event, and atomic states take their `always`, in the order in which they were entered.
 */
export function keyOf(nodes: readonly AnyStateNode[], history: HistoryValue): string {
  const orders = (some: readonly AnyStateNode[]) => some.map(({ order }) => order);
  const all = orders(nodes).sort((one, other) => one - other);
  const parallel = nodes
    .filter(({ type }) => type === 'parallel')
    .sort((one, other) => one.order - other.order);
  const regions = parallel.map((outer) => orders(nodes.filter(({ parent }) => parent === outer)));
  const remembered = Object.entries(history)
    .map(([id, states]) => `${id}=${orders(states).sort((one, other) => one - other)}`)
    .sort();
  return [all, ...regions, orders(nodes.filter(hasAlways)), ...remembered].join('|');
}

export function hasAlways(node: AnyStateNode): boolean {
  return isAtomic(node) && [node, ...ancestorsOf(node)].some(({ always }) => always !== undefined);
}

/** Returns the state value, frozen because it is shared. */
export function stateValueOf(node: AnyStateNode, nodes: readonly AnyStateNode[]): StateValue {
  const children = nodes.filter(({ parent }) => parent === node);
  const [child] = children;
  if (node.type === 'compound' && child && isAtomic(child)) return child.key;
  return Object.freeze(Object.fromEntries(children.map((inner) => [inner.key, stateValueOf(inner, nodes)])));
}
