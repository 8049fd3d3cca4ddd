import type { System } from '../system/system.ts';
import { stateProperties } from './questions.ts';

/**
 * What a checkpoint of `system` must have been written for: whatever says which states there are and what they are
 * judged by, functions by their text. What a function takes from around it does not show; what machines do, does.
 */
export function identityOf(system: System): Readonly<Record<string, string>> {
  const { name, actors, network, constraint, view, history } = system;
  return {
    'the system': name,
    'the actors': Object.keys(actors).join(', '),
    'the network': textOf(network),
    ...(constraint === undefined ? {} : { 'the constraint': textOf(constraint) }),
    ...(view === undefined ? {} : { 'the view': String(view) }),
    ...(history === undefined ? {} : { 'the history': textOf(history) }),
    ...Object.fromEntries(
      stateProperties(system).map((property) => [`'${property.name}'`, textOf(property)] as const),
    ),
  };
}

function textOf(value: object): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'function' ? String(part) : part));
}
