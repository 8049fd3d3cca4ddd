import type { Formula } from './ltl.ts';

/**
 * Tells whether `formula` holds on the infinite word whose letters are `0 .. length - 1` and then `loop ..
 * length - 1` for ever (`loop < length`). `holds(name, i)` tells whether the atom is true at letter `i`. It
 * follows the definition, with fixed points over the letters and no automaton, and serves as an independent
 * check of every counterexample.
 */
export function holdsOnLasso(
  formula: Formula,
  length: number,
  loop: number,
  holds: (atom: string, position: number) => boolean,
): boolean {
  const positions = Array.from({ length }, (_, i) => i);
  const after = (i: number) => (i + 1 < length ? i + 1 : loop);

  /** The least (from false) or greatest (from true) solution of `now[i] = step(i, now[i + 1])`. */
  const fixedPoint = (start: boolean, step: (i: number, next: boolean) => boolean): boolean[] => {
    const now = positions.map(() => start);
    // A value travels around at most once: from the end back to the loop's start, and once more.
    for (let round = 0; round < 2; round++) {
      for (let i = length - 1; i >= 0; i--) now[i] = step(i, now[after(i)]!);
    }
    return now;
  };

  const evaluate = (f: Formula): boolean[] => {
    switch (f.op) {
      case 'true':
      case 'false':
        return positions.map(() => f.op === 'true');
      case 'atom':
        return positions.map((i) => holds(f.name, i));
      case 'not':
        return evaluate(f.of).map((value) => !value);
      case 'next': {
        const of = evaluate(f.of);
        return positions.map((i) => of[after(i)]!);
      }
      case 'always': {
        const of = evaluate(f.of);
        return fixedPoint(true, (i, next) => of[i]! && next);
      }
      case 'eventually': {
        const of = evaluate(f.of);
        return fixedPoint(false, (i, next) => of[i]! || next);
      }
      default: {
        const [left, right] = [evaluate(f.left), evaluate(f.right)];
        switch (f.op) {
          case 'and':
            return positions.map((i) => left[i]! && right[i]!);
          case 'or':
            return positions.map((i) => left[i]! || right[i]!);
          case 'implies':
            return positions.map((i) => !left[i]! || right[i]!);
          case 'iff':
            return positions.map((i) => left[i] === right[i]);
          case 'until':
            return fixedPoint(false, (i, next) => right[i]! || (left[i]! && next));
          case 'weakUntil':
            return fixedPoint(true, (i, next) => right[i]! || (left[i]! && next));
          case 'release':
            return fixedPoint(true, (i, next) => right[i]! && (left[i]! || next));
        }
      }
    }
  };
  return evaluate(formula)[0]!;
}
