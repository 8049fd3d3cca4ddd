import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AnyStateMachine, assign } from 'xstate';
import { type SiteContext, siteMachine } from '../../../../machines/epoch/site.ts';
import { prove, remembering } from '../../../proof/prove.ts';
import { type Solver, solvers } from '../../../proof/solver.ts';
import type { Step, Theory } from '../../../proof/theory.ts';
import { editorOf } from '../../../system/edit.ts';
import { mutants } from '../mutants.ts';
import { epochTheory } from './theory.ts';

/* All claims, and the mutants that break S1 to S5, or what they need, by the names of the claims that each breaks. */

const { replace } = editorOf(siteMachine);
type At = { readonly context: SiteContext; readonly event: Readonly<Record<string, unknown>> };

let solver: Solver;
let theory: Theory;
let known: ReadonlySet<string>;
beforeAll(async () => {
  solver = remembering(await solvers['z3-wasm'](60_000));
  theory = epochTheory();
  known = new Set(theory.steps.map(text));
});
afterAll(() => solver.close());

test('S1 to S3, S5, and S4 within an epoch are inductive for every number of sites', {
  timeout: 900_000,
}, async () => {
  const { claims, holds } = await prove('epoch', theory, [solver]);
  expect(claims.filter(({ verdict }) => verdict !== 'proved')).toEqual([]);
  expect(holds).toBe(true);
});

/** Mistakes that are in no other test. */
const proofMutants: Readonly<Record<string, AnyStateMachine>> = {
  'a vote does not show the token': replace('epoch.on.VOTE_REQUEST.1.actions.2', {
    type: 'send',
    params: ({ context: { self, promised }, event }: At) => ({
      target: event['candidate'],
      message: { type: 'VOTE', epoch: promised, voter: self, holds: null },
    }),
  }),
  'the winner makes itself the root': editorOf(
    replace('epoch.candidate.always.actions.0', {
      type: 'elected',
      params: ({ context: { promised, self, votes } }: At) => ({
        epoch: promised,
        root: self,
        voters: votes,
      }),
    }),
  ).replace('epoch.candidate.always.actions.1', {
    type: 'adopt',
    params: ({ context: { promised, self } }: At) => ({ epoch: promised, root: self }),
  }),
  'a fence names the epoch after': siteMachine.provide({
    actions: {
      countEntry: assign(({ context: { epoch, k } }) => ({
        k: k + 1,
        fence: { epoch: epoch + 1, k: k + 1 },
      })),
    },
  }),
  'an earlier epoch is adopted again': siteMachine.provide({
    guards: {
      isBelowPromise: () => false,
      isAhead: ({ context, event }) => 'root' in event && event.epoch !== context.epoch,
    },
  }),
};

test.each([
  ['R0: a message below the promise is heard', 'S3: no fence is granted twice'],
  ['R2: every site that adopts makes the token', 'S1: one token in an epoch'],
  [
    'R2: every site that adopts makes the token',
    'S4: one site is inside by an epoch, and no other has its token',
  ],
  [
    'R2: every site that adopts makes the token',
    'S4: while the section of its root goes on, no other site is inside by an epoch, or has its token',
  ],
  [
    'R2: the fence rises inside a critical section',
    'S5: the fence of a critical section is the last that was granted in it',
  ],
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
    'R6: the winner takes the token from any holder',
    'S4: a candidate remembers the token of the highest epoch that its votes show',
  ],
  [
    'R6: the token of the lowest epoch counts',
    'S4: a candidate remembers the token of the highest epoch that its votes show',
  ],
  [
    'the winner makes itself the root',
    'S4: the root of an epoch is the site with that token, or the winner where no vote shows one',
  ],
  ['a vote does not show the token', 'S4: a VOTE shows the epoch of the token that its sender has'],
  [
    'a fence names the epoch after',
    'a section begins once the root has adopted its epoch, at a site that has',
  ],
  ['a fence names the epoch after', 'S5: where a fence was granted no earlier epoch comes back'],
  ['an earlier epoch is adopted again', 'S5: fences of a site rise'],
  ['fence: the token forgets its count', 'S5: fences of an epoch rise'],
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
  const mutant = theoryOf(name);
  const steps = mutant.steps
    .filter((step) => !known.has(text(step)))
    .map((step) => ({ ...step, claims: step.claims.filter((of) => of.claim === claim) }));
  const { claims } = await prove(name, { ...mutant, steps }, [solver]);
  const refuted = claims.flatMap(({ verdict, claim }) => (verdict === 'refuted' ? [claim] : []));
  expect(refuted).toContain(claim);
});

const text = ({ possible, claims }: Step) => JSON.stringify([possible, claims]);

const theories = new Map<string, Theory>();

/** The table of a mutant takes seconds. */
function theoryOf(name: string): Theory {
  const machine = proofMutants[name] ?? mutants[name]![1];
  const made = theories.get(name) ?? epochTheory(machine);
  theories.set(name, made);
  return made;
}
