import { describe, expect, it } from 'vitest';
import type { Predicate } from '../model.ts';
import { exploreNaively } from '../naive.ts';
import { createNaimiTrehel } from '../testing/naimi-trehel.ts';
import { createSymmetryCheck, type SymmetryClaim } from './index.ts';

const model = createNaimiTrehel(3);

/** A linear congruential generator, so that the random numbers are the same each time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function checkAll(claim: Partial<SymmetryClaim>): void {
  const check = createSymmetryCheck({ model, symmetry: model, random: seeded(1), ...claim });
  exploreNaively(model, check);
}

const degree = (process: number, local: number) => model.edges(process, local).length;
const ofAll: Predicate = { kind: 'sum', project: degree, judge: (sum) => sum > 6 };
const ofSome: Predicate = { kind: 'tuple', observe: degree, judge: (degrees) => degrees.includes(3) };
const ofFirst: Predicate = { kind: 'tuple', observe: degree, judge: (degrees) => degrees[0] === 1 };
const ofWeighted: Predicate = { ...ofAll, project: (process, local) => process * degree(process, local) };

describe('a symmetry check by samples', () => {
  it('passes naimi-trehel and predicates that name no site', () => {
    checkAll({
      predicates: [
        { name: 'all', predicate: ofAll },
        { name: 'some', predicate: ofSome },
      ],
    });
  });

  it.each([
    ['first', ofFirst],
    ['weighted', ofWeighted],
  ] as const)('refutes a predicate that distinguishes sites: %s', (name, predicate) => {
    expect(() => checkAll({ predicates: [{ name, predicate }] })).toThrow(
      expect.objectContaining({
        code: 'SYMMETRY_BROKEN_PREDICATE',
        message: expect.stringContaining(`"${name}"`),
      }),
    );
  });

  it('refutes a model that orders sites', () => {
    const ordered = {
      ...model,
      steps: (process: number, local: number) =>
        model.steps(process, local).filter(({ sends }) => sends.every((send) => send.process < process)),
    };
    expect(() => checkAll({ model: ordered })).toThrow(
      expect.objectContaining({ code: 'SYMMETRY_BROKEN_MODEL' }),
    );
  });

  it('refutes edges that omit a renamed id', () => {
    const [last] = model.edges(1, model.initial[0]![1]!).filter(({ refs }) => refs.length > 0);
    const forgetful = {
      ...model,
      edges: (process: number, local: number) =>
        model
          .edges(process, local)
          .map((edge) => (edge.label === last!.label ? { ...edge, refs: [0] } : edge)),
    };
    expect(() => checkAll({ symmetry: forgetful })).toThrow(
      expect.objectContaining({ code: 'SYMMETRY_BROKEN_RENAME' }),
    );
  });
});
