import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLOCKED, type Model } from '../model.ts';
import { exploreNaively } from '../naive.ts';
import {
  BrokenLassoError,
  checkLiveness,
  type Lasso,
  type LivenessProperty,
  validateLasso,
} from './index.ts';
import { type Arrow, actionNumber, at, fair, tiny } from './testing/tiny.ts';

const STATES = 6;
const ACTIONS = 'abcd';

const arrows = fc.uniqueArray(
  fc
    .tuple(fc.nat(STATES - 1), fc.constantFrom(...ACTIONS), fc.nat(STATES - 1))
    .map(([from, action, to]): Arrow => `${from} ${action}> ${to}`),
  { minLength: 1, maxLength: 14 },
);

/** For each action: its weak or strong class. -1: none. */
const classes = fc.array(fc.integer({ min: -1, max: 2 }), {
  minLength: ACTIONS.length,
  maxLength: ACTIONS.length,
});
const atom = fc.subarray([...Array(STATES).keys()]);

interface Case {
  readonly arrows: readonly Arrow[];
  readonly weak: readonly number[];
  readonly strong: readonly number[];
  readonly p: readonly number[];
  readonly q: readonly number[];
}
const cases: fc.Arbitrary<Case> = fc.record({ arrows, weak: classes, strong: classes, p: atom, q: atom });

const propertyOf = ({ weak, strong, p, q }: Case, formula: string): LivenessProperty => ({
  kind: 'ltl',
  name: formula,
  formula,
  atoms: { p: at(...p), q: at(...q) },
  fairness: { weak: (action) => weak[action]!, strong: (action) => strong[action]! },
});

/**
 * Computes, slowly and exactly, all sets of states that a fair run can visit infinitely often. These are the
 * sets that are strongly connected and fair when all edges inside are taken. A single state that enables no
 * class is one too, because a run may stay there for ever.
 */
function fairSets({ arrows: drawn, weak, strong }: Case): number[][] {
  const edges = drawn.map((arrow) => {
    const [from, action, to] = arrow.split(/ |> /);
    return { from: Number(from), action: actionNumber(action!), to: Number(to) };
  });
  // A step that changes nothing is neither enabled nor taken, as in TLA+.
  const changing = edges.filter(({ from, to }) => from !== to);
  const enabled = (state: number, classOf: readonly number[], one: number) =>
    changing.some(({ from, action }) => from === state && classOf[action] === one);
  const subsets = Array.from({ length: 2 ** STATES - 1 }, (_, bits) =>
    [...Array(STATES).keys()].filter((state) => ((bits + 1) >> state) & 1),
  );
  return subsets.filter((set) => {
    const inside = edges.filter(({ from, to }) => set.includes(from) && set.includes(to));
    const connected = (start: number) => {
      const seen = new Set<number>();
      const visit = (state: number) => {
        for (const { from, to } of inside) {
          if (from !== state || seen.has(to)) continue;
          seen.add(to);
          visit(to);
        }
      };
      visit(start);
      return set.every((state) => seen.has(state));
    };
    const fairTo = (classOf: readonly number[], owed: 'every' | 'some', taken: typeof edges) =>
      [0, 1, 2].every(
        (one) =>
          taken.some(({ from, action, to }) => from !== to && classOf[action] === one) ||
          !set[owed]((state) => enabled(state, classOf, one)),
      );
    const loops = set.every(connected) && fairTo(weak, 'every', inside) && fairTo(strong, 'some', inside);
    const stays = set.length === 1 && fairTo(weak, 'every', []) && fairTo(strong, 'some', []);
    return loops || stays;
  });
}

/** The states on paths of one step or more from `starts` through states that satisfy `through`. */
function reach(
  drawn: readonly Arrow[],
  starts: readonly number[],
  through: (state: number) => boolean,
): Set<number> {
  const seen = new Set(starts.filter(through));
  for (const state of seen) {
    for (const arrow of drawn) {
      const [from, , to] = arrow.split(/ |> /).map(Number);
      if (from === state && through(to!)) seen.add(to!);
    }
  }
  return seen;
}

/** Formulas whose violation follows from the sets that a run visits infinitely often. */
const violated: Readonly<Record<string, (c: Case, sets: readonly number[][]) => boolean>> = {
  'F p': ({ arrows: drawn, p }, sets) => {
    const reached = reach(drawn, [0], (s) => !p.includes(s));
    return sets.some((set) => set.every((s) => reached.has(s)));
  },
  'G (p -> F q)': ({ arrows: drawn, p, q }, sets) => {
    const asked = [...reach(drawn, [0], () => true)].filter((s) => p.includes(s) && !q.includes(s));
    const waiting = reach(drawn, asked, (s) => !q.includes(s));
    return sets.some((set) => set.every((s) => waiting.has(s)));
  },
  'G F p': ({ arrows: drawn, p }, sets) => {
    const reached = reach(drawn, [0], () => true);
    return sets.some((set) => set.every((s) => reached.has(s) && !p.includes(s)));
  },
  'F G p': ({ arrows: drawn, p }, sets) => {
    const reached = reach(drawn, [0], () => true);
    return sets.some((set) => set.every((s) => reached.has(s)) && set.some((s) => !p.includes(s)));
  },
  'G F p -> G F q': ({ arrows: drawn, p, q }, sets) => {
    const reached = reach(drawn, [0], () => true);
    return sets.some(
      (set) => set.every((s) => reached.has(s) && !q.includes(s)) && set.some((s) => p.includes(s)),
    );
  },
  'G p': ({ arrows: drawn, p }, sets) => {
    // Every prefix of a run extends to a fair run: fairness is machine-closed over finitely many classes.
    const reached = reach(drawn, [0], () => true);
    return sets.length > 0 && [...reached].some((s) => !p.includes(s));
  },
};

describe('random graphs', () => {
  it.each(Object.keys(violated))(
    '%s: the verdict agrees with the enumeration of all sets of states',
    async (formula) => {
      await fc.assert(
        fc.asyncProperty(cases, async (c) => {
          const property = propertyOf(c, formula);
          const { verdicts } = await checkLiveness(tiny(...c.arrows), [property]);
          expect(verdicts[0]!.verdict).toBe(violated[formula]!(c, fairSets(c)) ? 'violated' : 'holds');
        }),
        { numRuns: 400 },
      );
    },
  );

  it.each([
    'X p',
    'p U q',
    'q R p',
    'G (p -> X q)',
    'G (p -> X (q U p))',
    'F (p & X p)',
    'G F (p & X q) -> F G p',
    '(G F p & G F q) | F G !p',
    '(p W q) <-> F G q',
  ])('%s: where it holds, no random walk is a fair counterexample', async (formula) => {
    await fc.assert(
      fc.asyncProperty(cases, fc.infiniteStream(fc.nat(99)), async (c, choices) => {
        const model = tiny(...c.arrows);
        const property = propertyOf(c, formula);
        const { verdicts } = await checkLiveness(model, [property]);
        if (verdicts[0]!.verdict === 'violated') return;
        for (const lasso of walks(model, choices)) {
          expect(() => validateLasso(model, property, lasso)).toThrow(BrokenLassoError);
        }
      }),
      { numRuns: 150 },
    );
  });
});

/** Random walks, each closed where a closing step exists. */
function* walks(model: Model, choices: Iterable<number>): Generator<Lasso> {
  const choice = choices[Symbol.iterator]();
  for (let walk = 0; walk < 8; walk++) {
    const states = [0];
    const moves: { readonly process: number; readonly step: number }[] = [];
    for (let length = 0; length < 12; length++) {
      yield { initial: [0], stem: [...moves], loop: [] };
      const state = states.at(-1)!;
      const steps = model.steps(0, state);
      if (steps.length === 0) break;
      const step = choice.next().value! % steps.length;
      moves.push({ process: 0, step });
      states.push(steps[step]!.to);
      for (const [at, before] of states.slice(0, -1).entries()) {
        if (before === states.at(-1)) yield { initial: [0], stem: moves.slice(0, at), loop: moves.slice(at) };
      }
    }
  }
}

describe('the graph', () => {
  const LOCALS = 4;
  const models = fc
    .record({
      width: fc.integer({ min: 1, max: 4 }),
      steps: fc.array(
        fc.record({
          process: fc.nat(3),
          local: fc.nat(LOCALS - 1),
          to: fc.nat(LOCALS - 1),
          sends: fc.array(fc.record({ process: fc.nat(3), message: fc.nat(2) }), { maxLength: 2 }),
        }),
        { maxLength: 24 },
      ),
      answers: fc.array(fc.integer({ min: BLOCKED, max: LOCALS - 1 }), { minLength: 48, maxLength: 48 }),
      initial: fc.array(fc.array(fc.nat(LOCALS - 1), { minLength: 4, maxLength: 4 }), {
        minLength: 1,
        maxLength: 3,
      }),
    })
    .map(
      ({ width, steps, answers, initial }): Model => ({
        width,
        initial: initial.map((state) => state.slice(0, width)),
        steps: (process, local) =>
          steps
            .filter((step) => step.process % width === process && step.local === local)
            .map(({ to, sends }, action) => ({
              action,
              to,
              sends: sends.map((send) => ({ ...send, process: send.process % width })),
            })),
        receive: (process, local, message) => answers[process * 12 + local * 3 + message]!,
      }),
    );

  it('has the states and transitions of the naive search', async () => {
    await fc.assert(
      fc.asyncProperty(models, async (model) => {
        const { states, transitions } = exploreNaively(model);
        expect(await checkLiveness(model, [])).toMatchObject({ states, transitions, cut: null });
      }),
      { numRuns: 300 },
    );
  });

  it('runs lassos through several processes', async () => {
    await fc.assert(
      fc.asyncProperty(models, classes, classes, async (model, weak, strong) => {
        const { verdicts } = await checkLiveness(
          model,
          [0, 1, 2, 3].map((sum) => ({
            kind: 'ltl',
            name: `sum ${sum}`,
            formula: 'F G p',
            atoms: { p: { kind: 'sum', project: (_, local) => local, judge: (total) => total === sum } },
            fairness: { weak: (action) => weak[action % 4]!, strong: (action) => strong[action % 4]! },
          })),
        );
        // There is a fair run, and it cannot stay at two sums.
        expect(verdicts.filter(({ verdict }) => verdict === 'holds').length).toBeLessThan(2);
      }),
      { numRuns: 200 },
    );
  });
});

describe('validateLasso', () => {
  const model = tiny('0 a> 1', '1 b> 0', '1 c> 2', '2 d> 1');
  const property: LivenessProperty = {
    kind: 'eventually',
    name: 'reaches 2',
    is: at(2),
    fairness: fair({ weak: ['a', 'b'] }),
  };
  const move = (step: number) => ({ process: 0, step });
  const lasso: Lasso = { initial: [0], stem: [], loop: [move(0), move(0)] };

  it('accepts a counterexample', () => {
    expect(() => validateLasso(model, property, lasso)).not.toThrow();
  });

  it.each([
    ['starts in no initial state', { initial: [1] }],
    ['no step 1 in state 0', { stem: [move(1)] }],
    ['ends elsewhere', { loop: [move(0)] }],
    ['weakly fair', { loop: [] }],
    ['the property holds', { loop: [move(0), move(1), move(0), move(0)] }],
  ])('rejects a lasso that is no counterexample: %s', (why, part) => {
    expect(() => validateLasso(model, property, { ...lasso, ...part })).toThrow(
      expect.objectContaining({ code: 'BROKEN_LASSO', message: expect.stringContaining(why) }),
    );
  });

  it('rejects a lasso that is only weakly fair', () => {
    const strict = { ...property, fairness: fair({ strong: ['c'] }) };
    expect(() => validateLasso(model, strict, lasso)).toThrow('not strongly fair');
  });
});
