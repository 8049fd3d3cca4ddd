import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import { outside } from './errors.ts';
import { initialOf } from './sets.ts';

const nodeKeys = [
  ...[
    'id',
    'type',
    'initial',
    'states',
    'on',
    'always',
    'after',
    'entry',
    'exit',
    'onDone',
    'output',
    'history',
  ],
  ...['target', 'tags', 'meta', 'description', 'key', 'order'],
];
const rootKeys = [...nodeKeys, 'context', 'types', 'version', 'options', 'schemas'];
const transitionKeys = ['target', 'actions', 'guard', 'reenter', 'meta', 'description'];
/** Keys that XState adds to a transition. */
const formattedKeys = ['source', 'eventType', 'toJSON', 'event', 'delay'];

interface Targeted {
  readonly target?: unknown;
}

/**
 * Throws `OUTSIDE_SUBSET` for every feature in the machine's definition that is not compiled. Implementations
 * are not checked here.
 */
export function refuseOutside({ root }: AnyStateMachine): void {
  refuseNode(root);
}

function refuseNode(node: AnyStateNode): void {
  const where = `state '${node.id}'`;
  if (node.type === 'compound') initialOf(node);
  // Without a target, XState enters the parallel state but none of its regions.
  if (node.type === 'history' && node.parent?.type === 'parallel' && !(node.config as Targeted).target)
    throw outside('a history state of a parallel state without a target', where);
  refuseKeys(node.config, node.parent ? nodeKeys : rootKeys, where);
  for (const [descriptor, transitions] of node.transitions) {
    refuseTransitions(transitions, `${where} on ${descriptor}`);
  }
  refuseTransitions(node.always ?? [], `${where} always`);
  for (const child of Object.values(node.states)) refuseNode(child);
}

function refuseTransitions(transitions: readonly AnyTransitionDefinition[], where: string): void {
  for (const transition of transitions) refuseKeys(transition, [...transitionKeys, ...formattedKeys], where);
}

function refuseKeys(has: object, known: readonly string[], where: string): void {
  for (const [key, value] of Object.entries(has)) {
    if (value !== undefined && !known.includes(key)) throw outside(key, where);
  }
}
