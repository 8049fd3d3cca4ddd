import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import type { Chart, ChartState, ChartTransition } from './format.ts';

/** The statechart as the machine itself defines it. */
export function chartOf(machine: AnyStateMachine): Chart {
  const transitions = nodesOf(machine.root).flatMap((node) =>
    definitionsOf(node).map((definition, index) => transitionOf(definition, index)),
  );
  return { id: machine.id, root: stateOf(machine.root), transitions };
}

/** The id of a transition in the chart of its machine. */
export function transitionId(definition: AnyTransitionDefinition): string {
  return idOf(definition, definitionsOf(definition.source).indexOf(definition));
}

function idOf({ source, eventType }: AnyTransitionDefinition, index: number): string {
  return `${source.id}|${eventType}|${index}`;
}

function transitionOf(definition: AnyTransitionDefinition, index: number): ChartTransition {
  const { source, target, eventType, guard, actions } = definition;
  return {
    id: idOf(definition, index),
    source: source.id,
    targets: (target ?? []).map(({ id }) => id),
    event: eventType,
    guard: guard === undefined ? null : guardName(guard),
    actions: actions.map(nameOf),
  };
}

function stateOf(node: AnyStateNode): ChartState {
  const { id, key, type, initial, entry, exit } = node;
  return {
    id,
    key,
    type,
    initial: type === 'compound' ? (initial?.target?.[0]?.key ?? null) : null,
    entry: entry.map(nameOf),
    exit: exit.map(nameOf),
    children: Object.values(node.states).map(stateOf),
  };
}

function nodesOf(root: AnyStateNode): readonly AnyStateNode[] {
  const nodes = [root];
  for (const node of nodes) nodes.push(...Object.values(node.states));
  return nodes.sort((left, right) => left.order - right.order);
}

function definitionsOf(node: AnyStateNode): readonly AnyTransitionDefinition[] {
  return [...[...node.transitions.values()].flat(), ...(node.always ?? [])];
}

function nameOf(action: unknown): string {
  if (typeof action === 'string') return action;
  if (typeof action === 'function') return action.name || 'inline';
  const { type } = action as { readonly type?: unknown };
  return typeof type === 'string' ? type.replace(/^xstate\./, '') : 'inline';
}

/**
 * The name of a guard, such as `and(tokenHere, someoneWaits)`. XState keeps the parts of a combined guard.
 */
function guardName(guard: unknown): string {
  if (typeof guard === 'string') return guard;
  const { check, guards, type, name } = guard as {
    readonly check?: unknown;
    readonly guards?: readonly unknown[];
    readonly type?: unknown;
    readonly name?: string;
  };
  if (check !== undefined && guards !== undefined) {
    const parts = guards.map(guardName);
    const combined = (check as { readonly name?: string }).name ?? '';
    if (combined.startsWith('checkNot')) return `not ${parts[0]}`;
    return parts.join(combined.startsWith('checkOr') ? ' or ' : ' and ');
  }
  if (typeof type === 'string') return type;
  return name || 'guard';
}
