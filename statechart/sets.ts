import type { AnyStateNode, AnyTransitionDefinition } from 'xstate';
import { outside, StatechartError } from './errors.ts';

/*
 * The sets of states that a microstep leaves and enters, by the "Algorithm for SCXML Interpretation" of the
 * W3C's SCXML (2015), appendix D. `reenter` has XState's meaning.
 */

/**
 * For each history state, by id: the states below its parent that were active when the parent was last left.
 */
export type HistoryValue = Readonly<Record<string, readonly AnyStateNode[]>>;

export function isAtomic({ type }: AnyStateNode): boolean {
  return type === 'atomic' || type === 'final';
}

/** The direct child states, without history states. */
export function childrenOf(node: AnyStateNode): readonly AnyStateNode[] {
  return Object.values(node.states).filter(({ type }) => type !== 'history');
}

/** Tells whether `node` is in its final state. Its active descendants are among `active`. */
export function isFinished(node: AnyStateNode, active: ReadonlySet<AnyStateNode>): boolean {
  switch (node.type) {
    case 'compound':
      return childrenOf(node).some((child) => child.type === 'final' && active.has(child));
    case 'parallel':
      return childrenOf(node).every((region) => isFinished(region, active));
    default:
      return node.type === 'final';
  }
}

/** The initial child of a compound state. Throws `INITIAL_UNKNOWN`. */
export function initialOf(node: AnyStateNode): AnyStateNode {
  const { initial, states, id } = node.config.initial === undefined ? node : withKnownInitial(node);
  const [target] = initial.target as readonly AnyStateNode[];
  if (target) return target;
  throw unknownInitial(id, undefined, Object.keys(states));
}

function withKnownInitial(node: AnyStateNode): AnyStateNode {
  const { initial } = node.config as { readonly initial: string | { readonly target: string } };
  const key = typeof initial === 'string' ? initial : initial.target;
  if (Object.hasOwn(node.states, key)) return node;
  throw unknownInitial(node.id, key, Object.keys(node.states));
}

function unknownInitial(id: string, key: string | undefined, known: readonly string[]): StatechartError {
  return new StatechartError(
    'INITIAL_UNKNOWN',
    `state '${id}' has the initial state '${key}', and has no such state; it has: ${known.join(', ')}`,
  );
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

/** The state, and all states below it that are entered with it by default. */
export function initialNodes(node: AnyStateNode): readonly AnyStateNode[] {
  if (node.type === 'parallel') return [node, ...childrenOf(node).flatMap(initialNodes)];
  return node.type === 'compound' ? [node, ...initialNodes(initialOf(node))] : [node];
}

/**
 * The target of a history state while nothing is remembered. `initial`: it is the parent's own initial state.
 */
function defaultOf(history: AnyStateNode): {
  readonly nodes: readonly AnyStateNode[];
  readonly initial: boolean;
} {
  const parent = history.parent!;
  const { target } = history.config as { readonly target?: string | readonly string[] };
  if (target !== undefined && target !== '') {
    return { nodes: [target].flat().map((path) => nodeAt(parent, path)), initial: false };
  }
  const first = initialOf(parent);
  if (first.type !== 'history') return { nodes: [first], initial: true };
  throw outside(
    'a history state without a target, which is itself the initial state',
    `state '${parent.id}'`,
  );
}

function nodeAt(from: AnyStateNode, path: string): AnyStateNode {
  if (path.startsWith('#')) return from.machine.getStateNodeById(path);
  let node: AnyStateNode = from;
  for (const key of path.split('.')) {
    const inner: AnyStateNode | undefined = node.states[key];
    if (!inner) throw outside(`a history state with the target '${path}'`, `state '${from.id}'`);
    node = inner;
  }
  return node;
}

/** The targets, with history states replaced by the remembered states. */
function effectiveTargets(
  targets: readonly AnyStateNode[] | undefined,
  history: HistoryValue,
): readonly AnyStateNode[] {
  return (targets ?? []).flatMap((node) =>
    node.type === 'history' ? (history[node.id] ?? effectiveTargets(defaultOf(node).nodes, history)) : [node],
  );
}

/** The node below which the transition may change states. `undefined`: the whole tree including the root. */
function domainOf(
  { source, target, reenter }: AnyTransitionDefinition,
  history: HistoryValue,
): AnyStateNode | undefined {
  const targets = effectiveTargets(target, history);
  if (!reenter && targets.every((node) => node === source || isBelow(node, source))) return source;
  const nodes = [...targets, source];
  const common = ancestorsOf(source).find((outer) => nodes.every((node) => isBelow(node, outer)));
  return common ?? (reenter ? undefined : source.machine.root);
}

function exitsOf(
  transition: AnyTransitionDefinition,
  active: readonly AnyStateNode[],
  history: HistoryValue,
): Set<AnyStateNode> {
  if (!transition.target?.length) return new Set();
  const domain = domainOf(transition, history);
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
  history: HistoryValue,
): readonly AnyStateNode[] {
  const left = new Set(transitions.flatMap((transition) => [...exitsOf(transition, active, history)]));
  return [...left].sort((one, other) => other.order - one.order);
}

/**
 * The history after the states of `left` have been left. Returns `history` itself if none of them has a
 * history state.
 */
export function historyAfter(
  left: readonly AnyStateNode[],
  active: readonly AnyStateNode[],
  history: HistoryValue,
): HistoryValue {
  const remembered = left.flatMap((node) =>
    Object.values(node.states)
      .filter(({ type }) => type === 'history')
      .map((state) => {
        const isRemembered = (other: AnyStateNode) =>
          state.history === 'deep' ? isAtomic(other) && isBelow(other, node) : other.parent === node;
        return [state.id, active.filter(isRemembered)] as const;
      }),
  );
  return remembered.length === 0 ? history : { ...history, ...Object.fromEntries(remembered) };
}

/**
 * Removes conflicting transitions and duplicates. If two would leave the same state, the one further inside is
 * kept, or else the first.
 */
export function withoutConflicts(
  transitions: readonly AnyTransitionDefinition[],
  active: readonly AnyStateNode[],
  history: HistoryValue,
): readonly AnyTransitionDefinition[] {
  const kept = new Set<AnyTransitionDefinition>();
  for (const transition of new Set(transitions)) {
    const exits = exitsOf(transition, active, history);
    const rivals = [...kept].filter((other) =>
      [...exitsOf(other, active, history)].some((node) => exits.has(node)),
    );
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
export function entrySet(transitions: readonly AnyTransitionDefinition[], history: HistoryValue): Entered {
  const entry = new Entry(history);
  for (const transition of transitions) entry.follow(transition);
  return entry.entered();
}

class Entry {
  readonly #history: HistoryValue;
  readonly #nodes = new Set<AnyStateNode>();
  readonly #byDefault = new Set<AnyStateNode>();

  constructor(history: HistoryValue) {
    this.#history = history;
  }

  entered(): Entered {
    return {
      nodes: [...this.#nodes].sort((one, other) => one.order - other.order),
      byDefault: this.#byDefault,
    };
  }

  follow(transition: AnyTransitionDefinition): void {
    const { source, reenter } = transition;
    const targets: readonly AnyStateNode[] = transition.target ?? [];
    const domain = domainOf(transition, this.#history);
    for (const node of targets) {
      if (node.type !== 'history' && (node !== source || source !== domain || reenter)) this.#enter(node);
      this.#descend(node);
    }
    const within = !source.parent && reenter ? undefined : domain;
    for (const node of effectiveTargets(targets, this.#history)) {
      const outer = ancestorsOf(node, domain);
      this.#ascend(domain?.type === 'parallel' ? [...outer, domain] : outer, within);
    }
  }

  #enter(node: AnyStateNode): void {
    this.#nodes.add(node);
    this.#byDefault.add(node);
  }

  #descend(node: AnyStateNode): void {
    if (node.type === 'history') this.#recall(node);
    else if (node.type === 'compound') {
      const initial = initialOf(node);
      if (initial.type !== 'history') this.#enter(initial);
      this.#descend(initial);
    } else if (node.type === 'parallel') {
      for (const region of childrenOf(node)) {
        if (this.#isEnteredBelow(region)) continue;
        this.#enter(region);
        this.#descend(region);
      }
    }
  }

  #recall(state: AnyStateNode): void {
    const parent = state.parent!;
    const remembered = this.#history[state.id];
    const { nodes, initial } = remembered ? { nodes: remembered, initial: false } : defaultOf(state);
    for (const node of nodes) {
      this.#nodes.add(node);
      if (initial) this.#byDefault.add(parent);
      this.#descend(node);
    }
    for (const node of nodes) this.#ascend(ancestorsOf(node, parent), undefined);
  }

  #ascend(ancestors: readonly AnyStateNode[], within: AnyStateNode | undefined): void {
    for (const outer of ancestors) {
      if (isBelow(outer, within)) this.#nodes.add(outer);
      if (outer.type !== 'parallel') continue;
      for (const region of childrenOf(outer)) {
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
