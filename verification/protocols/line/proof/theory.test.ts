import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AnyStateMachine, assign } from 'xstate';
import { type SiteContext, siteMachine } from '../../../../machines/line/site.ts';
import { prove } from '../../../proof/prove.ts';
import { type Solver, solvers } from '../../../proof/solver.ts';
import type { Theory } from '../../../proof/theory.ts';
import { editorOf } from '../../../system/edit.ts';
import { mutants } from '../mutants.ts';
import { lineTheory } from './theory.ts';

/* The table, and a few claims. All claims and all mutants: theory.slow.test.ts. */

let solver: Solver;
let theory: Theory;
beforeAll(async () => {
  solver = await solvers['z3-wasm'](60_000);
  theory = lineTheory();
});
afterAll(() => solver.close());

test('each event, client state and shape of the lines has its rows, and the table allows what it claims', () => {
  const claims = theory.steps.flatMap((step) => step.claims);
  expect([theory.rows, theory.steps.length, claims.length]).toEqual([816, 81, 2149]);
  expect(theory.table.flatMap(({ claim, broken }) => broken.map((row) => `${claim}: ${row}`))).toEqual([]);
});

test('what follows from the invariant is proved, and that the table has a row for each state', {
  timeout: 120_000,
}, async () => {
  const steps = theory.steps.filter(({ step }) => step === 'consequences' || step.includes('rows'));
  const report = await prove('line', { ...theory, steps }, [solver]);
  expect(report.claims.filter(({ verdict }) => verdict !== 'proved')).toEqual([]);
  expect(report.claims.length).toBe(9 + 3 + 4);
});

test('a mistake breaks the obligation that forbids it: the pointer stays after asking', {
  timeout: 120_000,
}, async () => {
  const mutant = lineTheory({ machine: mutants['the pointer stays after asking'] });
  const known = new Set(theory.steps.map(({ step }) => step));
  const steps = mutant.steps.filter(({ step }) => !known.has(step));
  expect(steps.map(({ step }) => step)).toEqual(['idle, ask -> requesting: REQUEST(i) to l, has no token']);
  const { claims } = await prove('mutant', { ...mutant, steps }, [solver]);
  const refuted = claims.filter(({ verdict }) => verdict === 'refuted').map(({ claim }) => claim);
  expect(refuted).toEqual(['L3: last of a site that waits or is inside is nil']);
});

describe('the table refuses a step that does more with a line than copy and see whether it is empty', () => {
  const append = (lineOf: (line: readonly string[], origin: string) => readonly string[]) =>
    siteMachine.provide({
      actions: {
        append: assign(({ context, event }) => ({
          line: lineOf((context as SiteContext).line, (event as unknown as { origin: string }).origin),
        })),
      },
    }) as AnyStateMachine;

  test('it counts the entries', () => {
    const machine = append((line, origin) => (line.length > 4 ? line : [...line, origin]));
    const [copies] = lineTheory({ machine }).table;
    expect(copies!.claim).toBe('a step only copies ids and compares them, and sees whether a line is empty');
    expect(copies!.broken.length).toBeGreaterThan(0);
  });

  test('it sorts them', () => {
    const machine = append((line, origin) => [...line, origin].sort());
    expect(() => lineTheory({ machine })).toThrow(/Cannot convert object to primitive value/);
  });

  test('it takes one from between the first and the last', () => {
    const machine = append((line, origin) => [...line.slice(0, 1), ...line.slice(2), origin]);
    expect(() => lineTheory({ machine })).toThrow(/TABLE_REFUSED: The step on REQUEST/);
  });

  test('it counts its peers where nobody leaves', () => {
    const { replace } = editorOf(siteMachine);
    const machine = replace(
      'client.idle.on.ask.0.guard',
      ({ context }: { context: SiteContext }) => context.peers > 3,
    );
    expect(() => lineTheory({ machine })).toThrow(/Cannot convert object to primitive value/);
  });
});
