import { SystemError } from './errors.ts';
import { isNoted } from './refusals.ts';

/** The values that a context, a message, an event or a disk may consist of: plain JSON, and `undefined`. */
export type Json =
  | undefined
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** A value as labelled tuples of the ids that it names: `label` is everything else about that part. */
export interface ValueEdge {
  readonly label: string;
  readonly refs: readonly number[];
}

/**
 * Interns plain JSON as dense integers, independently of the order of keys, and renames the ids in it.
 * `names` are the ids that may be renamed, by process; `null` stands for a process whose id is an ordinary
 * string.
 */
export class Interner {
  readonly #names: readonly (string | null)[];
  readonly #processes: ReadonlyMap<string, number>;
  readonly #byText = new Map<string, number>();
  readonly #values: Json[] = [];
  readonly #texts: string[] = [];
  readonly #parts: (Parts | undefined)[] = [];
  readonly #byParts = new Map<string, number>();

  constructor(names: readonly (string | null)[]) {
    this.#names = names;
    this.#processes = new Map(
      names.flatMap((name, process) => (name === null ? [] : [[name, process] as const])),
    );
  }

  /** `where` names the value in the error (`VALUE_REFUSED`) if it is not plain JSON. */
  intern(value: unknown, where: string): number {
    const text = canonical(value, where);
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    const id = this.#values.length;
    this.#byText.set(text, id);
    this.#texts.push(text);
    this.#values.push(frozen(value as Json));
    return id;
  }

  /** Deeply frozen: a machine that writes to it throws. */
  value(id: number): Json {
    return this.#values[id]!;
  }

  text(id: number): string {
    return this.#texts[id]!;
  }

  /** Every text in an interned value, keys included. */
  strings(): ReadonlySet<string> {
    const found = new Set<string>();
    const visit = (value: Json): void => {
      if (typeof value === 'string') found.add(value);
      else if (typeof value === 'object' && value !== null) {
        for (const [key, part] of Object.entries(value)) {
          found.add(key);
          visit(part as Json);
        }
      }
    };
    for (const value of this.#values) visit(value);
    return found;
  }

  rename(id: number, to: readonly number[]): number {
    const { shape, refs } = this.#split(id);
    if (refs.length === 0) return id;
    const key = partsKey(
      shape,
      refs.map((process) => to[process]!),
    );
    let renamed = this.#byParts.get(key);
    if (renamed === undefined) {
      renamed = this.intern(this.#renameIn(this.#values[id]!, to), 'a renamed value');
      this.#byParts.set(key, renamed);
    }
    return renamed;
  }

  /** Two values have equal multisets of edges exactly if they are equal. */
  edges(id: number): readonly ValueEdge[] {
    return this.#split(id).edges;
  }

  #split(id: number): Parts {
    const known = this.#parts[id];
    if (known !== undefined) return known;
    const refs: number[] = [];
    const edges: ValueEdge[] = [];
    const shape = this.#shape(this.#values[id]!, refs);
    edges.push(...this.#edges(this.#values[id]!, '', []));
    const parts = { shape, refs, edges };
    this.#parts[id] = parts;
    this.#byParts.set(partsKey(shape, refs), id);
    return parts;
  }

  /** The canonical text with `@` for each id, and the processes of these ids in the order of the text. */
  #shape(value: Json, refs: number[]): string {
    if (typeof value === 'string') {
      const process = this.#processes.get(value);
      if (process === undefined) return JSON.stringify(value);
      refs.push(process);
      return '@';
    }
    if (isList(value)) return `[${value.map((item) => this.#shape(item, refs)).join()}]`;
    if (value === null || typeof value !== 'object') return String(value);
    const fields = Object.keys(value).sort();
    return `{${fields.map((key) => `${this.#shape(key, refs)}:${this.#shape(value[key], refs)}`).join()}}`;
  }

  /** Returns one edge for the value without its entries keyed by ids, and one edge for each such entry. */
  #edges(value: Json, path: string, above: readonly number[]): ValueEdge[] {
    const refs = [...above];
    const keyed: ValueEdge[] = [];
    const walk = (at: Json, here: string): string => {
      if (typeof at === 'string') return this.#shape(at, refs);
      if (isList(at)) return `[${at.map((item, index) => walk(item, `${here}/${index}`)).join()}]`;
      if (at === null || typeof at !== 'object') return String(at);
      const fields: string[] = [];
      for (const key of Object.keys(at).sort()) {
        const process = this.#processes.get(key);
        if (process === undefined) {
          fields.push(`${JSON.stringify(key)}:${walk(at[key], `${here}/${JSON.stringify(key)}`)}`);
        } else keyed.push(...this.#edges(at[key], `${path}${here}/@`, [...above, process]));
      }
      return `{${fields.join()}}`;
    };
    return [{ label: `${path}=${walk(value, '')}`, refs }, ...keyed];
  }

  #renameIn(value: Json, to: readonly number[]): Json {
    const renameId = (text: string): string => {
      const process = this.#processes.get(text);
      return process === undefined ? text : this.#names[to[process]!]!;
    };
    if (typeof value === 'string') return renameId(value);
    if (isList(value)) return value.map((item) => this.#renameIn(item, to));
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [renameId(key), this.#renameIn(item, to)]),
    );
  }
}

interface Parts {
  readonly shape: string;
  readonly refs: readonly number[];
  readonly edges: readonly ValueEdge[];
}

function partsKey(shape: string, refs: readonly number[]): string {
  return `${refs.join()}|${shape}`;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/**
 * Returns JSON with sorted keys, and with `undefined` where it occurs. Two texts are equal exactly if the
 * values are. Two values are equal if no machine can tell them apart, the order of keys aside; a property
 * that is `undefined` can be seen.
 */
function canonical(value: unknown, where: string): string {
  try {
    return textOf(value, 0);
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    const refused = unfit(where + error.path.toReversed().join(''), error.what);
    if (!isNoted(refused)) throw refused;
    noteOthers(value, where);
    throw refused;
  }
}

function unfit(at: string, what: string): SystemError {
  return new SystemError(
    'VALUE_REFUSED',
    `${at} must be plain JSON, and ${what}. Use null for nothing, an array for a Set, an object for a Map, a number for a Date.`,
  );
}

/** Records every part of a value that is not plain JSON. */
function noteOthers(value: unknown, at: string): void {
  try {
    textOf(value, 0);
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    // A value that contains itself has no end.
    const isEndless = error.path.length >= mostLevels;
    if (error.path.length === 0 || isEndless) isNoted(unfit(at, error.what));
    else if (Array.isArray(value))
      for (const [key, part] of value.entries()) noteOthers(part, `${at}[${key}]`);
    else for (const [key, part] of Object.entries(value as object)) noteOthers(part, `${at}.${key}`);
  }
}

/** Maximum depth of a value. A value that contains itself exceeds it. */
export const mostLevels = 500;

/** The error carries the path and collects it on the way out, so that valid values cost nothing for it. */
class Unfit extends Error {
  readonly path: string[] = [];
  readonly what: string;

  constructor(what: string) {
    super(what);
    this.what = what;
  }
}

function textOf(value: unknown, level: number): string {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value);
    case 'undefined':
      return 'undefined';
    case 'number':
      if (Object.is(value, -0)) throw new Unfit('is -0, which no JSON tells from 0');
      if (Number.isFinite(value)) return JSON.stringify(value);
      break;
    case 'object':
      if (value === null) return 'null';
      if (level > mostLevels) throw new Unfit(`is deeper than ${mostLevels} levels, or contains itself`);
      if (Array.isArray(value)) return listText(value, level);
      if (isRecord(value)) return recordText(value, level);
  }
  throw new Unfit(`is ${describe(value)}`);
}

/**
 * Reports whether the value is an object literal, or an object without a prototype, like the groups of a
 * match.
 */
function isRecord(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function listText(list: readonly unknown[], level: number): string {
  if (Object.getPrototypeOf(list) !== Array.prototype) throw new Unfit(`is ${describe(list)}`);
  const keys = Reflect.ownKeys(list);
  // Its items and `length`.
  if (keys.length !== list.length + 1) {
    const [own] = keys.filter((key) => key !== 'length' && !/^\d+$/.test(String(key)));
    throw new Unfit(
      own === undefined ? 'is an array with holes' : `is an array with a property ${nameOf(own)} of its own`,
    );
  }
  const texts = new Array<string>(list.length);
  for (let index = 0; index < list.length; index++)
    texts[index] = partText(list, String(index), `[${index}]`, level);
  return `[${texts.join()}]`;
}

function recordText(record: object, level: number): string {
  const keys = Reflect.ownKeys(record);
  const symbol = keys.find((key) => typeof key === 'symbol');
  if (symbol !== undefined) throw new Unfit(`is an object with a key that is a symbol, ${String(symbol)}`);
  const fields = (keys as string[]).sort();
  for (let index = 0; index < fields.length; index++) {
    const key = fields[index]!;
    fields[index] = `${JSON.stringify(key)}:${partText(record, key, `.${key}`, level)}`;
  }
  return `{${fields.join()}}`;
}

/** The text of `whole[key]`. */
function partText(whole: object, key: string, step: string, level: number): string {
  try {
    const { value, enumerable, get, set } = Object.getOwnPropertyDescriptor(whole, key)!;
    if (get !== undefined || set !== undefined) throw new Unfit('is computed by a getter');
    if (enumerable !== true) throw new Unfit('is not enumerable');
    return textOf(value, level + 1);
  } catch (error) {
    if (error instanceof Unfit) error.path.push(step);
    throw error;
  }
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'an array of a class of its own';
  if (typeof value === 'object' && value !== null) {
    return `a ${value.constructor?.name ?? 'object'}`;
  }
  if (typeof value === 'bigint') return `the bigint ${value}n`;
  return typeof value === 'function' || typeof value === 'symbol' ? `a ${typeof value}` : String(value);
}

const nameOf = (key: string | symbol): string => (typeof key === 'symbol' ? String(key) : `'${key}'`);

/** A deeply frozen copy. */
function frozen(value: Json): Json {
  if (value === null || typeof value !== 'object') return value;
  if (isList(value)) return Object.freeze(value.map(frozen));
  return Object.freeze(Object.fromEntries(Object.entries(value).map(([key, item]) => [key, frozen(item)])));
}
