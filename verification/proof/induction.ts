import { type Assertion, type Formula, fact, forAll, not, type Term } from './formula.ts';

/** A part of an invariant: `holds` for all sites. */
export interface Conjunct {
  readonly name: string;
  readonly holds: (...sites: Term[]) => Formula;
}

/** A part of an invariant that says there is a site: for each x with `where` there is a y with `exists`. */
export interface Witnessed {
  readonly name: string;
  readonly where: (x: Term) => Formula;
  readonly exists: (x: Term, y: Term) => Formula;
}

/** The conjuncts, as a solver may assume them. */
export function assumed(conjuncts: readonly Conjunct[]): readonly Assertion[] {
  return conjuncts.map(({ holds }) => forAll(holds));
}

/** The negation of a conjunct: some sites, which are new constants, break it. */
export function broken({ holds }: Conjunct): {
  readonly constants: readonly Term[];
  readonly assertion: Assertion;
} {
  const constants = Array.from({ length: holds.length }, (_, index) => `broken${index}`);
  return { constants, assertion: fact(not(holds(...constants))) };
}
