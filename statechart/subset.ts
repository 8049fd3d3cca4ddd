import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { allOutside } from './errors.ts';
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
 * Throws one `OUTSIDE_SUBSET` for all features in the machine's definition that are not compiled. Implementations
 * are not checked here.
 */
export function refuseOutside({ root }: AnyStateMachine): void {
  const features = featuresOutside(root);
  if (features.length > 0) throw allOutside(features);
}

function featuresOutside(node: AnyStateNode): readonly string[] {
  const where = `state '${node.id}'`;
  if (node.type === 'compound') initialOf(node);
  const transitions = [...node.transitions].map(([on, all]) => [`${where} on ${on}`, all] as const);
  // Without a target, XState enters the parallel state but none of its regions.
  const isEmpty =
    node.type === 'history' && node.parent?.type === 'parallel' && !(node.config as Targeted).target;
  return [
    ...(isEmpty ? [`${where} has a history state of a parallel state without a target`] : []),
    ...keysOutside(node.config, node.parent ? nodeKeys : rootKeys, where),
    ...[...transitions, [`${where} always`, node.always ?? []] as const].flatMap(([on, all]) =>
      all.flatMap((transition) => keysOutside(transition, [...transitionKeys, ...formattedKeys], on)),
    ),
    ...Object.values(node.states).flatMap(featuresOutside),
  ];
}

function keysOutside(has: object, known: readonly string[], where: string): readonly string[] {
  return Object.entries(has).flatMap(([key, value]) =>
    value !== undefined && !known.includes(key) ? [`${where} has ${key}`] : [],
  );
}
