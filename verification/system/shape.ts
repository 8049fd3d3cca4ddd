import { closestMatch } from 'leven';
import { SystemError } from './errors.ts';
import type { System } from './system.ts';

/** Throws `SYSTEM_INVALID` if the value does not fit its path in a `System`. */
type Shape = (value: unknown, path: string) => void;

/**
 * Refuses values that no `System` has: unknown keys, values of another type, empty names and duplicate names.
 * A misspelt key would otherwise be a property that is never judged, or an actor to which nothing happens.
 */
export function refuseMisshapen(system: System): void {
  shapeOfSystem(system, '');
  const names = system.properties.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index || name === 'no machine fails');
  if (twice !== undefined) {
    throw misshapen(
      'properties',
      twice === 'no machine fails'
        ? `every check asks '${twice}' itself; call your property something else`
        : `two are called '${twice}'; give each a name of its own`,
    );
  }
}

/** Returns the nearest of `known` as a question, or all of them if none is near. */
export function hint(name: string, known: readonly string[]): string {
  const maxDistance = Math.min(name.length - 1, Math.max(2, Math.floor(name.length / 3)));
  const meant = slipOf(name, known) ?? closestMatch(name, [...known], { maxDistance });
  if (meant !== undefined) return `did you mean ${meant}?`;
  return known.length === 0 ? 'there is none' : `there are ${known.join(', ')}`;
}

/**
 * The one of `known` that `name` is but for a slip of the pen: one letter, two letters exchanged, or capitals. Names that differ in
 * their numbers, and short ones that differ in one letter, are other names.
 */
export function slipOf(name: string, known: readonly string[]): string | undefined {
  const sorted = (text: string) => [...text.toLowerCase()].sort().join('');
  const bare = (text: string) => text.replaceAll(/\d/g, '');
  const isShort = name.length <= 4;
  const others = known.filter((one) => bare(one) !== bare(name));
  const exchanged = others.find((one) => sorted(one) === sorted(name));
  if (exchanged !== undefined) return exchanged;
  const fit = isShort ? others.filter(({ length }) => length !== name.length) : others;
  return closestMatch(name, fit, { maxDistance: Math.max(1, Math.floor(name.length / 4)) });
}

export function misshapen(path: string, why: string): SystemError {
  return new SystemError('SYSTEM_INVALID', `${path === '' ? 'A system' : path}: ${why}.`.replace('?.', '?'));
}

const anything: Shape = () => {};

const isOf =
  (type: 'string' | 'function' | 'boolean'): Shape =>
  (value, path) => {
    if (typeof value !== type) throw misshapen(path, `it must be a ${type}, and is ${shown(value)}`);
  };

const name: Shape = (value, path) => {
  isOf('string')(value, path);
  if (value === '') throw misshapen(path, 'it must not be empty');
};

const oneOf =
  (...known: readonly unknown[]): Shape =>
  (value, path) => {
    if (known.includes(value)) return;
    const words = known.map((word) => String(word));
    const meant = typeof value === 'string' ? `; ${hint(value, words)}` : '';
    throw misshapen(path, `it must be one of ${words.join(', ')}, and is ${shown(value)}${meant}`);
  };

const bound: Shape = (value, path) => {
  if (typeof value !== 'number') oneOf('unbounded', 'a whole number from 0')(value, path);
};

const listOf =
  (item: Shape): Shape =>
  (value, path) => {
    if (!Array.isArray(value)) throw misshapen(path, `it must be an array, and is ${shown(value)}`);
    for (const [index, part] of value.entries()) item(part, `${path}[${index}]`);
  };

/** A list that is not empty, because a predicate over an empty list holds vacuously. */
const someOf =
  (item: Shape): Shape =>
  (value, path) => {
    listOf(item)(value, path);
    if ((value as readonly unknown[]).length === 0) throw misshapen(path, 'it must not be empty');
  };

/** Keys outside `required` may be left out, or be `undefined`. */
const fields =
  (required: Readonly<Record<string, Shape>>, optional: Readonly<Record<string, Shape>> = {}): Shape =>
  (value, path) => {
    const known = [...Object.keys(required), ...Object.keys(optional)];
    const record = recordAt(value, path);
    const at = (key: string) => (path === '' ? key : `${path}.${key}`);
    for (const key of Reflect.ownKeys(record)) {
      if (known.includes(key as string)) continue;
      throw misshapen(at(String(key)), `there is no such key; ${hint(String(key), known)}`);
    }
    for (const [key, shape] of Object.entries(required)) {
      if (record[key] === undefined) throw misshapen(at(key), 'it is missing');
      shape(record[key], at(key));
    }
    for (const [key, shape] of Object.entries(optional)) {
      if (record[key] !== undefined) shape(record[key], at(key));
    }
  };

const recordOf =
  (item: Shape): Shape =>
  (value, path) => {
    for (const [key, part] of Object.entries(recordAt(value, path))) {
      if (key === '') throw misshapen(path, 'one of its keys is empty');
      item(part, `${path}.${key}`);
    }
  };

/** One shape for each `kind`. */
const variants =
  (shapes: Readonly<Record<string, Shape>>): Shape =>
  (value, path) => {
    const record = recordAt(value, path);
    const { kind } = record;
    if (kind === undefined)
      throw misshapen(`${path}.kind`, `it is missing; there is ${Object.keys(record).join(', ')}`);
    oneOf(...Object.keys(shapes))(kind, `${path}.kind`);
    shapes[kind as string]!(value, path);
  };

function recordAt(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw misshapen(path, `it must be an object, and is ${shown(value)}`);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'function' ? 'a function' : typeof value === 'object' ? 'an object' : String(value);
}

const call = isOf('function');
const kind = anything;

const predicate: Shape = (value, path) => shapeOfPredicate(value, path);
const shapeOfPredicate = variants({
  every: fields({ kind, is: call }),
  some: fields({ kind, is: call }),
  count: fields({ kind, of: call, is: call }),
  tally: fields({ kind, names: call, is: call }),
  relation: fields({ kind, of: call, holds: call }, { pure: isOf('boolean') }),
  plain: fields({ kind, holds: call }),
  and: fields({ kind, of: someOf(predicate) }),
  or: fields({ kind, of: someOf(predicate) }),
  not: fields({ kind, of: predicate }),
});

const fairness = fields({}, { weak: call, strong: call });

const shapeOfProperty = variants({
  always: fields({ kind, name, predicate }, { when: predicate, because: call }),
  reachable: fields({ kind, name, predicate }),
  deadlockFree: fields({ kind, name }, { quiescent: predicate }),
  leadsTo: fields({ kind, name, from: predicate, to: predicate }, { fairness }),
  eventually: fields({ kind, name, predicate }, { fairness }),
  ltl: fields({ kind, name, formula: name, atoms: recordOf(predicate) }, { fairness }),
});

const machine: Shape = (value, path) => {
  const given = value as { readonly root?: unknown; readonly transition?: unknown } | null;
  if (typeof given === 'object' && given?.root !== undefined && typeof given.transition === 'function')
    return;
  throw misshapen(path, `it must be a machine of XState, and is ${shown(value)}`);
};

const typed: Shape = (value, path) => name(recordAt(value, path)['type'], `${path}.type`);

const values: Shape = (value, path) => {
  if (typeof value !== 'function') listOf(anything)(value, path);
};

const outcome = fields(
  {},
  {
    done: values,
    error: values,
    next: values,
    sends: listOf(typed),
    atStart: listOf(typed),
    times: bound,
    never: oneOf(true),
  },
);

const door = listOf(anything);
const chance = fields(
  {},
  {
    'Math.random': door,
    'Date.now': door,
    'performance.now': door,
    'crypto.randomUUID': door,
    'crypto.getRandomValues': door,
  },
);

const actor = fields(
  { machine },
  {
    input: anything,
    outcomes: recordOf(outcome),
    maxChildren: bound,
    time: oneOf('any', 'ordered'),
    chance,
    environment: listOf(
      fields({ event: typed }, { payloads: call, when: call, together: call, times: bound }),
    ),
    deliver: call,
    accepts: (value, path) => {
      if (typeof value !== 'function') oneOf('taken', 'a function')(value, path);
    },
    dead: call,
    crash: fields({ times: bound }, { when: call, inbox: oneOf('kept', 'lost') }),
    restart: fields({ input: call }),
  },
);

const shapeOfSystem = fields(
  {
    name,
    actors: recordOf(actor),
    network: fields(
      { order: oneOf('fifo', 'unordered', 'unordered-by-target') },
      {
        loss: bound,
        breaks: bound,
        capacity: bound,
        duplication: (value, path) => {
          if (value !== 'persistent') bound(value, path);
        },
      },
    ),
    properties: listOf(shapeOfProperty),
  },
  {
    starts: listOf(recordOf(anything)),
    symmetry: listOf(name),
    constraint: predicate,
    view: call,
    outside: listOf(name),
    history: fields({ after: call }, { initial: anything, effects: listOf(name), deliveries: listOf(name) }),
  },
);
