import { afterAll, beforeAll, expect, test } from 'vitest';
import { prove, remembering } from '../../../proof/prove.ts';
import { type Solver, solvers } from '../../../proof/solver.ts';
import type { Step, Theory } from '../../../proof/theory.ts';
import { mutants } from '../mutants.ts';
import { epochTheory } from './theory.ts';

/* All claims, and the mutants that break S1, S2 or S3, or what they need, by the names of the claims that each breaks. */

let solver: Solver;
let theory: Theory;
beforeAll(async () => {
  solver = remembering(await solvers['z3-wasm'](60_000));
  theory = epochTheory();
});
afterAll(() => solver.close());

test('S1, S2 and S3 are inductive for every number of sites', { timeout: 900_000 }, async () => {
  const { claims, holds } = await prove('epoch', theory, [solver]);
  expect(claims.filter(({ verdict }) => verdict !== 'proved')).toEqual([]);
  expect(holds).toBe(true);
});

test.each([
  ['R0: a message below the promise is heard', 'S3: no fence is granted twice'],
  ['R2: every site that adopts makes the token', 'S1: one token in an epoch'],
  ['R2: the token of before is kept', 'S1: one token in an epoch'],
  [
    'R2: nobody is told that the section is lost',
    'in the critical section the token is here, and a site that is barred has none',
  ],
  [
    'R3: a frozen holder hands the token on',
    'a TOKEN is sent by a site that follows and has the token, and has it no longer',
  ],
  ['R4: a candidate does not promise what it stands for', 'S2: one winner of an epoch'],
  ['R5: a vote is given twice', 'a site votes once in an epoch'],
  [
    'R5: a voter does not freeze',
    'a site follows what it has promised, and a candidate stands above what it has adopted',
  ],
  [
    'R6: a vote alone elects',
    'a site is elected by a majority of the voters, and adopts what it is elected for',
  ],
  [
    'R7: a restart goes on where it crashed',
    'a site follows what it has promised, and a candidate stands above what it has adopted',
  ],
  [
    'R7: a vote is not written down',
    'what a message shows is on the disk before it is sent, and so is all that the next run needs',
  ],
  [
    'R7: an adoption is not written down',
    'what a message shows is on the disk before it is sent, and so is all that the next run needs',
  ],
  [
    'fence: entries are not counted',
    'a grant counts one entry more, and its fence is the epoch with that number',
  ],
  ['fence: the token forgets its count', 'S3: the token counts the entries that were granted'],
  [
    'again: it does not raise k',
    'a grant counts one entry more, and its fence is the epoch with that number',
  ],
  [
    'again: a frozen site goes on',
    'a grant counts one entry more, and its fence is the epoch with that number',
  ],
  [
    'try: it enters without the token',
    'a grant counts one entry more, and its fence is the epoch with that number',
  ],
])('%s: %s', { timeout: 300_000 }, async (name, claim) => {
  const [, machine] = mutants[name]!;
  const text = ({ possible, claims }: Step) => JSON.stringify([possible, claims]);
  const known = new Set(theory.steps.map(text));
  const mutant = epochTheory(machine);
  const steps = mutant.steps.filter((step) => !known.has(text(step)));
  const { claims } = await prove(name, { ...mutant, steps }, [solver]);
  const refuted = claims.flatMap(({ verdict, claim }) => (verdict === 'refuted' ? [claim] : []));
  expect(refuted).toContain(claim);
});
