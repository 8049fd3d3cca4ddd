import { LivenessError } from './errors.ts';
import type { Formula } from './ltl.ts';

/**
 * A formula in negation normal form. Equal formulas of one `Normalizer` are one object with one `id`. Atoms
 * are numbers.
 */
export type Normal = { readonly id: number } & (
  | { readonly op: 'true' | 'false' }
  | { readonly op: 'literal'; readonly atom: number; readonly negated: boolean }
  | { readonly op: 'next'; readonly of: Normal }
  | { readonly op: 'and' | 'or' | 'until' | 'release'; readonly left: Normal; readonly right: Normal }
);

type Pair = 'and' | 'or' | 'until' | 'release';
const DUAL = { and: 'or', or: 'and', until: 'release', release: 'until' } as const;

export class Normalizer {
  readonly #atoms: readonly string[];
  readonly #known = new Map<string, Normal>();
  readonly true: Normal;
  readonly false: Normal;

  /** `atoms[i]` is the name of atom `i`. */
  constructor(atoms: readonly string[]) {
    this.#atoms = atoms;
    this.true = this.#intern('true', (id) => ({ id, op: 'true' }));
    this.false = this.#intern('false', (id) => ({ id, op: 'false' }));
  }

  /**
   * Returns `formula` or its negation, with negations pushed down to the atoms.
   *
   * @throws LivenessError `FORMULA_UNKNOWN_ATOM`.
   */
  normal(formula: Formula, negated = false): Normal {
    const dual = (op: Pair): Pair => (negated ? DUAL[op] : op);
    switch (formula.op) {
      case 'true':
      case 'false':
        return (formula.op === 'true') !== negated ? this.true : this.false;
      case 'atom': {
        const atom = this.#atoms.indexOf(formula.name);
        if (atom >= 0) return this.#literal(atom, negated);
        throw new LivenessError(
          'FORMULA_UNKNOWN_ATOM',
          `The formula names "${formula.name}" at column ${formula.column}, which is not among its atoms: ${this.#atoms.join(', ') || 'none are given'}.`,
          formula.column,
        );
      }
      case 'not':
        return this.normal(formula.of, !negated);
      case 'next':
        return this.#next(this.normal(formula.of, negated));
      case 'always':
        return this.#pair(
          dual('release'),
          negated ? this.true : this.false,
          this.normal(formula.of, negated),
        );
      case 'eventually':
        return this.#pair(dual('until'), negated ? this.false : this.true, this.normal(formula.of, negated));
      case 'implies':
        return this.#pair(
          dual('or'),
          this.normal(formula.left, !negated),
          this.normal(formula.right, negated),
        );
      case 'iff': {
        const [left, right] = [formula.left, formula.right];
        return this.#pair(
          'or',
          this.#pair('and', this.normal(left), this.normal(right, negated)),
          this.#pair('and', this.normal(left, true), this.normal(right, !negated)),
        );
      }
      case 'weakUntil': {
        // a W b = b R (a | b)
        const [left, right] = [this.normal(formula.left, negated), this.normal(formula.right, negated)];
        return this.#pair(dual('release'), right, this.#pair(dual('or'), left, right));
      }
      default:
        return this.#pair(
          dual(formula.op),
          this.normal(formula.left, negated),
          this.normal(formula.right, negated),
        );
    }
  }

  #literal(atom: number, negated: boolean): Normal {
    return this.#intern(`${negated ? '!' : ''}${atom}`, (id) => ({ id, op: 'literal', atom, negated }));
  }

  #next(of: Normal): Normal {
    if (of.op === 'true' || of.op === 'false') return of;
    return this.#intern(`X ${of.id}`, (id) => ({ id, op: 'next', of }));
  }

  #pair(op: Pair, left: Normal, right: Normal): Normal {
    if (op === 'and' || op === 'or') {
      const [neutral, absorbing] = op === 'and' ? [this.true, this.false] : [this.false, this.true];
      if (left === absorbing || right === absorbing) return absorbing;
      if (left === neutral || left === right) return right;
      if (right === neutral) return left;
      if (left.id > right.id) return this.#pair(op, right, left);
    } else {
      // The rules for `release` mirror those for `until`.
      const [falsum, verum] = op === 'until' ? [this.false, this.true] : [this.true, this.false];
      if (right === falsum || right === verum || left === falsum || left === right) return right;
      // a U (a U b) = a U b; F (a U b) = F b
      if (right.op === op && right.left === left) return right;
      if (right.op === op && left === verum) return this.#pair(op, left, right.right);
    }
    return this.#intern(`${op} ${left.id} ${right.id}`, (id) => ({ id, op, left, right }));
  }

  #intern(key: string, make: (id: number) => Normal): Normal {
    let formula = this.#known.get(key);
    if (formula === undefined) {
      formula = make(this.#known.size);
      this.#known.set(key, formula);
    }
    return formula;
  }
}
