import { type AnyStateMachine, createMachine } from 'xstate';
import { siteMachine } from '../../machines/naimi-trehel/site.ts';

/*
 * Small edits of the site machine's config. A path names states and keys with dots between them, a
 * position in a list by its number: `client.inCS.on.release.0.guard`. It throws when nothing is there.
 */

/** The site machine with `value` in the place of what stands at `path`. */
export function replace(path: string, value: unknown): AnyStateMachine {
  return edited(path, (parent, key) => {
    parent[key] = value;
  });
}

/** The site machine without what stands at `path`. */
export function remove(path: string): AnyStateMachine {
  return edited(path, (parent, key) => {
    if (Array.isArray(parent)) parent.splice(Number(key), 1);
    else delete parent[key];
  });
}

/** What stands at `path` of the site machine. */
export function part(path: string): unknown {
  return keysOf(path).reduce<unknown>((node, key) => child(node, key, path), siteMachine.config);
}

type Node = Record<string, unknown>;

function edited(path: string, change: (parent: Node, key: string) => void): AnyStateMachine {
  part(path);
  const keys = keysOf(path);
  const config = { ...siteMachine.config };
  let node = config as unknown as Node;
  for (const key of keys.slice(0, -1)) {
    const copy = copyOf(node[key]);
    node[key] = copy;
    node = copy;
  }
  change(node, keys.at(-1)!);
  return createMachine(config, siteMachine.implementations);
}

/** Functions and actions are shared with the site machine; only the containers on the way are copied. */
function copyOf(node: unknown): Node {
  return (Array.isArray(node) ? [...node] : { ...(node as Node) }) as Node;
}

function child(node: unknown, key: string, path: string): unknown {
  if (node !== null && typeof node === 'object' && key in node) return (node as Node)[key];
  throw new RangeError(`The site machine has no ${path}: ${key} is not there. Look at its config.`);
}

/** `client.inCS.on.release` is `states.client.states.inCS.on.release` in the config. */
function keysOf(path: string): readonly string[] {
  const [region, state, ...rest] = path.split('.');
  return ['states', region!, 'states', state!, ...rest];
}
