import type { Sourced } from '../search/types.ts';
import { createNaimiTrehel } from './naimi-trehel.ts';

/** Where threads find the model again. */
export function orbitsOf(sites: number): Sourced {
  const model = createNaimiTrehel(sites);
  return { model, symmetry: model };
}
