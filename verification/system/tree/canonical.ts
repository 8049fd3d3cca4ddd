import type { AnyActor } from 'xstate';
import { SystemError } from '../errors.ts';
import { mostLevels } from '../interner.ts';
import { isNoted } from '../refusals.ts';

/*
 * The written form of what actors hold. JSON, with `{ $: kind, ... }` for what JSON has no form for. Values with equal
 * text cannot be told apart.
 */

export type Written =
  | null
  | boolean
  | number
  | string
  | readonly Written[]
  | { readonly [key: string]: Written };

/** Writes a value. `rowOf` numbers actors; `where` names the value in the error, `VALUE_REFUSED`. */
export function write(value: unknown, rowOf: (actor: AnyActor) => number, where: string): Written {
  return writtenOrRefused(value, rowOf, where, 0);
}

/** Refuses a value without an end by the outermost part of the whole that has none. */
function writtenOrRefused(...part: Parameters<typeof writtenOf>): Written {
  try {
    return writtenOf(...part);
  } catch (error) {
    if (!(error instanceof Endless)) throw error;
    return refused(part[2], `deeper than ${mostLevels} levels, or contains itself`);
  }
}

class Endless extends Error {}

function writtenOf(
  value: unknown,
  rowOf: (actor: AnyActor) => number,
  where: string,
  level: number,
): Written {
  const inner = (part: unknown, at: string) =>
    (level === 0 ? writtenOrRefused : writtenOf)(part, rowOf, at, level + 1);
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0) ? value : { $: 'number', text: textOf(value) };
    case 'bigint':
      return { $: 'bigint', text: String(value) };
    case 'undefined':
      return { $: 'undefined' };
    case 'object':
      break;
    default:
      return refused(where, `a ${typeof value}`);
  }
  if (value === null) return null;
  if (isActor(value)) return { $: 'actor', row: rowOf(value) };
  if (level > mostLevels) throw new Endless();
  if (Array.isArray(value)) return Array.from(value, (item, index) => inner(item, `${where}[${index}]`));
  if (value instanceof Date) return { $: 'date', time: inner(value.getTime(), where) };
  if (value instanceof Set) return { $: 'set', items: inner([...value], where) };
  if (value instanceof Map) return { $: 'map', entries: inner([...value], where) };
  if (value instanceof Error) {
    const { name, message, cause } = value;
    const rest = inner({ ...value }, where);
    return { $: 'error', name, message, cause: inner(cause, `${where}.cause`), rest };
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    return refused(where, `a ${value.constructor?.name ?? 'object'}`);
  }
  const fields: (readonly [string, Written])[] = [];
  for (const [key, item] of Object.entries(value)) fields.push([key, inner(item, `${where}.${key}`)]);
  const plain = Object.fromEntries(fields);
  return '$' in plain ? { $: 'object', fields: plain } : plain;
}

/** Also an actor of another copy of XState. */
function isActor(value: object): value is AnyActor {
  return 'sessionId' in value && '_processingStatus' in value;
}

function textOf(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function refused(where: string, what: string): null {
  const error = new SystemError(
    'VALUE_REFUSED',
    `${where} is ${what}. A checked machine may hold plain values, dates, sets, maps, errors and actors: let it hold the values that the steps need.`,
  );
  if (!isNoted(error)) throw error;
  return null;
}

/** Reports whether a part of it is a value that JSON has no form for, `undefined` aside. */
export function holdsMore(written: Written): boolean {
  if (written === null || typeof written !== 'object') return false;
  if (Array.isArray(written)) return written.some(holdsMore);
  const { $: kind, ...rest } = written as Tagged;
  if (kind !== undefined && kind !== 'undefined' && kind !== 'object') return true;
  return Object.values(rest).some((part) => holdsMore(part as Written));
}

interface Tagged {
  readonly $?: string;
  readonly [key: string]: unknown;
}

/** The methods that change a date, a set or a map in place. */
const changing = [
  'add',
  'set',
  'delete',
  'clear',
  ...Object.getOwnPropertyNames(Date.prototype).filter((name) => name.startsWith('set')),
];

/** As `Object.freeze` does for records and arrays: a step that changes the value in place fails. */
function unchangeable<Value extends Date | Set<unknown> | Map<unknown, unknown>>(value: Value): Value {
  for (const name of changing) {
    if (!(name in value)) continue;
    Object.defineProperty(value, name, {
      value: () => {
        throw new TypeError(`Cannot change a ${value.constructor.name} in place: ${name}`);
      },
    });
  }
  return Object.freeze(value);
}

/** The value again, frozen; `actorOf` gives the actor of a row. */
export function read(written: Written, actorOf: (row: number) => unknown): unknown {
  const inner = (item: unknown) => read(item as Written, actorOf);
  if (written === null || typeof written !== 'object') return written;
  if (Array.isArray(written)) return Object.freeze(written.map(inner));
  const { $: kind, ...rest } = written as Tagged;
  switch (kind) {
    case undefined:
      return frozenRecord(rest, inner);
    case 'object':
      return frozenRecord(rest['fields'] as object, inner);
    case 'number':
      return Number(rest['text']);
    case 'bigint':
      return BigInt(rest['text'] as string);
    case 'undefined':
      return undefined;
    case 'actor':
      return actorOf(rest['row'] as number);
    case 'date':
      return unchangeable(new Date(inner(rest['time']) as number));
    case 'set':
      return unchangeable(new Set(inner(rest['items']) as unknown[]));
    case 'map':
      return unchangeable(new Map(inner(rest['entries']) as [unknown, unknown][]));
    default: {
      const error = new Error(rest['message'] as string, { cause: inner(rest['cause']) });
      const name = { value: rest['name'], configurable: true, writable: true };
      return Object.assign(Object.defineProperty(error, 'name', name), inner(rest['rest']));
    }
  }
}

function frozenRecord(fields: object, inner: (item: unknown) => unknown): object {
  return Object.freeze(Object.fromEntries(Object.entries(fields).map(([key, item]) => [key, inner(item)])));
}

/** As predicates and traces show it: an actor is its path, an error its name and message. */
export function shown(written: Written, pathOf: (row: number) => string): unknown {
  if (written === null || typeof written !== 'object') return written;
  const inner = (item: unknown): unknown => shown(item as Written, pathOf);
  if (Array.isArray(written)) return written.map(inner);
  const { $: kind, ...rest } = written as Tagged;
  switch (kind) {
    case 'undefined':
      return undefined;
    case 'actor':
      return { actor: pathOf(rest['row'] as number) };
    case 'number':
    case 'bigint':
      return rest['text'];
    case 'date':
      return { date: rest['time'] };
    case 'set':
    case 'map':
      return inner(rest['items'] ?? rest['entries']);
    case 'error':
      return { name: rest['name'], message: rest['message'] };
    default:
      return Object.fromEntries(
        Object.entries((rest['fields'] ?? rest) as object).map(([key, item]) => [key, inner(item)]),
      );
  }
}
