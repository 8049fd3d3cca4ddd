import type { NamedPredicate, Sourced } from '../checker/packed/index.ts';
import { guarded, viewText } from '../system/callbacks.ts';
import { type Compiled, evaluate, faultless, SystemError } from '../system/index.ts';
import { hint } from '../system/shape.ts';
import type { Property, StatePredicate, System } from '../system/system.ts';
import { CheckError } from './errors.ts';

export interface Asking {
  /** Use no packed counters, which can overflow. */
  readonly exact: boolean;
  readonly symmetry: boolean;
  /** The names of the properties that are judged. Default: all. */
  readonly only?: readonly string[];
}

/** A property that is judged state by state. */
export type StateProperty = Extract<Property, { kind: 'always' | 'reachable' | 'deadlockFree' }>;
export type RunProperty = Exclude<Property, StateProperty>;

/** The property that no machine throws or sends to an unknown actor. Every check judges it first. */
export const noFault: StateProperty = { kind: 'always', name: 'no machine fails', predicate: faultless };

export function stateProperties({ properties }: System): readonly StateProperty[] {
  return [noFault, ...properties.filter((property) => !isOfRuns(property))];
}

export function isOfRuns(property: Property): property is RunProperty {
  return property.kind === 'leadsTo' || property.kind === 'eventually' || property.kind === 'ltl';
}

/**
 * Returns the properties that apply to some states only. Whether such states exist is judged after all of
 * `stateProperties`.
 */
export function triggered({ properties }: System): readonly Triggered[] {
  return properties.filter(
    (property): property is Triggered => property.kind === 'always' && property.when !== undefined,
  );
}

type Triggered = Extract<Property, { kind: 'always' }> & { readonly when: StatePredicate };

/** Returns the system with the listed properties only. Throws `CheckError` `NO_SUCH_PROPERTY`. */
export function onlyAsked(system: System, only: readonly string[] | undefined): System {
  if (only === undefined) return system;
  const names = [noFault.name, ...system.properties.map(({ name }) => name)];
  const unknown = only.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new CheckError(
      'NO_SUCH_PROPERTY',
      `'${system.name}' has no property '${unknown}'; ${hint(unknown, names)}`,
    );
  }
  return { ...system, properties: system.properties.filter(({ name }) => only.includes(name)) };
}

/**
 * Returns the model for the engine, with a predicate for each of `stateProperties`, then for each of
 * `triggered`. Every thread must compute the same list.
 */
export function questions(
  compiled: Compiled,
  { exact, symmetry }: Asking,
): Sourced & Required<Pick<Sourced, 'predicates'>> {
  const { model, system } = compiled;
  const predicateOf = (predicate: StatePredicate, name: string) =>
    compiled.predicateOf(predicate, { exact, name });
  return {
    model,
    predicates: [
      ...stateProperties(system).map((property): NamedPredicate => {
        const { expect, predicate } = question(property);
        return {
          name: property.name,
          expect,
          predicate: predicateOf(predicate, propertyText(property.name)),
        };
      }),
      ...triggered(system).map(({ name, when }): NamedPredicate => {
        const what = `\`when\` of '${name}'`;
        return { name: what, expect: 'reachable', predicate: predicateOf(when, what) };
      }),
    ],
    ...(system.constraint === undefined
      ? {}
      : { constraint: predicateOf(system.constraint, 'The constraint') }),
    ...(symmetry ? { symmetry: compiled.symmetry! } : {}),
  };
}

/** The name of a property's predicate in errors. */
export const propertyText = (name: string): string => `The predicate of '${name}'`;

/** Returns the predicate of an `always` property over all states. */
export function whereItSpeaks({ predicate, when }: Extract<Property, { kind: 'always' }>): StatePredicate {
  return when === undefined ? predicate : { kind: 'or', of: [{ kind: 'not', of: when }, predicate] };
}

/** Returns the predicates that a property consists of. */
export function predicatesOf(property: Property): readonly StatePredicate[] {
  switch (property.kind) {
    case 'always':
      return [whereItSpeaks(property)];
    case 'reachable':
    case 'eventually':
      return [property.predicate];
    case 'deadlockFree':
      return property.quiescent === undefined ? [] : [property.quiescent];
    case 'leadsTo':
      return [property.from, property.to];
    case 'ltl':
      return Object.values(property.atoms);
  }
}

const never: StatePredicate = { kind: 'some', is: () => false };

function question(property: StateProperty): {
  readonly expect: NamedPredicate['expect'];
  readonly predicate: StatePredicate;
} {
  switch (property.kind) {
    case 'always':
      return { expect: property.kind, predicate: whereItSpeaks(property) };
    case 'reachable':
      return { expect: property.kind, predicate: property.predicate };
    case 'deadlockFree':
      return { expect: 'quiescent', predicate: property.quiescent ?? never };
  }
}

/** Throws `SYSTEM_INVALID` if the constraint holds in no initial state: nothing would be explored. */
export function refuseOutside({ system, model, decode }: Compiled): void {
  const { constraint } = system;
  if (constraint === undefined) return;
  const views = model.initial.map((state) => decode(state));
  if (views.some((view) => evaluate(guarded(constraint, 'The constraint'), view))) return;
  throw new SystemError(
    'SYSTEM_INVALID',
    `The constraint of '${system.name}' (\`within\`) holds in no initial state, so that nothing would be explored. ` +
      `It must hold in\n${viewText(views[0]!)}`,
  );
}
