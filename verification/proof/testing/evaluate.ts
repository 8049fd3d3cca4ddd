import type { Formula, Term } from '../formula.ts';

/** Whether the formula is true. `is` says for which sites a relation holds, and `site` which site a term names. */
export function evaluate(
  formula: Formula,
  is: (relation: string, sites: readonly number[]) => boolean,
  site: (term: Term) => number,
): boolean {
  const whether = (part: Formula) => evaluate(part, is, site);
  switch (formula.kind) {
    case 'constant':
      return formula.value;
    case 'atom':
      return is(formula.relation, formula.terms.map(site));
    case 'equal':
      return site(formula.left) === site(formula.right);
    case 'not':
      return !whether(formula.of);
    case 'and':
      return formula.of.every(whether);
    case 'or':
      return formula.of.some(whether);
    case 'iff':
      return whether(formula.left) === whether(formula.right);
    case 'if':
      return whether(formula.condition) ? whether(formula.then) : whether(formula.otherwise);
    case 'exists':
      throw new TypeError('expected a formula as an invariant has it, without exists');
  }
}
