import type { NamedWatch, Sourced } from '../checker/search-types.ts';
import { compile } from '../system/index.ts';
import type { Property, StatePredicate } from '../system/system.ts';
import { type Draft, systemOf } from './random-system.ts';

/** A draft as the engine takes it, in this thread and in others; a watch for each property. */
export function sourced({
  draft,
  symmetric,
}: {
  readonly draft: Draft;
  readonly symmetric: boolean;
}): Sourced {
  const system = systemOf(draft);
  const { model, symmetry, watch } = compile(symmetric ? { ...system, symmetry: draft.names } : system);
  const watches = system.properties.map((property): NamedWatch => {
    const { expect, predicate } = watched(property);
    return { name: property.name, expect, watch: watch(predicate) };
  });
  return { model, watches, ...(symmetry === undefined ? {} : { symmetry }) };
}

const never: StatePredicate = { kind: 'some', is: () => false };

function watched(property: Property): Pick<NamedWatch, 'expect'> & { readonly predicate: StatePredicate } {
  switch (property.kind) {
    case 'always':
    case 'reachable':
      return { expect: property.kind, predicate: property.predicate };
    case 'deadlockFree':
      return { expect: 'quiescent', predicate: property.quiescent ?? never };
    default:
      throw new Error(`${property.kind} is not a property of single states`);
  }
}
