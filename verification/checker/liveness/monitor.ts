import { type Automaton, acceptsForever, automatonOf, reads } from './buchi.ts';
import { parseFormula } from './ltl.ts';
import { Normalizer } from './normal.ts';
import { holdsOnLasso } from './semantics.ts';

/**
 * The verdict that the beginning of a run gives on a formula. `violated` and `holds` are final: every
 * continuation agrees. The other two judge the run that stays in its last state for ever: `so far` if that
 * run satisfies the formula, `not yet` if it does not.
 */
export type SoFar = 'violated' | 'holds' | 'so far' | 'not yet';

/**
 * Judges a formula letter by letter. A prefix is bad when the automaton of the formula has no run left. It is
 * good when the automaton of the negation has none (A. Bauer, M. Leucker, C. Schallhart, "Runtime
 * verification for LTL and TLTL", TOSEM 2011; the verdicts for a run that stays are their RV-LTL).
 */
export class Monitor {
  readonly #formula: ReturnType<typeof parseFormula>;
  readonly #atoms: readonly string[];
  readonly #for: Run;
  readonly #against: Run;
  readonly #letters: number[] = [];

  /**
   * `atoms[i]` is bit `i` of a letter.
   *
   * @throws LivenessError `FORMULA_SYNTAX`, `FORMULA_UNKNOWN_ATOM`, `FORMULA_TOO_LARGE`.
   */
  constructor(formula: string, atoms: readonly string[]) {
    this.#formula = parseFormula(formula);
    this.#atoms = atoms;
    const normalizer = new Normalizer(atoms);
    this.#for = new Run(automatonOf(normalizer.normal(this.#formula)));
    this.#against = new Run(automatonOf(normalizer.normal(this.#formula, true)));
  }

  /** Reads one more letter and returns the verdict. */
  next(letter: number): SoFar {
    this.#letters.push(letter);
    this.#for.read(letter);
    this.#against.read(letter);
    if (this.#for.isOver) return 'violated';
    if (this.#against.isOver) return 'holds';
    return this.#for.acceptsForever(letter) ? 'so far' : 'not yet';
  }

  /**
   * Tells whether the formula holds on the run that goes from its last letter back to letter `loop` for ever.
   */
  holdsFrom(loop: number): boolean {
    return holdsOnLasso(
      this.#formula,
      this.#letters.length,
      loop,
      (atom, at) => (this.#letters[at]! & (1 << this.#atoms.indexOf(atom))) !== 0,
    );
  }
}

/** All runs of an automaton over the letters read so far. */
class Run {
  readonly #automaton: Automaton;
  readonly #accepting = new Map<number, readonly boolean[]>();
  #states: ReadonlySet<number> = new Set([0]);

  constructor(automaton: Automaton) {
    this.#automaton = automaton;
  }

  /** True when no word with this beginning is accepted. Every state but the first leads to acceptance. */
  get isOver(): boolean {
    return [...this.#states].every((state) => this.#automaton.states[state]!.length === 0);
  }

  read(letter: number): void {
    const after = [...this.#states].flatMap((state) =>
      this.#automaton.states[state]!.filter((one) => reads(one, letter)).map(({ to }) => to),
    );
    this.#states = new Set(after);
  }

  acceptsForever(letter: number): boolean {
    const known = this.#accepting.get(letter) ?? acceptsForever(this.#automaton, letter);
    this.#accepting.set(letter, known);
    return [...this.#states].some((state) => known[state]);
  }
}
