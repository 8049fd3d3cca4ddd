import { type AnyStateMachine, createMachine } from 'xstate';
import { SystemError } from './errors.ts';

/**
 * Small edits of a machine's config, for mutants. A path names states and keys with dots between them, a
 * position in a list by its number: `client.inCS.on.release.0.guard`; of a machine with regions the first name
 * is a region, and `client.on` is what the region itself does, as `on` is what the machine does. It throws `SYSTEM_INVALID` when nothing is there.
 */
export interface Editor {
  /** Returns the value at `path`. */
  part(path: string): unknown;
  /** Returns the machine with `value` at `path`. */
  replace(path: string, value: unknown): AnyStateMachine;
  /** Returns the machine without the part at `path`. */
  remove(path: string): AnyStateMachine;
}

/** An editor of a machine's configuration, for mutants. Each edit returns a new machine. */
export function editorOf(machine: AnyStateMachine): Editor {
  const part = (path: string) =>
    keysOf(path).reduce<unknown>((node, key) => child(node, key, path), machine.config);
  const edited = (path: string, change: (parent: Node, key: string) => void): AnyStateMachine => {
    part(path);
    const keys = keysOf(path);
    const config = { ...machine.config };
    let node = config as unknown as Node;
    for (const key of keys.slice(0, -1)) {
      const copy = copyOf(node[key]);
      node[key] = copy;
      node = copy;
    }
    change(node, keys.at(-1)!);
    return createMachine(config, machine.implementations);
  };
  return {
    part,
    replace: (path, value) =>
      edited(path, (parent, key) => {
        parent[key] = value;
      }),
    remove: (path) =>
      edited(path, (parent, key) => {
        if (Array.isArray(parent)) parent.splice(Number(key), 1);
        else delete parent[key];
      }),
  };
}

type Node = Record<string, unknown>;

/** Copies only the containers on the path. Functions and actions are shared with the machine. */
function copyOf(node: unknown): Node {
  return (Array.isArray(node) ? [...node] : { ...(node as Node) }) as Node;
}

function child(node: unknown, key: string, path: string): unknown {
  if (node !== null && typeof node === 'object' && key in node) return (node as Node)[key];
  throw new SystemError(
    'SYSTEM_INVALID',
    `the machine has no ${path}: ${key} is not there; look at its config`,
  );
}

/** `client.inCS.on.release` is `states.client.states.inCS.on.release` in the config; `client.on` is `states.client.on`. */
function keysOf(path: string): readonly string[] {
  const [region, state, ...rest] = path.split('.');
  if (region === 'on') return path.split('.');
  return state === 'on' ? ['states', region!, 'on', ...rest] : ['states', region!, 'states', state!, ...rest];
}
