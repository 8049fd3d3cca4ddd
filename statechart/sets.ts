import type { AnyStateNode, AnyTransitionDefinition } from 'xstate';

/*
 * The sets of states that a microstep leaves and enters, by the "Algorithm for SCXML Interpretation" of the
 * W3C's SCXML (2015), appendix D. There is no history, and `reenter` has XState's meaning.
 */

export function isAtomic({ type }: AnyStateNode): boolean {
  return type === 'atomic';
}

/** The ancestors from the parent outwards, up to but excluding `to`. Empty if `to` is the node itself. */
export function ancestorsOf(node: AnyStateNode, to?: AnyStateNode): readonly AnyStateNode[] {
  const ancestors: AnyStateNode[] = [];
  if (node === to) return ancestors;
  for (let outer = node.parent; outer && outer !== to; outer = outer.parent) ancestors.push(outer);
  return ancestors;
}

/** True if `node` is below `outer`. Every node is below `undefined`. */
function isBelow(node: AnyStateNode, outer: AnyStateNode | undefined): boolean {
  return outer === undefined || ancestorsOf(node).includes(outer);
}

/** The node below which the transition may change states. `undefined`: the whole tree including the root. */
function domainOf({ source, target, reenter }: AnyTransitionDefinition): AnyStateNode | undefined {
  const targets: readonly AnyStateNode[] = target ?? [];
  if (!reenter && targets.every((node) => node === source || isBelow(node, source))) return source;
  const nodes = [...targets, source];
  const common = ancestorsOf(source).find((outer) => nodes.every((node) => isBelow(node, outer)));
  return common ?? (reenter ? undefined : source.machine.root);
}

function exitsOf(transition: AnyTransitionDefinition, active: readonly AnyStateNode[]): Set<AnyStateNode> {
  if (!transition.target?.length) return new Set();
  const domain = domainOf(transition);
  return new Set(
    active.filter(
      (node) =>
        isBelow(node, domain) || (transition.reenter && node === domain && node === transition.source),
    ),
  );
}

/** The states to leave, innermost first. */
export function exitSet(
  transitions: readonly AnyTransitionDefinition[],
  active: readonly AnyStateNode[],
): readonly AnyStateNode[] {
  const left = new Set(transitions.flatMap((transition) => [...exitsOf(transition, active)]));
  return [...left].sort((one, other) => other.order - one.order);
}

/**
 * Removes conflicting transitions and duplicates. Of two that would leave the same state, the one further
 * inside is kept, or else the first.
 */
export function withoutConflicts(
  transitions: readonly AnyTransitionDefinition[],
  active: readonly AnyStateNode[],
): readonly AnyTransitionDefinition[] {
  const kept = new Set<AnyTransitionDefinition>();
  for (const transition of new Set(transitions)) {
    const exits = exitsOf(transition, active);
    const rivals = [...kept].filter((other) => [...exitsOf(other, active)].some((node) => exits.has(node)));
    if (!rivals.every(({ source }) => isBelow(transition.source, source))) continue;
    for (const rival of rivals) kept.delete(rival);
    kept.add(transition);
  }
  return [...kept];
}

/** `byDefault` are the states whose initial transition is taken, with its actions. */
export interface Entered {
  readonly nodes: readonly AnyStateNode[];
  readonly byDefault: ReadonlySet<AnyStateNode>;
}

/** The states to enter, outermost first. */
export function entrySet(transitions: readonly AnyTransitionDefinition[]): Entered {
  const entry = new Entry();
  for (const transition of transitions) entry.follow(transition);
  return entry.entered();
}

class Entry {
  readonly #nodes = new Set<AnyStateNode>();
  readonly #byDefault = new Set<AnyStateNode>();

  entered(): Entered {
    return {
      nodes: [...this.#nodes].sort((one, other) => one.order - other.order),
      byDefault: this.#byDefault,
    };
  }

  follow(transition: AnyTransitionDefinition): void {
    const { source, reenter } = transition;
    const targets: readonly AnyStateNode[] = transition.target ?? [];
    const domain = domainOf(transition);
    for (const node of targets) {
      if (node !== source || source !== domain || reenter) this.#enter(node);
      this.#descend(node);
    }
    const within = !source.parent && reenter ? undefined : domain;
    for (const node of targets) {
      const outer = ancestorsOf(node, domain);
      this.#ascend(domain?.type === 'parallel' ? [...outer, domain] : outer, within);
    }
  }

  #enter(node: AnyStateNode): void {
    this.#nodes.add(node);
    this.#byDefault.add(node);
  }

  #descend(node: AnyStateNode): void {
    if (node.type === 'compound') {
      const [initial] = node.initial.target;
      this.#enter(initial!);
      this.#descend(initial!);
    } else if (node.type === 'parallel') {
      for (const region of Object.values(node.states)) {
        if (this.#isEnteredBelow(region)) continue;
        this.#enter(region);
        this.#descend(region);
      }
    }
  }

  #ascend(ancestors: readonly AnyStateNode[], within: AnyStateNode | undefined): void {
    for (const outer of ancestors) {
      if (isBelow(outer, within)) this.#nodes.add(outer);
      if (outer.type !== 'parallel') continue;
      for (const region of Object.values(outer.states)) {
        if (this.#isEnteredBelow(region)) continue;
        this.#nodes.add(region);
        this.#descend(region);
      }
    }
  }

  #isEnteredBelow(region: AnyStateNode): boolean {
    return [...this.#nodes].some((node) => isBelow(node, region));
  }
}
