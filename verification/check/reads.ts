import { textOfFunction } from '../system/callbacks.ts';
import { type Compiled, SystemError } from '../system/index.ts';
import { eventsOf } from '../system/names.ts';
import { slipOf } from '../system/shape.ts';
import type { Property, StatePredicate, System } from '../system/system.ts';
import { machinesOf, nodesOf, takes } from '../system/tree/places.ts';
import { predicatesOf } from './questions.ts';
import type { Report } from './report.ts';

/**
 * Returns the keys of contexts that predicates read and that no state has. Throws `PREDICATE_INVALID` for a
 * key that is a slip of an existing one. Other keys may be absent for good reason: a key may be left out
 * until an event happens that never does.
 */
export function absentReads(compiled: Compiled): Report['absent'] {
  return compiled.absent().map(({ actor, key, known }) => {
    const meant = slipOf(key, known);
    if (meant === undefined) return { actor, key };
    throw new SystemError(
      'PREDICATE_INVALID',
      `A function of the system reads context.${key} of '${actor}', and no state has that; did you mean ${meant}? ` +
        'If not, let the context have the key from the start, with null.',
    );
  });
}

/** A text with which a predicate compares, by the kind of value that is compared. */
interface Compared {
  readonly what: 'type' | 'value' | 'id' | 'source';
  readonly text: string;
}

const literal = String.raw`(['"\`])((?:(?!\N)[^\\$])*)\N`;
const nth = (group: number) => literal.replaceAll(String.raw`\N`, `\\${group}`);
const key = String.raw`(?<![\w$])(type|value|id|source)`;
const comparisons: readonly (readonly [RegExp, key: number, text: number])[] = [
  [new RegExp(String.raw`${key}\s*[!=]==?\s*${nth(2)}`, 'g'), 1, 3],
  [new RegExp(String.raw`${nth(1)}\s*[!=]==?\s*[\w$.?()[\]]*?${key}(?![\w$])`, 'g'), 3, 2],
];

/**
 * Returns the texts with which a predicate compares types, states and ids, as far as the source of its
 * functions shows them.
 */
export function comparedIn(predicate: StatePredicate): readonly Compared[] {
  return functionsIn(predicate).flatMap((one) => {
    const text = textOfFunction(one);
    return comparisons.flatMap(([pattern, what, said]) =>
      [...text.matchAll(pattern)].map((found) => ({
        what: found[what] as Compared['what'],
        text: found[said]!,
      })),
    );
  });
}

function functionsIn(predicate: StatePredicate): readonly object[] {
  switch (predicate.kind) {
    case 'every':
    case 'some':
      return [predicate.is];
    case 'count':
      return [predicate.of];
    case 'tally':
      return [predicate.names];
    case 'relation':
      return [predicate.of];
    case 'plain':
      return [predicate.holds];
    case 'and':
    case 'or':
      return predicate.of.flatMap(functionsIn);
    case 'not':
      return functionsIn(predicate.of);
  }
}

/**
 * Returns the reason why a property holds vacuously: it compares the type of a message, a state or an id with
 * a text that is absent from the explored system. Throws `PREDICATE_INVALID` for a text that is a slip of an
 * existing one.
 */
export function strangersIn(compiled: Compiled): (property: Property) => string | null {
  const { actors } = compiled.system;
  const ids = Object.keys(actors);
  const machines = [...new Set(Object.values(actors).flatMap(({ machine }) => [...machinesOf(machine)]))];
  const events = [...new Set([...machines.flatMap(eventsOf), ...offeredIn(compiled.system)])];
  const states = machines.flatMap((machine) => nodesOf(machine).map(({ key: name }) => name));
  const near = { type: events, value: states, id: ids, source: ids };
  const named = new Set([...ids, ...events, ...states]);
  let all: ReadonlySet<string> | null = null;
  const isThere = (text: string) => {
    if (named.has(text)) return true;
    all ??= compiled.world.values.strings();
    return all.has(text) || events.some((descriptor) => descriptor !== '*' && takes(descriptor, text));
  };
  return (property) => {
    for (const { what, text } of predicatesOf(property).flatMap(comparedIn)) {
      if (text === '' || isThere(text)) continue;
      const meant = slipOf(text, near[what]);
      if (meant !== undefined) {
        throw new SystemError(
          'PREDICATE_INVALID',
          `The predicate of '${property.name}' compares a ${what} with '${text}', which does not exist; did you mean ${meant}?`,
        );
      }
      if (what === 'type') return `it compares a type with '${text}', which no message has`;
    }
    return null;
  };
}

const offeredIn = ({ actors }: System): readonly string[] =>
  Object.values(actors).flatMap(({ environment = [] }) => environment.map(({ event }) => event.type));
