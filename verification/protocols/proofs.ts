import type { Theory } from '../proof/theory.ts';
import { epochTheory } from './epoch/proof/theory.ts';
import { lineTheory } from './line/proof/theory.ts';
import { naimiTrehelTheory } from './naimi-trehel/proof/theory.ts';

/** The theories that can be proved for every number of sites, by name. */
export const proofs: Readonly<Record<string, () => Theory>> = {
  'naimi-trehel': () => naimiTrehelTheory(),
  line: () => lineTheory(),
  'line-leaving': () => lineTheory({ leave: true }),
  epoch: () => epochTheory(),
};
