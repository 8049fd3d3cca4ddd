import { SystemError } from './errors.ts';

/** Plain JSON: what a context, a message, an event or a disk may consist of. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A value as labelled tuples of the ids that it names: `label` is everything else about that part. */
export interface ValueEdge {
  readonly label: string;
  readonly refs: readonly number[];
}

/**
 * Interns plain JSON as dense integers, whatever the order of its keys, and renames the ids in it.
 * `names` are the ids that may be renamed, by cell; a `null` stands for a cell whose id is as any string.
 */
export class Interner {
  readonly #names: readonly (string | null)[];
  readonly #cells: ReadonlyMap<string, number>;
  readonly #byText = new Map<string, number>();
  readonly #values: Json[] = [];
  readonly #texts: string[] = [];
  readonly #parts: (Parts | undefined)[] = [];
  readonly #byParts = new Map<string, number>();

  constructor(names: readonly (string | null)[]) {
    this.#names = names;
    this.#cells = new Map(names.flatMap((name, cell) => (name === null ? [] : [[name, cell] as const])));
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

  rename(id: number, to: readonly number[]): number {
    const { shape, refs } = this.#split(id);
    if (refs.length === 0) return id;
    const key = partsKey(
      shape,
      refs.map((cell) => to[cell]!),
    );
    let renamed = this.#byParts.get(key);
    if (renamed === undefined) {
      renamed = this.intern(this.#renameIn(this.#values[id]!, to), 'a renamed value');
      this.#byParts.set(key, renamed);
    }
    return renamed;
  }

  /** Two values have equal multisets of edges just when they are equal. */
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

  /** The canonical text with `@` for each id, and the cells of these ids in the order of the text. */
  #shape(value: Json, refs: number[]): string {
    if (typeof value === 'string') {
      const cell = this.#cells.get(value);
      if (cell === undefined) return JSON.stringify(value);
      refs.push(cell);
      return '@';
    }
    if (isList(value)) return `[${value.map((item) => this.#shape(item, refs)).join()}]`;
    if (value === null || typeof value !== 'object') return JSON.stringify(value);
    const fields = Object.keys(value).sort();
    return `{${fields.map((key) => `${this.#shape(key, refs)}:${this.#shape(value[key]!, refs)}`).join()}}`;
  }

  /** One edge for the value without what is keyed by ids, and one for each entry that is. */
  #edges(value: Json, path: string, above: readonly number[]): ValueEdge[] {
    const refs = [...above];
    const keyed: ValueEdge[] = [];
    const walk = (at: Json, here: string): string => {
      if (typeof at === 'string') return this.#shape(at, refs);
      if (isList(at)) return `[${at.map((item, index) => walk(item, `${here}/${index}`)).join()}]`;
      if (at === null || typeof at !== 'object') return JSON.stringify(at);
      const fields: string[] = [];
      for (const key of Object.keys(at).sort()) {
        const cell = this.#cells.get(key);
        if (cell === undefined) {
          fields.push(`${JSON.stringify(key)}:${walk(at[key]!, `${here}/${JSON.stringify(key)}`)}`);
        } else keyed.push(...this.#edges(at[key]!, `${path}${here}/@`, [...above, cell]));
      }
      return `{${fields.join()}}`;
    };
    return [{ label: `${path}=${walk(value, '')}`, refs }, ...keyed];
  }

  #renameIn(value: Json, to: readonly number[]): Json {
    const renameId = (text: string): string => {
      const cell = this.#cells.get(text);
      return cell === undefined ? text : this.#names[to[cell]!]!;
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

/** JSON with sorted keys: equal just when the values are. */
function canonical(value: unknown, where: string): string {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value);
    case 'number':
      if (Number.isFinite(value)) return JSON.stringify(value);
      break;
    case 'object': {
      if (value === null) return 'null';
      if (Array.isArray(value)) {
        return `[${Array.from(value, (item, index) => canonical(item, `${where}[${index}]`)).join()}]`;
      }
      const prototype = Object.getPrototypeOf(value);
      if (prototype !== Object.prototype && prototype !== null) break;
      const record = value as Record<string, unknown>;
      const fields = Object.keys(record).sort();
      return `{${fields.map((key) => `${JSON.stringify(key)}:${canonical(record[key], `${where}.${key}`)}`).join()}}`;
    }
  }
  throw new SystemError(
    'VALUE_REFUSED',
    `${where} must be plain JSON, and is ${describe(value)}. Use null for nothing, an array for a Set, ` +
      'an object for a Map, a number for a Date.',
  );
}

function describe(value: unknown): string {
  if (typeof value === 'object' && value !== null) return `a ${value.constructor?.name ?? 'object'}`;
  return typeof value === 'function' || typeof value === 'symbol' ? `a ${typeof value}` : String(value);
}

/** A deeply frozen copy. */
function frozen(value: Json): Json {
  if (value === null || typeof value !== 'object') return value;
  if (isList(value)) return Object.freeze(value.map(frozen));
  return Object.freeze(Object.fromEntries(Object.entries(value).map(([key, item]) => [key, frozen(item)])));
}
