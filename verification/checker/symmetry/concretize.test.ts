import { describe, expect, it } from 'vitest';
import { apply, BLOCKED, type Model, type Symmetry, successors } from '../model.ts';
import { shortestTrace } from '../packed/index.ts';
import { createNaimiTrehel, type NaimiTrehel } from '../testing/naimi-trehel.ts';
import { leastSwitches, switchesOf } from '../testing/switches.ts';
import { concretize, createCanonicalizer, type RealPath } from './index.ts';

function formOf(model: NaimiTrehel): (state: readonly number[]) => Int32Array {
  const { canonicalize } = createCanonicalizer(model, model.width);
  return (state) => {
    const form = Int32Array.from(state);
    canonicalize(form);
    return form;
  };
}

/** For each orbit of greatest depth, a shortest path over orbits to it. */
function farthest(model: NaimiTrehel): Int32Array[][] {
  const form = formOf(model);
  const paths = new Map<string, Int32Array[]>();
  const queue: Int32Array[][] = [];
  const add = (path: Int32Array[]) => {
    const key = path.at(-1)!.join();
    if (paths.has(key)) return;
    paths.set(key, path);
    queue.push(path);
  };
  for (const state of model.initial) add([form(state)]);
  for (const path of queue) {
    for (const { after } of successors(model, [...path.at(-1)!])) add([...path, form(after)]);
  }
  return queue.filter((path) => path.length === queue.at(-1)!.length);
}

function replay(model: Model, { initial, steps }: RealPath): void {
  expect(model.initial).toContainEqual(initial);
  let state = initial;
  for (const { process, step, state: after } of steps) {
    const taken = model.steps(process, state[process]!)[step]!;
    expect(apply(model, state, process, taken)).toEqual(after);
    state = after;
  }
}

describe('a path over orbits', () => {
  it.each([
    [2, 3],
    [3, 9],
    [4, 20],
  ])('is a real run: naimi-trehel, N = %i, to its farthest states', (n, depth) => {
    const model = createNaimiTrehel(n);
    const form = formOf(model);
    const paths = farthest(model);
    expect(paths.length).toBeGreaterThan(0);
    for (const forms of paths) {
      const path = concretize(model, model, forms);
      expect(path.steps).toHaveLength(depth);
      replay(model, path);
      [path.initial, ...path.steps.map(({ state }) => state)].forEach((state, position) => {
        expect(form(state)).toEqual(forms[position]);
      });
    }
  });

  it.each([
    { n: 3, every: 1 },
    { n: 4, every: 9 },
  ])(
    'has the fewest switches between processes: naimi-trehel, N = $n, to its orbits',
    async ({ n, every }) => {
      const model = createNaimiTrehel(n);
      const form = formOf(model);
      const orbits = [...leastSwitches(model, { form: (state) => form(state).join() })].filter(
        (_, index) => index % every === 0,
      );
      expect(orbits.length).toBeGreaterThan(40);
      for (const [orbit, { depth, switches }] of orbits) {
        const state = orbit.split(',').map(Number);
        const path = (await shortestTrace(model, { state, depth }, { symmetry: model }))!;
        replay(model, path);
        expect(path.steps).toHaveLength(depth);
        expect(switchesOf(path.steps)).toBe(switches);
      }
    },
  );

  it('continues with the process that moved last where there is a choice', () => {
    const counters: Model & Symmetry = {
      width: 2,
      processes: [0, 1],
      initial: [[0, 0]],
      steps: (_, local) => [{ action: 0, to: local + 1, sends: [] }],
      receive: () => BLOCKED,
      edges: (_, local) => [{ label: local, refs: [] }],
      rename: (_, local) => local,
    };
    const { canonicalize } = createCanonicalizer(counters, 2);
    const forms = [
      [0, 0],
      [0, 1],
      [1, 1],
      [1, 2],
    ].map((state) => Int32Array.from(state));
    for (const form of forms) canonicalize(form);
    const { steps } = concretize(counters, counters, forms);
    expect(steps.map(({ process }) => process)).toEqual([0, 1, 1]);
  });

  it('is rejected when it is not a path', () => {
    const model = createNaimiTrehel(3);
    const [path] = farthest(model);
    const gap = path!.filter((_, position) => position !== 5);
    expect(() => concretize(model, model, gap)).toThrow(
      expect.objectContaining({ code: 'SYMMETRY_BROKEN_PATH' }),
    );
    expect(() => concretize(model, model, path!.slice(1))).toThrow(
      expect.objectContaining({ code: 'SYMMETRY_BROKEN_PATH' }),
    );
  });
});
