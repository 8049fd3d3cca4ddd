import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFormula } from './ltl.ts';
import { Monitor } from './monitor.ts';
import { holdsOnLasso } from './semantics.ts';

const atoms = ['p', 'q'];
const nothing = 0;
const p = 1;
const q = 2;

const verdicts = (formula: string, letters: readonly number[]) => {
  const monitor = new Monitor(formula, atoms);
  return letters.map((letter) => monitor.next(letter));
};

const formulas = fc.letrec<{ formula: string }>((tie) => ({
  formula: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom('p', 'q', 'true', 'false'),
    fc.tuple(fc.constantFrom('!', 'X', 'F', 'G'), tie('formula')).map(([op, of]) => `${op} (${of})`),
    fc
      .tuple(tie('formula'), fc.constantFrom('&', '|', '->', '<->', 'U', 'R', 'W'), tie('formula'))
      .map(([left, op, right]) => `(${left}) ${op} (${right})`),
  ),
})).formula;
const word = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 6 });

describe('verdict on a prefix', () => {
  it.each([
    ['G p', [p, p, nothing, p], ['so far', 'so far', 'violated', 'violated']],
    ['F p', [nothing, q, p, nothing], ['not yet', 'not yet', 'holds', 'holds']],
    ['G (p -> F q)', [nothing, p, nothing, q], ['so far', 'not yet', 'not yet', 'so far']],
    ['p U q', [p, p, q], ['not yet', 'not yet', 'holds']],
    ['p U q', [p, nothing], ['not yet', 'violated']],
    ['p W q', [p, p], ['so far', 'so far']],
    // An unsatisfiable or valid remainder shows before any letter does.
    ['X (p & !p)', [p], ['violated']],
    ['F p | G !p', [nothing], ['holds']],
    ['G F p', [p, nothing], ['so far', 'not yet']],
  ] as const)('%s', (formula, letters, expected) => expect(verdicts(formula, letters)).toEqual(expected));

  it('agrees with every continuation of the run, and is exact about a run that stays', () => {
    const count = { violated: 0, holds: 0, 'so far': 0, 'not yet': 0 };
    fc.assert(
      fc.property(formulas, word, word, (formula, stem, loop) => {
        const monitor = new Monitor(formula, atoms);
        const letters = [...stem, ...loop];
        const parsed = parseFormula(formula);
        const holds = (length: number, from: number) =>
          holdsOnLasso(parsed, length, from, (atom, at) => (letters[at]! & (atom === 'p' ? p : q)) !== 0);
        const whole = holds(letters.length, stem.length);
        for (const [index, letter] of letters.entries()) {
          const said = monitor.next(letter);
          count[said]++;
          if (said === 'violated' || said === 'holds') expect(said === 'holds').toBe(whole);
          const stays = holds(index + 1, index);
          expect(said === 'holds' || said === 'so far').toBe(stays);
        }
        expect(monitor.holdsFrom(stem.length)).toBe(whole);
      }),
      { numRuns: 400, seed: 7 },
    );
    for (const times of Object.values(count)) expect(times).toBeGreaterThan(50);
  });

  it('decides as early as possible: before, one continuation satisfies the formula and another does not', () => {
    fc.assert(
      fc.property(formulas, word, (formula, letters) => {
        const monitor = new Monitor(formula, atoms);
        const said = letters.map((letter) => monitor.next(letter)).at(-1)!;
        if (said === 'violated' || said === 'holds') return;
        const parsed = parseFormula(formula);
        const answers = new Set(
          extensions.map((on) => {
            const run = [...letters, ...on.stem, ...on.loop];
            return holdsOnLasso(parsed, run.length, letters.length + on.stem.length, (atom, at) => {
              return (run[at]! & (atom === 'p' ? p : q)) !== 0;
            });
          }),
        );
        expect(answers, `${formula} after ${letters}`).toEqual(new Set([true, false]));
      }),
      { numRuns: 150, seed: 11 },
    );
  });
});

/** Continuations: up to three letters, then one or two for ever. */
const words = (length: number): readonly (readonly number[])[] =>
  length === 0 ? [[]] : words(length - 1).flatMap((one) => [0, 1, 2, 3].map((letter) => [...one, letter]));
const stems = [0, 1, 2, 3].flatMap(words);
const loops = [1, 2].flatMap(words);
const extensions = stems.flatMap((stem) => loops.map((loop) => ({ stem, loop })));
