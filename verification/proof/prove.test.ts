import { expect, test } from 'vitest';
import { and, atom, differ, fact, forAll, implies, not, type Query, smtLib } from './formula.ts';
import { prove } from './prove.ts';
import type { Answer, Solver } from './solver.ts';
import type { Theory } from './theory.ts';

const query: Query = {
  relations: { token: 1 },
  constants: ['a', 'b'],
  assertions: [
    fact(and(atom('token', 'a'), atom('token', 'b'), differ('a', 'b'))),
    forAll((x, y) => implies(and(atom('token', x), differ(x, y)), not(atom('token', y)))),
  ],
};
const theory = (more: Partial<Theory> = {}): Theory => ({
  rows: 1,
  table: [],
  steps: [{ step: 'a step', claims: [{ claim: 'a claim', query }] }],
  ...more,
});

const saying = (answer: Answer): Solver => ({ name: answer, ask: async () => answer, close: async () => {} });
const verdictOf = async (...answers: readonly [Answer, ...Answer[]]) => {
  const [first, ...others] = answers;
  const report = await prove('x', theory(), [saying(first), ...others.map(saying)]);
  return [report.claims[0]!.verdict, report.holds];
};

test('a claim is proved by unsat alone, and of two solvers by both', async () => {
  expect(await verdictOf('unsat')).toEqual(['proved', true]);
  expect(await verdictOf('sat')).toEqual(['refuted', false]);
  expect(await verdictOf('unknown')).toEqual(['open', false]);
  expect(await verdictOf('unsat', 'unsat')).toEqual(['proved', true]);
  expect(await verdictOf('unsat', 'sat')).toEqual(['open', false]);
  expect(await verdictOf('unsat', 'unknown')).toEqual(['open', false]);
});

test('a step that must be impossible and is not is refuted; one that is impossible has no claims', async () => {
  const steps = [{ step: 'a step', possible: query, mustBeImpossible: true, claims: [] }];
  expect((await prove('x', theory({ steps }), [saying('sat')])).holds).toBe(false);
  const unasked = [
    { step: 'a step', possible: query, claims: [{ claim: 'a claim', query, expect: 'sat' as const }] },
  ];
  const report = await prove('x', theory({ steps: unasked }), [saying('unsat')]);
  expect(report).toMatchObject({ holds: true, impossible: ['a step'], claims: [] });
});

test('a row that breaks a claim of the table is named', async () => {
  const report = await prove('x', theory({ table: [{ claim: 'routed', broken: ['idle, ask'] }] }), [
    saying('unsat'),
  ]);
  expect(report.claims[0]).toMatchObject({
    verdict: 'refuted',
    reason: '1 of 1 rows break it, such as idle, ask',
  });
});

test('a query as SMT-LIB', () => {
  expect(smtLib(query)).toMatchInlineSnapshot(`
    "(set-logic UF)
    (declare-sort Site 0)
    (declare-fun token (Site) Bool)
    (declare-const a Site)
    (declare-const b Site)
    (assert (and (token a) (token b) (not (= a b))))
    (assert (forall ((v0 Site) (v1 Site)) (or (not (and (token v0) (not (= v0 v1)))) (not (token v1)))))
    (check-sat)
    "
  `);
});
