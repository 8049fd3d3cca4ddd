import type { System } from '../system/system.ts';
import { stateProperties } from './questions.ts';

/**
 * The identity of `system` for a checkpoint: everything that decides its states and their verdicts, functions by their
 * text. The variables that a function takes from around it are not included; the behaviour of machines is.
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
