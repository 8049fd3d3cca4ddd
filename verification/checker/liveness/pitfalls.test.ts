import { describe, expect, it } from 'vitest';
import { BLOCKED, type Model, type Predicate } from '../model.ts';
import {
  type ActionFairness,
  checkLiveness,
  type LivenessOptions,
  type LivenessProperty,
  type LivenessVerdict,
} from './index.ts';
import { at, fair, tiny } from './testing/tiny.ts';

const check = async (model: Model, property: LivenessProperty, options?: LivenessOptions) =>
  (await checkLiveness(model, [property], options)).verdicts[0]!;

const eventually = (goal: number, fairness: ActionFairness = {}): LivenessProperty => ({
  kind: 'eventually',
  name: `F ${goal}`,
  is: at(goal),
  fairness,
});

const ltl = (formula: string, states: Record<string, readonly number[]>, fairness: ActionFairness = {}) =>
  ({
    kind: 'ltl',
    name: formula,
    formula,
    atoms: Object.fromEntries(Object.entries(states).map(([name, list]) => [name, at(...list)])),
    fairness,
  }) satisfies LivenessProperty;

/** The verdict in short: `holds`, `incomplete`, or the lengths of stem and loop. */
const inShort = (verdict: LivenessVerdict) =>
  verdict.verdict === 'violated' ? [verdict.lasso.stem.length, verdict.lasso.loop.length] : verdict.verdict;

describe('stuttering', () => {
  const path = tiny('0 a> 1', '1 b> 2');

  it('without fairness a run may stop at once', async () => {
    expect(inShort(await check(path, eventually(2)))).toEqual([0, 0]);
  });

  it('a weakly fair class does not let it stop where the class is enabled', async () => {
    expect(inShort(await check(path, eventually(2, fair({ weak: ['a', 'b'] }))))).toBe('holds');
    expect(inShort(await check(path, eventually(2, fair({ weak: ['a'] }))))).toEqual([1, 0]);
    expect(inShort(await check(path, eventually(2, fair({ weak: ['b'] }))))).toEqual([0, 0]);
  });

  it('a strongly fair class does not let it stop there either', async () => {
    expect(inShort(await check(path, eventually(2, fair({ strong: ['a', 'b'] }))))).toBe('holds');
    expect(inShort(await check(path, eventually(2, fair({ strong: ['a'] }))))).toEqual([1, 0]);
  });

  it('a deadlock at the end of a path is a run that stays there', async () => {
    const fairness = fair({ weak: ['ab'], strong: ['a', 'b'] });
    expect(inShort(await check(path, eventually(3, fairness)))).toEqual([2, 0]);
    expect(inShort(await check(path, ltl('F G end', { end: [2] }, fairness)))).toBe('holds');
    expect(inShort(await check(path, ltl('G F X end', { end: [2] }, fairness)))).toBe('holds');
    expect(inShort(await check(path, ltl('G !end', { end: [2] }, fairness)))).toEqual([2, 0]);
  });

  it('an initial state without transitions is a run', async () => {
    expect(inShort(await check(tiny(), ltl('G (ask -> F served)', { ask: [1], served: [2] })))).toBe('holds');
    expect(inShort(await check(tiny(), eventually(1)))).toEqual([0, 0]);
    expect(inShort(await check(tiny(), ltl('G F tick', { tick: [1] }, fair({ weak: ['a'] }))))).toEqual([
      0, 0,
    ]);
  });

  it('X refers to the next transition, or to the same state when the run stays', async () => {
    expect(inShort(await check(tiny('0 a> 1'), ltl('X one', { one: [1] })))).toEqual([0, 0]);
    expect(inShort(await check(tiny('0 a> 1'), ltl('X one', { one: [1] }, fair({ weak: ['a'] }))))).toBe(
      'holds',
    );
    expect(inShort(await check(tiny(), ltl('X zero', { zero: [0] })))).toBe('holds');
  });

  it('a property that holds only because the run may stop fails once fairness makes it go on', async () => {
    const never = ltl('G !one', { one: [1] }, fair({ weak: ['a'] }));
    expect(inShort(await check(tiny(), never))).toBe('holds');
    expect(inShort(await check(tiny('0 a> 1'), never))).toEqual([1, 0]);
  });
});

describe('cycles', () => {
  it('eventually: a cycle that avoids the goal is found, whichever ways lead to the goal', async () => {
    const detour = tiny('0 a> 1', '1 b> 2', '2 c> 0', '2 d> 3');
    expect(inShort(await check(detour, eventually(3, fair({ weak: ['a', 'b', 'c'] }))))).toEqual([0, 3]);
  });

  it('eventually: a cycle with two entries is found (a search without joins misses it)', async () => {
    const joined = tiny('0 a> 1', '0 a> 2', '1 b> 3', '2 b> 3', '3 c> 1', '1 d> 4', '4 e> 4');
    expect(inShort(await check(joined, eventually(4, fair({ weak: ['a', 'b', 'c'] }))))).toEqual([1, 2]);
  });

  it('a self-loop changes nothing: it is neither enabled nor taken, as in TLA+', async () => {
    const idling = tiny('0 a> 0', '0 b> 1');
    expect(inShort(await check(idling, eventually(1, fair({ weak: ['a'] }))))).toEqual([0, 0]);
    expect(inShort(await check(idling, eventually(1, fair({ strong: ['a'] }))))).toEqual([0, 0]);
    expect(inShort(await check(idling, eventually(1, fair({ weak: ['b'] }))))).toBe('holds');
    expect(inShort(await check(idling, eventually(1, fair({ weak: ['ab'] }))))).toBe('holds');
    expect(inShort(await check(idling, eventually(1, fair({ strong: ['ab'] }))))).toBe('holds');
  });

  it('a goal passed before the cycle counts for F, not for G F', async () => {
    const once = tiny('0 a> 1', '1 b> 2', '2 c> 2');
    const fairness = fair({ weak: ['a', 'b', 'c'] });
    expect(inShort(await check(once, eventually(1, fairness)))).toBe('holds');
    expect(inShort(await check(once, ltl('G F one', { one: [1] }, fairness)))).toEqual([2, 0]);
  });

  it('leadsTo: an answer in the same state counts', async () => {
    const loop = tiny('0 a> 1', '1 b> 0');
    const fairness = fair({ weak: ['a', 'b'] });
    const leads = (from: number, to: number): LivenessProperty => ({
      kind: 'leadsTo',
      name: `${from} leads to ${to}`,
      from: at(from),
      to: at(to),
      fairness,
    });
    expect(inShort(await check(loop, leads(1, 1)))).toBe('holds');
    expect(inShort(await check(loop, leads(1, 0)))).toBe('holds');
    expect(inShort(await check(loop, leads(1, 2)))).toEqual([0, 2]);
  });
});

describe('fairness of a component', () => {
  it('a class is taken in the component as a whole, and not in the part that breaks the property', async () => {
    // {0, 1, 2} takes c. {0, 1} avoids 2, has c enabled throughout and never takes it.
    const whole = tiny('0 a> 1', '1 b> 0', '0 c> 2', '1 c> 2', '2 d> 0');
    expect(inShort(await check(whole, eventually(2, fair({ weak: ['a', 'b', 'c'] }))))).toBe('holds');
    expect(inShort(await check(whole, eventually(2, fair({ weak: ['a', 'b'] }))))).toEqual([0, 2]);
  });

  it('a class that is enabled infinitely often but not always: weak fairness is not enough, strong is', async () => {
    const flicker = tiny('0 a> 1', '1 b> 0', '0 c> 2');
    expect(inShort(await check(flicker, eventually(2, fair({ weak: ['a', 'b', 'c'] }))))).toEqual([0, 2]);
    expect(inShort(await check(flicker, eventually(2, fair({ weak: ['a', 'b'], strong: ['c'] }))))).toBe(
      'holds',
    );
  });

  it('a component is unfair as a whole, and fair in a part that does not enable the class', async () => {
    const refuge = tiny('0 a> 1', '1 b> 0', '1 e> 3', '3 e> 1', '3 b> 0', '0 c> 2');
    const fairness = fair({ weak: ['abe'], strong: ['c'] });
    expect(inShort(await check(refuge, eventually(2, fairness)))).toEqual([1, 2]);
    expect(inShort(await check(refuge, eventually(2, fair({ weak: ['b'], strong: ['c'] }))))).toBe('holds');
  });

  it('removal uncovers another class, three deep', async () => {
    const onion = tiny(
      ...(['0 a> 1', '1 a> 0', '1 a> 2', '2 a> 1', '2 a> 3', '3 a> 2', '3 a> 4', '4 a> 3'] as const),
      ...(['0 c> 9', '1 d> 9', '2 e> 9'] as const),
    );
    expect(inShort(await check(onion, eventually(9, fair({ strong: ['a', 'c', 'd', 'e'] }))))).toEqual([
      3, 2,
    ]);
    const closed = tiny(...(['0 a> 1', '1 a> 0', '1 a> 2', '2 a> 1', '0 c> 9', '1 d> 9', '2 e> 9'] as const));
    expect(inShort(await check(closed, eventually(9, fair({ strong: ['a', 'c', 'd', 'e'] }))))).toBe('holds');
  });

  it('a class must be taken inside the component, not on the way out', async () => {
    const leaving = tiny('0 a> 1', '1 b> 1', '0 c> 2', '1 c> 2', '2 d> 2');
    expect(inShort(await check(leaving, eventually(2, fair({ weak: ['a', 'b', 'c'] }))))).toBe('holds');
  });

  it('a class of several actions requires any of them, separate classes require each', async () => {
    const both = tiny('0 a> 2', '0 b> 2', '0 d> 2', '2 a> 0', '2 b> 0', '2 d> 0', '0 c> 1');
    expect(inShort(await check(both, eventually(1, fair({ weak: ['abd'] }))))).toEqual([0, 2]);
    expect(inShort(await check(both, eventually(1, fair({ weak: ['a', 'b', 'd'] }))))).toEqual([0, 4]);
    expect(inShort(await check(both, eventually(1, fair({ weak: ['a'], strong: ['b', 'd'] }))))).toEqual([
      0, 4,
    ]);
    expect(inShort(await check(both, eventually(1, fair({ weak: ['ac', 'b'], strong: ['c'] }))))).toBe(
      'holds',
    );
  });

  it('a step that a receiver blocks is not enabled', async () => {
    const withReceiver = (answer: number): Model => ({
      width: 2,
      initial: [[0, 0]],
      steps: (process, local) =>
        process === 0 && local === 0 ? [{ action: 0, to: 1, sends: [{ process: 1, message: 0 }] }] : [],
      receive: () => answer,
    });
    const sent: LivenessProperty = {
      kind: 'eventually',
      name: 'sent',
      is: {
        kind: 'tuple',
        observe: (process, local) => (process === 0 ? local : 0),
        judge: ([sender]) => sender === 1,
      },
      fairness: fair({ weak: ['a'] }),
    };
    expect(inShort(await check(withReceiver(BLOCKED), sent))).toEqual([0, 0]);
    expect(inShort(await check(withReceiver(1), sent))).toBe('holds');
  });

  it('eighty classes at once: the loop serves each as required, and none twice', async () => {
    const size = 40;
    const ring: Model = {
      width: 1,
      initial: [[0]],
      // Each place has a second state beside it, in which the same classes are enabled.
      steps: (_, local) => [
        { action: 2 * (local % size), to: (local + size) % (2 * size), sends: [] },
        { action: 2 * (local % size) + 1, to: (local + 1) % size, sends: [] },
      ],
      receive: (_, local) => local,
    };
    const own = (action: number) => action;
    const never = { kind: 'eventually', name: 'never', is: at(2 * size) } as const;
    expect(inShort(await check(ring, { ...never, fairness: { strong: own } }))).toEqual([0, 2 * size]);
    // Each weak class is disabled somewhere on the way round, which begins with a step to the state beside the first place.
    expect(inShort(await check(ring, { ...never, fairness: { weak: own } }))).toEqual([0, size + 1]);
    const both = { weak: (a: number) => (a % 2 ? a : -1), strong: (a: number) => (a % 2 ? -1 : a) };
    expect(inShort(await check(ring, { ...never, fairness: both }))).toEqual([0, 2 * size]);
  });
});

describe('atoms', () => {
  const pair: Model = { ...tiny(), width: 2, initial: [[0, 1]] };
  const eventuallyIs = (is: Predicate): LivenessProperty => ({ kind: 'eventually', name: 'is', is });

  it('a sum is taken modulo 2^32', async () => {
    const sums: number[] = [];
    const judge = (sum: number) => sums.push(sum) > 0;
    const project = (process: number) => (process === 0 ? 0xffff_ffff : 3);
    expect(inShort(await check(pair, eventuallyIs({ kind: 'sum', project, judge })))).toBe('holds');
    expect(sums).toEqual([2]);
  });

  it('a tuple has the value observed in each process', async () => {
    const tuples: number[][] = [];
    const judge = (tuple: Int32Array) => tuples.push([...tuple]) > 0;
    const observe = (process: number, local: number) => 10 * process + local;
    expect(inShort(await check(pair, eventuallyIs({ kind: 'tuple', observe, judge })))).toBe('holds');
    expect(tuples).toEqual([[0, 11]]);
  });
});

describe('a cut-off state space', () => {
  /** Counts for ever. A step leads back by one from each state that is divisible by ten. */
  const counter: Model = {
    width: 1,
    initial: [[0]],
    steps: (_, local) => [
      { action: 0, to: local + 1, sends: [] },
      ...(local > 0 && local % 10 === 0 ? [{ action: 1, to: local - 1, sends: [] }] : []),
    ],
    receive: (_, local) => local,
  };
  const counts = ltl('G F zero -> F zero', { zero: [0] }, fair({ weak: ['a'] }));
  const below = (bound: number): LivenessOptions => ({
    constraint: { kind: 'sum', project: (_, local) => local, judge: (sum) => sum < bound },
  });

  it.each([
    ['max-states', { maxStates: 5 }],
    ['max-memory', { maxMemoryBytes: 300_000 }],
    ['timeout', { timeoutMs: 30 }],
    ['aborted', { signal: AbortSignal.abort() }],
    ['constraint', below(100)],
  ] as const)('never holds: %s', async (limit, options) => {
    const result = await checkLiveness(counter, [counts], options);
    expect(result.verdicts).toEqual([{ name: counts.name, verdict: 'incomplete', limit }]);
    expect(result.cut).toBe(limit);
  });

  it('a violation in the explored part counts', async () => {
    const leaves = ltl('F beyond', { beyond: [1000] }, fair({ weak: ['ab'] }));
    expect(inShort(await check(counter, leaves, { maxStates: 50 }))).toEqual([9, 2]);
    expect(inShort(await check(counter, leaves, { maxStates: 11 }))).toBe('incomplete');
    expect(inShort(await check(counter, leaves, below(11)))).toEqual([9, 2]);
    expect(inShort(await check(counter, leaves, below(10)))).toBe('incomplete');
  });

  it('a run does not end in an unexpanded state, unless it may end anywhere', async () => {
    const never = ltl('F never', { never: [] }, fair({ weak: ['a'] }));
    expect(inShort(await check(counter, never, below(3)))).toBe('incomplete');
    expect(inShort(await check(counter, ltl('G !four', { four: [4] }), below(4)))).toEqual([4, 0]);
  });

  it('counts the states that the constraint cut', async () => {
    expect(await checkLiveness(counter, [], below(7))).toMatchObject({
      states: 8,
      transitions: 7,
      cutStates: 1,
    });
  });

  it('an initial state beyond the limit leaves no verdict', async () => {
    const many: Model = { ...counter, initial: [[0], [5]] };
    expect(await checkLiveness(many, [counts], { maxStates: 1 })).toMatchObject({
      states: 1,
      cut: 'max-states',
    });
    expect(await checkLiveness(counter, [counts], { maxStates: 0 })).toMatchObject({
      states: 0,
      cut: 'max-states',
    });
  });

  it('reports its progress and stops at an abort', async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const result = await checkLiveness(counter, [counts], {
      signal: controller.signal,
      progressMs: 0,
      onProgress: ({ states, property, frontier }) => {
        expect([property, frontier]).toEqual([null, 1]);
        seen.push(states);
        if (seen.length === 2) controller.abort();
      },
    });
    expect(result.verdicts[0]).toMatchObject({ verdict: 'incomplete', limit: 'aborted' });
    expect(seen).toHaveLength(2);
    expect(seen[0]).toBeLessThan(seen[1]!);
  });
});

describe('rejected input', () => {
  it('a malformed formula, before anything is explored', async () => {
    const untouchable: Model = {
      ...tiny(),
      steps: () => {
        throw new Error('explored');
      },
    };
    await expect(check(untouchable, ltl('G (p', { p: [0] }))).rejects.toMatchObject({
      code: 'FORMULA_SYNTAX',
    });
    await expect(check(untouchable, ltl('q', { p: [0] }))).rejects.toMatchObject({
      code: 'FORMULA_UNKNOWN_ATOM',
    });
    const many = Object.fromEntries(Array.from({ length: 32 }, (_, i) => [`p${i}`, [i]]));
    await expect(check(untouchable, ltl('p1', many))).rejects.toMatchObject({ code: 'FORMULA_TOO_LARGE' });
  });

  it.each([
    ['a local that is no number', { steps: () => [{ action: 0, to: Number.NaN, sends: [] }] }],
    ['a message below 0', { steps: () => [{ action: 0, to: 0, sends: [{ process: 0, message: -1 }] }] }],
    [
      'a process that is not there',
      { steps: () => [{ action: 0, to: 0, sends: [{ process: 1, message: 0 }] }] },
    ],
    ['an initial state of another width', { initial: [[0, 0]] }],
  ])('a model with %s', async (_, part: Partial<Model>) => {
    await expect(check({ ...tiny(), ...part }, eventually(1))).rejects.toMatchObject({
      code: 'MODEL_MALFORMED',
    });
  });

  it('a class that is not a whole number', async () => {
    const fairness = { weak: () => 0.5 };
    await expect(check(tiny('0 a> 0'), eventually(1, fairness))).rejects.toMatchObject({
      code: 'MODEL_MALFORMED',
    });
  });
});
