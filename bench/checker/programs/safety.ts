import type { Sourced } from '../../../verification/checker/search-types.ts';
import { naimiTrehel } from '../../../verification/naimi-trehel/system.ts';
import { compile } from '../../../verification/system/index.ts';

export interface SafetyOptions {
  readonly sites: number;
  readonly symmetry: boolean;
}

/** Naimi-trehel on fifo with every property of states that it declares, as the engine and its workers take it. */
export function safety({ sites, symmetry }: SafetyOptions): Sourced {
  const compiled = compile(naimiTrehel({ sites, network: { order: 'fifo' } }));
  const watches = compiled.system.properties.flatMap((property) =>
    property.kind === 'always' || property.kind === 'reachable'
      ? [{ name: property.name, expect: property.kind, watch: compiled.watch(property.predicate) }]
      : [],
  );
  if (!symmetry) return { model: compiled.model, watches };
  if (compiled.symmetry === undefined) throw new Error('naimi-trehel declares no symmetry');
  return { model: compiled.model, watches, symmetry: compiled.symmetry };
}
