import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Automaton, acceptsForever, automatonOf, reads } from './buchi.ts';
import { type Formula, parseFormula } from './ltl.ts';
import { Normalizer } from './normal.ts';
import { holdsOnLasso } from './semantics.ts';

const NAMES = ['p', 'q', 'r'];

const formulas = (depth: number): fc.Arbitrary<string> => {
  const leaf = fc.constantFrom(...NAMES, 'true', 'false');
  if (depth === 0) return leaf;
  const inner = formulas(depth - 1);
  return fc.oneof(
    { weight: 1, arbitrary: leaf },
    {
      weight: 3,
      arbitrary: fc.tuple(fc.constantFrom('!', 'X ', 'F ', 'G '), inner).map(([op, f]) => `${op}(${f})`),
    },
    {
      weight: 4,
      arbitrary: fc
        .tuple(inner, fc.constantFrom('&', '|', '->', '<->', 'U', 'R', 'W'), inner)
        .map(([f, op, g]) => `(${f}) ${op} (${g})`),
    },
  );
};

const words = fc
  .array(fc.integer({ min: 0, max: 7 }), { minLength: 1, maxLength: 6 })
  .chain((letters) => fc.record({ letters: fc.constant(letters), loop: fc.nat(letters.length - 1) }));

type Word = typeof words extends fc.Arbitrary<infer W> ? W : never;

const judge = (formula: Formula, { letters, loop }: Word) =>
  holdsOnLasso(formula, letters.length, loop, (name, i) => (letters[i]! & (1 << NAMES.indexOf(name))) !== 0);

/** Tells whether some run of the automaton over the word reaches a cycle that gathers all acceptance sets. */
function accepts(automaton: Automaton, { letters, loop }: Word): boolean {
  const width = automaton.states.length;
  const edges = (node: number) => {
    const position = Math.floor(node / width);
    const next = position + 1 < letters.length ? position + 1 : loop;
    return automaton.states[node % width]!.filter((t) => reads(t, letters[position]!)).map((t) => ({
      to: next * width + t.to,
      accepts: t.accepts,
    }));
  };
  const reach = (start: number) => {
    const seen = new Set<number>();
    const stack = [start];
    while (stack.length > 0) {
      for (const { to } of edges(stack.pop()!)) {
        if (seen.has(to)) continue;
        seen.add(to);
        stack.push(to);
      }
    }
    return seen;
  };
  for (const node of new Set([0, ...reach(0)])) {
    const ahead = reach(node);
    if (!ahead.has(node)) continue;
    let gathered = 0;
    for (const member of ahead) {
      if (!reach(member).has(node)) continue;
      for (const e of edges(member)) if (reach(e.to).has(node)) gathered |= e.accepts;
    }
    if (gathered === automaton.acceptance) return true;
  }
  return false;
}

const automatonFor = (text: string, negated = false) =>
  automatonOf(new Normalizer(NAMES).normal(parseFormula(text), negated));

/** The formula with all its parentheses. */
const shape = (f: Formula): string => {
  if (f.op === 'atom') return f.name;
  if ('left' in f) return `(${shape(f.left)} ${f.op} ${shape(f.right)})`;
  return 'of' in f ? `${f.op} ${shape(f.of)}` : f.op;
};

describe('parseFormula', () => {
  it.each([
    ['p <-> q -> r | p & !q U F r', '(p iff (q implies (r or (p and (not q until eventually r)))))'],
    ['p U q R r W p', '(p until (q release (r weakUntil p)))'],
    ['p -> q -> r', '(p implies (q implies r))'],
    ['p <-> q <-> r', '((p iff q) iff r)'],
    ['p && q & r || p', '(((p and q) and r) or p)'],
    ['[]<>p', 'always eventually p'],
    ['X(true U false)', 'next (true until false)'],
    ['"site 0 waits" -> F x.y_1', '(site 0 waits implies eventually x.y_1)'],
  ])('reads %s as %s', (text, expected) => {
    expect(shape(parseFormula(text))).toBe(expected);
  });

  it.each([
    ['', 1, 'the end'],
    ['p &', 4, 'the end'],
    ['p q', 3, '"q"'],
    ['(p', 3, 'the end'],
    ['p)', 2, '")"'],
    ['  p % q', 5, '"%"'],
    ['G F', 4, 'the end'],
    ['U p', 1, '"U"'],
    ['p -> "q', 6, '"""'],
    ['p ! q', 3, '"!"'],
  ])('refuses %j at column %i', (text, column, found) => {
    expect(() => parseFormula(text)).toThrow(
      expect.objectContaining({
        code: 'FORMULA_SYNTAX',
        column,
        message: expect.stringContaining(`found ${found}`),
      }),
    );
  });

  it('lists the known atoms when one is unknown', () => {
    expect(() => automatonFor('G (p -> F s)')).toThrow(
      expect.objectContaining({
        code: 'FORMULA_UNKNOWN_ATOM',
        column: 11,
        message: expect.stringContaining('p, q, r'),
      }),
    );
  });
});

describe('holdsOnLasso', () => {
  it.each([
    ['p', [1], 0, true],
    ['X p', [0, 1, 0], 2, true],
    ['G F p', [0, 1, 0], 1, true],
    ['F G p', [0, 1, 0], 1, false],
    ['F G p', [0, 0, 1], 2, true],
    ['p U q', [1, 1, 2, 0], 3, true],
    ['p U q', [1, 1, 1], 1, false],
    ['p W q', [1, 1, 1], 1, true],
    ['q R p', [1, 1, 3, 0], 3, true],
    ['q R p', [1, 1, 2, 0], 3, false],
    ['G (p -> F q)', [0, 1, 2, 0], 3, true],
    ['G (p -> F q)', [0, 1, 2, 1], 3, false],
  ] as const)('%s on %j back to %i: %s', (formula, letters, loop, expected) => {
    expect(judge(parseFormula(formula), { letters: [...letters], loop })).toBe(expected);
  });
});

describe('automatonOf', () => {
  it('accepts a word if and only if the formula holds on it', () => {
    fc.assert(
      fc.property(formulas(3), words, (text, word) => {
        const holds = judge(parseFormula(text), word);
        expect(accepts(automatonFor(text), word)).toBe(holds);
        expect(accepts(automatonFor(text, true), word)).toBe(!holds);
      }),
      { numRuns: 1500 },
    );
  });

  it('tells which states accept one letter for ever', () => {
    fc.assert(
      fc.property(formulas(3), fc.integer({ min: 0, max: 7 }), (text, letter) => {
        expect(acceptsForever(automatonFor(text), letter)[0]).toBe(
          judge(parseFormula(text), { letters: [letter], loop: 0 }),
        );
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['G (p -> F q)', 2, 2],
    ['F p', 2, 1],
    ['G F p', 1, 2],
    ['(G F p) -> (G F q)', 4, 2],
    ['p U q', 2, 2],
    ['p & !p', 1, 2],
  ])('is small: %s has %i states, its negation %i', (text, states, negated) => {
    expect([automatonFor(text).states.length, automatonFor(text, true).states.length]).toEqual([
      states,
      negated,
    ]);
  });

  it.each([
    ['untils', ' | '],
    ['ways', ' & '],
  ])('refuses a formula with too many %s', (_, operator) => {
    const untils = Array.from({ length: 32 }, (_, i) => `F X ${'X '.repeat(i)}p`);
    expect(() => automatonFor(untils.join(operator))).toThrow(
      expect.objectContaining({ code: 'FORMULA_TOO_LARGE' }),
    );
  });
});
