import type { AnyStateMachine, AnyStateNode } from 'xstate';

/** Names functions that stand in machines as actions, by their place: `entry of m.loading`, `on go of m.idle`. */
export function placesOf(machine: AnyStateMachine): (action: unknown) => string | undefined {
  const names = new Map<unknown, string>();
  for (const each of machinesOf(machine)) for (const node of nodesOf(each)) placesIn(node, names);
  return (action) => names.get(action);
}

/** The machine, and those that it and they name or invoke, in the order of the definitions. */
export function machinesOf(machine: AnyStateMachine): ReadonlySet<AnyStateMachine> {
  const machines = new Set([machine]);
  for (const each of machines) {
    for (const logic of Object.values(each.implementations.actors)) if (isMachine(logic)) machines.add(logic);
    for (const node of nodesOf(each)) {
      for (const { src } of [node.config.invoke ?? []].flat()) if (isMachine(src)) machines.add(src);
    }
  }
  return machines;
}

/** Every state of the machine, in the order of the definition. */
export function nodesOf({ root }: AnyStateMachine): readonly AnyStateNode[] {
  const nodes: AnyStateNode[] = [root];
  for (const node of nodes) nodes.push(...Object.values(node.states));
  return nodes;
}

/** The actions of a state and of its transitions, as the definition has them. */
export function actionsOf(node: AnyStateNode): readonly unknown[] {
  const transitions = [...[...node.transitions.values()].flat(), ...(node.always ?? [])];
  return [...node.entry, ...node.exit, ...transitions.flatMap(({ actions }) => actions)];
}

/** The states without states that are entered at first: those of `node`, or of what its `initial` targets. */
export function initialLeaves(node: AnyStateNode): readonly AnyStateNode[] {
  if (node.type === 'atomic' || node.type === 'final') return [node];
  const next = node.type === 'parallel' ? Object.values(node.states) : (node.initial?.target ?? []);
  return next.flatMap((entered: AnyStateNode) => initialLeaves(entered));
}

function placesIn(node: AnyStateNode, names: Map<unknown, string>): void {
  const name = (actions: readonly unknown[], place: string) => {
    for (const [index, action] of actions.entries()) {
      if (typeof action !== 'function' || 'type' in action) continue;
      names.set(action, `${place} of ${node.id}${index === 0 ? '' : ` #${index + 1}`}`);
    }
  };
  name(node.entry, 'entry');
  name(node.exit, 'exit');
  for (const [descriptor, transitions] of node.transitions)
    for (const { actions } of transitions) name(actions, `on ${descriptor}`);
  for (const { actions } of node.always ?? []) name(actions, 'always');
}

/** Reports whether `logic` is a machine, including one made by another copy of XState. */
export function isMachine(logic: unknown): logic is AnyStateMachine {
  return typeof logic === 'object' && logic !== null && 'getStateNodeById' in logic;
}

/**
 * Reports whether a descriptor, as in `on`, matches events of this type: `user.*` matches `user` and
 * `user.left`.
 */
export function takes(descriptor: string, type: string): boolean {
  if (!descriptor.endsWith('*')) return descriptor === type;
  return descriptor === '*' || type === descriptor.slice(0, -2) || type.startsWith(descriptor.slice(0, -1));
}
