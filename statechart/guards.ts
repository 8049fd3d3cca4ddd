import {
  type AnyStateMachine,
  type AnyStateNode,
  and,
  matchesState,
  not,
  or,
  type StateValue,
  stateIn,
} from 'xstate';
import type { Configuration } from './configuration.ts';
import { outside, StatechartError } from './errors.ts';
import type { Source } from './inline.ts';
import type { At } from './run.ts';

export type Guard = (at: At, configuration: Configuration) => boolean;

type Implementation = (at: At, params: unknown) => unknown;

/** A guard as an expression over `at` and `configuration`, for source text that is used in one configuration only. */
type Text = (source: Source, configuration: Configuration) => string;

const texts = new WeakMap<Guard, Text>();

/** The guard as an expression: its parts stand in it, so that no call is made for an `and`, an `or`, a `not` and a `stateIn`. */
export function textOf(guard: Guard, source: Source, configuration: Configuration): string {
  const text = texts.get(guard);
  return text ? text(source, configuration) : `${source.name(guard)}(at, configuration)`;
}

function withText(guard: Guard, text: Text): Guard {
  texts.set(guard, text);
  return guard;
}

interface BuiltIn extends Implementation {
  readonly check: unknown;
  readonly guards?: readonly unknown[];
  readonly stateValue?: StateValue;
}

const checkOf = (guard: unknown): unknown => (guard as BuiltIn).check;
const [checkAnd, checkOr, checkNot, checkStateIn] = [and([]), or([]), not(''), stateIn('')].map(checkOf);

/** Turns a machine's guards into closures. */
export class Guards {
  readonly #machine: AnyStateMachine;
  readonly #named = new Map<string, Guard>();
  /** The names of the guards being compiled. */
  readonly #open = new Set<string>();
  #stateIns = 0;

  constructor(machine: AnyStateMachine) {
    this.#machine = machine;
  }

  compile(guard: unknown, where: string): Guard {
    if (typeof guard === 'function') return this.#inline(guard as Implementation, where);
    if (typeof guard === 'string') return this.#byName(guard, where);
    if (typeof guard !== 'object' || guard === null || !('type' in guard)) {
      throw outside(`a guard that is ${String(guard)}`, where);
    }
    const { type: name, params } = guard as { readonly type: string; readonly params?: unknown };
    const implementation = this.#implementation(name, where);
    if (params === undefined || typeof implementation !== 'function' || 'check' in implementation) {
      return this.#byName(name, where);
    }
    const test = implementation as Implementation;
    if (typeof params !== 'function')
      return withText(
        (at) => Boolean(test(at, params)),
        (source) => `${source.name(test)}(at, ${source.name(params)})`,
      );
    return withText(
      (at) => Boolean(test(at, (params as (at: At) => unknown)(at))),
      (source) => `${source.name(test)}(at, ${source.name(params)}(at))`,
    );
  }

  #byName(name: string, where: string): Guard {
    const known = this.#named.get(name);
    if (known) return known;
    if (this.#open.has(name)) {
      throw new StatechartError(
        'GUARD_UNKNOWN',
        `guard '${name}' of ${where} is made of itself; take it out of there`,
      );
    }
    this.#open.add(name);
    const made = this.compile(this.#implementation(name, where), where);
    this.#open.delete(name);
    this.#named.set(name, made);
    return made;
  }

  #implementation(name: string, where: string): unknown {
    const { guards } = this.#machine.implementations;
    if (Object.hasOwn(guards, name)) return guards[name];
    const known = Object.keys(guards).join(', ');
    throw new StatechartError(
      'GUARD_UNKNOWN',
      `${where} names guard '${name}', which machine '${this.#machine.id}' does not implement; it has: ${known}`,
    );
  }

  #inline(guard: Implementation, where: string): Guard {
    if (!('check' in guard))
      return withText(
        (at) => Boolean(guard(at, undefined)),
        (source) => `${source.name(guard)}(at, undefined)`,
      );
    const { check, guards, stateValue } = guard as BuiltIn;
    const parts = () => (guards ?? []).map((part) => this.compile(part, where));
    switch (check) {
      case checkAnd:
        return joined(all, parts(), ' && ', 'true');
      case checkOr:
        return joined(some, parts(), ' || ', 'false');
      case checkNot: {
        const [part] = parts();
        return withText(
          (at, configuration) => !part!(at, configuration),
          (source, configuration) => `!${textOf(part!, source, configuration)}`,
        );
      }
      case checkStateIn:
        return this.#stateIn(stateValue!);
      default:
        throw outside(`the guard ${guard.name}`, where);
    }
  }

  #stateIn(stateValue: StateValue): Guard {
    const index = this.#stateIns++;
    const node: AnyStateNode | null =
      typeof stateValue === 'string' && stateValue.startsWith('#')
        ? this.#machine.getStateNodeById(stateValue)
        : null;
    const holds = ({ matches, nodes, value }: Configuration) => {
      matches[index] ??= node ? nodes.includes(node) : matchesState(stateValue, value);
      return matches[index];
    };
    return withText(
      (_, configuration) => holds(configuration),
      (_, configuration) => String(holds(configuration)),
    );
  }
}

/** `empty`: the text of no parts. */
function joined(
  make: (parts: readonly Guard[]) => Guard,
  parts: readonly Guard[],
  sign: string,
  empty: string,
): Guard {
  return withText(make(parts), (source, configuration) => {
    const written = parts.map((part) => textOf(part, source, configuration));
    return written.length === 0 ? empty : `(${written.join(sign)})`;
  });
}

function all(parts: readonly Guard[]): Guard {
  const [first, second] = parts;
  if (first && second && parts.length === 2) {
    return (at, configuration) => first(at, configuration) && second(at, configuration);
  }
  return (at, configuration) => {
    for (const part of parts) if (!part(at, configuration)) return false;
    return true;
  };
}

function some(parts: readonly Guard[]): Guard {
  const [first, second] = parts;
  if (first && second && parts.length === 2) {
    return (at, configuration) => first(at, configuration) || second(at, configuration);
  }
  return (at, configuration) => {
    for (const part of parts) if (part(at, configuration)) return true;
    return false;
  };
}
