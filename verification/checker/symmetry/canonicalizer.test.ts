import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Symmetry } from '../model.ts';
import { createStructural, permute, renamings, type Structure, scenario } from '../testing/structures.ts';
import { mix } from './hash.ts';
import { createCanonicalizer } from './index.ts';

describe('a canonical form', () => {
  it('is the state permuted by `permutation`', () => {
    fc.assert(
      fc.property(scenario, ({ width, processes, structures }) => {
        const { symmetry, state } = createStructural(processes, width);
        const canonicalizer = createCanonicalizer(symmetry, width);
        const given = state(structures);
        const left = given.slice();
        canonicalizer.canonicalize(left);
        expect(permute(symmetry, given, [...canonicalizer.permutation])).toEqual(left);
      }),
    );
  });

  it('is the same for every permutation of a state, and the orbit size is their number', () => {
    fc.assert(
      fc.property(scenario, ({ width, processes, structures }) => {
        const { symmetry, state } = createStructural(processes, width);
        const canonicalizer = createCanonicalizer(symmetry, width);
        const all = renamings(processes, width).map((to) => permute(symmetry, state(structures), to));
        const sizes = all.map((member) => canonicalizer.canonicalize(member.slice()));
        const forms = all.map((member) => {
          const form = member.slice();
          canonicalizer.canonicalize(form);
          return form.join();
        });
        expect(new Set(forms).size).toBe(1);
        expect(new Set(sizes)).toEqual(new Set([new Set(all.map(String)).size]));
      }),
      { numRuns: 1000 },
    );
  });

  it('differs between orbits', () => {
    let [same, different] = [0, 0];
    fc.assert(
      fc.property(scenario, ({ width, processes, structures, other }) => {
        const { symmetry, state } = createStructural(processes, width);
        const canonicalizer = createCanonicalizer(symmetry, width);
        const near = structures.map((structure, process) => (process === 0 ? other[0]! : structure));
        for (const candidate of [other, near]) {
          const [a, b] = [state(structures), state(candidate)];
          const oneOrbit = renamings(processes, width).some(
            (to) => String(permute(symmetry, a, to)) === String(b),
          );
          canonicalizer.canonicalize(a);
          canonicalizer.canonicalize(b);
          expect(String(a) === String(b)).toBe(oneOrbit);
          if (oneOrbit) same++;
          else different++;
        }
      }),
      { numRuns: 500 },
    );
    expect(same).toBeGreaterThan(50);
    expect(different).toBeGreaterThan(50);
  });

  it('waits for renamings answered elsewhere: requests all missing ones at once and leaves the state unchanged', () => {
    fc.assert(
      fc.property(scenario, ({ width, processes, structures }) => {
        const { symmetry, state } = createStructural(processes, width);
        const answers = new Map<string, number>();
        const missing: (() => void)[] = [];
        const remote: Symmetry = {
          ...symmetry,
          rename(process, local, to) {
            const key = [process, local, ...to].join();
            missing.push(() => answers.set(key, symmetry.rename(process, local, to)));
            return answers.get(key) ?? -1;
          },
        };
        const canonicalizer = createCanonicalizer(remote, width);
        const [given, expected] = [state(structures), state(structures)];
        expect(canonicalizer.canonicalize(given)).toBe(0);
        expect(given).toEqual(expected);
        for (const answer of missing) answer();
        const size = createCanonicalizer(symmetry, width).canonicalize(expected);
        expect(canonicalizer.canonicalize(given)).toBe(size);
        expect(given).toEqual(expected);
      }),
    );
  });

  it('does not depend on earlier states', () => {
    fc.assert(
      fc.property(scenario, ({ width, processes, structures, other }) => {
        const forms = [[structures], [other, structures]].map((history) => {
          const { symmetry, state } = createStructural(processes, width);
          const canonicalizer = createCanonicalizer(symmetry, width);
          const left = history.map((each) => {
            const it = state(each);
            canonicalizer.canonicalize(it);
            return it;
          });
          return [...left.at(-1)!].map((local, process) => symmetry.edges(process, local));
        });
        expect(forms[0]).toEqual(forms[1]);
      }),
    );
  });
});

describe('ties', () => {
  const names = (label: number, ...refs: number[]): Structure => [{ label, refs }];
  const canonicalized = (structures: readonly Structure[]) => {
    const processes = structures.map((_, process) => process);
    const { symmetry, state } = createStructural(processes, processes.length);
    const canonicalizer = createCanonicalizer(symmetry, processes.length);
    const one = state(structures);
    const size = canonicalizer.canonicalize(one);
    const { statistics } = canonicalizer;
    const found = { size, ...statistics };
    for (let seed = 1; seed <= 20; seed++) {
      const to = [...processes].sort((a, b) => mix(a + 100 * seed) - mix(b + 100 * seed));
      const other = permute(symmetry, state(structures), to);
      expect(canonicalizer.canonicalize(other)).toBe(size);
      expect(other).toEqual(one);
    }
    return found;
  };

  it('twins cost no search: nine idle sites around a root', () => {
    const star = Array.from({ length: 10 }, (_, process) => (process === 0 ? [] : names(1, 0)));
    expect(canonicalized(star)).toMatchObject({ size: 10, searches: 0, nodes: 0 });
  });

  it('twins that name each other cost no search: a clique of ten', () => {
    const clique = Array.from({ length: 10 }, (_, process) =>
      Array.from({ length: 10 }, (_, ref) => ({ label: 1, refs: [ref] })).filter(
        ({ refs }) => refs[0] !== process,
      ),
    );
    expect(canonicalized(clique)).toMatchObject({ size: 1, searches: 0 });
  });

  it('twins below tied roots cost as many branches as roots: two stars of five', () => {
    const stars = Array.from({ length: 10 }, (_, process) =>
      process % 5 === 0 ? [] : names(1, process < 5 ? 0 : 5),
    );
    const { size, nodes } = canonicalized(stars);
    expect(size).toBe((252 / 2) * 5 * 5);
    expect(nodes).toBeLessThanOrEqual(3);
  });

  it('ties in a ring are broken once per process', () => {
    const ring = Array.from({ length: 11 }, (_, process) => names(1, (process + 1) % 11));
    const { size, nodes } = canonicalized(ring);
    expect(size).toBe(3_628_800);
    expect(nodes).toBeLessThanOrEqual(1 + 11);
  });

  it('processes are no twins when a third process distinguishes them: a ring that only its observer knows', () => {
    const edges = [0, 1, 2, 3].map((process) => ({ label: 1, refs: [process, (process + 1) % 4] }));
    expect(canonicalized([[], [], [], [], edges]).size).toBe(30);
  });

  it('ties of six pairs take tens of nodes, not 6! leaves', () => {
    const pairs = Array.from({ length: 12 }, (_, process) => names(1, process ^ 1));
    const { size, nodes } = canonicalized(pairs);
    expect(size).toBe(10_395);
    expect(nodes).toBeLessThan(100);
  });

  it('a ring of three and one of four look alike from every process, and their ties are broken the same way from anywhere', () => {
    const rings = [1, 2, 0, 4, 5, 6, 3].map((next) => names(1, next));
    expect(canonicalized(rings).size).toBe(420);
  });

  it('a ring of six and two rings of three look alike from every process, and are distinguished', () => {
    const processes = [0, 1, 2, 3, 4, 5];
    const { symmetry, state } = createStructural(processes, 6);
    const canonicalizer = createCanonicalizer(symmetry, 6);
    const six = state(processes.map((process) => names(1, (process + 1) % 6)));
    const three = state(
      processes.map((process) => names(1, process < 3 ? (process + 1) % 3 : 3 + ((process + 1) % 3))),
    );
    expect(canonicalizer.canonicalize(six)).toBe(120);
    expect(canonicalizer.canonicalize(three)).toBe(40);
    expect(three).not.toEqual(six);
  });
});

describe('invalid symmetries', () => {
  const structural = (processes: readonly number[]) => createStructural(processes, 20).symmetry;

  it('more than fifteen processes', () => {
    const processes = Array.from({ length: 16 }, (_, process) => process);
    expect(() => createCanonicalizer(structural(processes), 20)).toThrow(
      expect.objectContaining({ code: 'SYMMETRY_TOO_LARGE' }),
    );
  });

  it('a duplicate or missing process', () => {
    for (const processes of [[1, 1], [20], [-1]]) {
      expect(() => createCanonicalizer(structural(processes), 20)).toThrow(
        expect.objectContaining({ code: 'SYMMETRY_PROCESSES' }),
      );
    }
  });

  it('a ref to a process outside the scalar set', () => {
    const { symmetry, state } = createStructural([0, 1], 3);
    const given = state([[{ label: 0, refs: [2] }], [], []]);
    expect(() => createCanonicalizer(symmetry, 3).canonicalize(given)).toThrow(
      expect.objectContaining({ code: 'SYMMETRY_REF' }),
    );
  });
});
