import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AnyStateMachine, assign } from 'xstate';
import { type SiteContext, siteMachine } from '../../../../machines/line/site.ts';
import { prove } from '../../../proof/prove.ts';
import { type Solver, solvers } from '../../../proof/solver.ts';
import type { Theory } from '../../../proof/theory.ts';
import { editorOf } from '../../../system/edit.ts';
import { mutants } from '../mutants.ts';
import { before, invariant } from './invariant.ts';
import { ordered, orderRules } from './progress.ts';
import { consequences, lineTheory } from './theory.ts';

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
  expect([theory.rows, theory.steps.length, claims.length]).toEqual([816, 81, 3466]);
  expect(theory.table.flatMap(({ claim, broken }) => broken.map((row) => `${claim}: ${row}`))).toEqual([]);
});

test('what follows from the invariant is proved, and that the table has a row for each state', {
  timeout: 120_000,
}, async () => {
  const steps = theory.steps.filter(({ step }) => step === 'consequences' || step.includes('rows'));
  const report = await prove('line', { ...theory, steps }, [solver]);
  expect(report.claims.filter(({ verdict }) => verdict !== 'proved')).toEqual([]);
  expect(report.claims.length).toBe(10 + 3 + 10);
});

/* A mutant breaks each of these conjuncts: theory.slow.test.ts. */
describe('a consequence falls with the conjunct that it rests on', () => {
  const conjuncts = invariant(before, false);
  const order = orderRules(ordered);
  const rests = {
    'mutual exclusion': 'L2: in the critical section the token is here',
    'T: a site without a parent has the token or gets it': 'L1: a waiting site is in a place',
    'the token has no entries while it is here': 'at most one token',
    'progress: the head has a request on its way, or the token, or gets it':
      'L1: a waiting site is in a place',
    "progress: the receiver of the head's request is not below the head": 'T: or the target of its request',
    'progress: a head with the token is in its critical section': 'L3: the line of an idle site is empty',
    'progress: a head with the token, or that gets it, comes before':
      'before a site may come those that hold it',
    'progress: a site has one head': 'held: entries are its edges',
  };

  test('all of them', () => {
    const { claims } = consequences(conjuncts, order);
    const ofUnsat = claims.filter(({ expect }) => expect === undefined).map(({ claim }) => claim);
    expect(Object.keys(rests)).toEqual(ofUnsat);
  });

  test.each(Object.entries(rests))('%s: %s', async (consequence, conjunct) => {
    const isOther = ({ name }: { readonly name: string }) => name !== conjunct;
    const [others, ordering] = [conjuncts.filter(isOther), order.filter(isOther)];
    expect(others.length + ordering.length).toBe(conjuncts.length + order.length - 1);
    const step = consequences(others, ordering);
    const claims = step.claims.filter(({ claim }) => claim === consequence);
    const report = await prove(consequence, { rows: 0, table: [], steps: [{ ...step, claims }] }, [solver]);
    expect(report.claims.map(({ verdict }) => verdict)).toEqual(['refuted']);
  });
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
