import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AnyStateMachine, assign } from 'xstate';
import { type SiteContext, siteMachine } from '../../../../machines/line/site.ts';
import { prove, remembering } from '../../../proof/prove.ts';
import { type Solver, SolverError, solvers } from '../../../proof/solver.ts';
import { editorOf } from '../../../system/edit.ts';
import {
  combinedMutants,
  leavingMutants,
  mutants,
  overtakingMutants,
  starvingMutants,
  withdrawMutants,
} from '../mutants.ts';
import { lineTheory } from './theory.ts';

/* All claims, and every mutant of the protocol's own tests by the names of the claims that it breaks. */

const { part, remove, replace } = editorOf(siteMachine);

let solver: Solver;
beforeAll(async () => {
  solver = remembering(await solvers['z3-wasm'](60_000));
});
afterAll(() => solver.close());

const { 'a try enters without the token': _try, 'a client goes on though its token is passed': _again } =
  combinedMutants;

test.each([
  [false, { rows: 816, claims: 1979, impossible: 37 }],
  [true, { rows: 2628, claims: 2093, impossible: 88 }],
] as const)(
  'the invariant is inductive for every number of sites, and where none leaves each waiting site is served; sites leave: %s',
  {
    timeout: 900_000,
  },
  async (leave, counts) => {
    const { rows, claims, impossible } = await prove('line', lineTheory({ leave }), [solver]);
    expect(claims.filter(({ verdict }) => verdict !== 'proved')).toEqual([]);
    expect({ rows, claims: claims.length, impossible: impossible.length }).toEqual(counts);
  },
);

test('each mistake breaks the obligation that forbids it', { timeout: 900_000 }, async () => {
  const staying = {
    ...mutants,
    ...withdrawMutants,
    'a try enters without the token': _try,
    'a client goes on though its token is passed': _again,
  };
  expect(await brokenBy(staying, false, (claim) => !claim.startsWith('progress: '))).toMatchInlineSnapshot(`
    "
    an idle root copies the token: L3: last of an idle site is nil exactly when the token is here; at most one token; T: or it is the root, which has the token or gets it; T: every site is below the root
    a client enters without the token: a grant comes with the token, in the critical section; L2: in the critical section the token is here
    the token that arrives is not kept: a grant comes with the token, in the critical section; L1: a waiting site is in a place; L2: in the critical section the token is here; a token exists; L3: last of an idle site is nil exactly when the token is here
    a busy site forgets a request: L1: a waiting site is in a place
    an idle root hands over to no site: L3: the line of an idle site is empty
    a site hands over from its critical section: L2: in the critical section the token is here; L3: last of a site that waits or is inside is nil
    a request is forwarded to no site: L1: a waiting site is in a place; T: the parent of a site is its last
    the pointer is turned before the request is forwarded: no REQUEST back to its origin; L2: requests, lines and last name other sites; T: paths are an order; T: or the target of its request
    the pointer stays after asking: L3: last of a site that waits or is inside is nil
    requests are not understood on the way: an event that is unexpected changes nothing; it cannot be taken
    the token is kept on release: L3: the line of an idle site is empty
    the token goes without its line: L1: a waiting site is in a place
    an entry stands twice: L1: and in no second place; L3: the line of an idle site is empty; T: or the site that it stands in line at
    a site that asks again leaves no entry: L1: a waiting site is in a place
    a site that asks again keeps its pointer: L3: last of a site that waits or is inside is nil; T: or the token's target
    a withdrawn site drops the line: L1: a waiting site is in a place; T: paths are an order
    a withdrawn site keeps the token: L3: the line of an idle site is empty
    a try enters without the token: a grant comes with the token, in the critical section; L2: in the critical section the token is here; L3: last of a site that waits or is inside is nil
    a client goes on though its token is passed: L2: in the critical section the token is here; L3: last of a site that waits or is inside is nil
    "
  `);
});

test('each mistake in leaving breaks the obligation that forbids it', { timeout: 900_000 }, async () => {
  expect(await brokenBy(leavingMutants, true)).toMatchInlineSnapshot(`
    "
    a site leaves with the token: L3: the line of an idle site is empty; no site points at one that has left; nothing travels to a site that has left; a site leaves with the token only when all have left; a site counts all others that take part, but for a leaver that it has heard; a request of a leaver is before its LEAVE
    a site leaves at the first goodbye: it cannot be taken; T: every site is below the root; no site points at one that has left; nothing travels to a site that has left; LEAVE is said by a leaver to other sites; GOODBYE is said to a leaver by other sites that take part; a site counts all others that take part, but for a leaver that it has heard; a request of a leaver is before its LEAVE
    a leaver keeps the line: L1: and in no second place; L3: the line of an idle site is empty; at most one token; T: or the site that it stands in line at; a site leaves with the token only when all have left
    a goodbye is said while last names the leaver: L3: last of an idle site is nil exactly when the token is here
    a leaver is not counted out: a site counts all others that take part, but for a leaver that it has heard
    a leaver waits for one goodbye too many: it cannot be taken
    "
  `);
});

test('a mistake that lets a site overtake or starve breaks an obligation of progress, and no other', {
  timeout: 900_000,
}, async () => {
  expect(await brokenBy({ ...overtakingMutants, ...starvingMutants }, false)).toMatchInlineSnapshot(`
    "
    entries of the token go before the own line: progress: before a site may come those below an entry ahead; progress: before a site may come those that hold it; progress: before a site on the token may come those below the token's target alone
    a site that asks again goes to the head of the rest: progress: before a site may come those below an entry ahead
    last is not set to the end of the line: progress: a site that rides is below an entry of the token
    "
  `);
});

const append = (entries: (site: SiteContext, origin: string) => readonly string[]): AnyStateMachine =>
  siteMachine.provide({
    actions: {
      append: assign(({ context, event }) => ({
        line: [...context.line, ...entries(context, (event as unknown as { origin: string }).origin)],
      })),
    },
  });

/** Mistakes that are in no other test. */
const proofMutants: Readonly<Record<string, AnyStateMachine>> = {
  'a site does not turn its pointer': remove('routing.forwarding.on.REQUEST.actions.1'),
  'a site that gets the token lets its line go first': replace('client.requesting.on.TOKEN', [
    {
      guard: 'someoneWaits',
      actions: ['keepToken', part('client.inCS.on.releaseAndAsk.0.actions.0'), 'joinLine'],
    },
    { target: 'inCS', actions: ['keepToken', 'grant'] },
  ]),
  'a busy site keeps itself, not the origin': append(({ self }) => [self]),
  'a busy site keeps a request twice': append((_, origin) => [origin, origin]),
  'a site without the token hands it over': replace(
    'routing.root.on.REQUEST.0.guard',
    ({ context }: { context: SiteContext }) => !context.token,
  ),
};

/** For each obligation of progress, a mistake that breaks it. */
test.each([
  ['the token goes without its line', 'held: entries are its edges'],
  ['a site without the token hands it over', 'held: an order, along the paths'],
  ['a busy site keeps itself, not the origin', 'order: of entries of one line'],
  ['a busy site keeps a request twice', 'order: strict and total'],
  ['entries of the token go before the own line', 'before a site may come those that hold it'],
  [
    'a site that asks again goes to the head of the rest',
    'before a site may come those below an entry ahead',
  ],
  [
    'entries of the token go before the own line',
    "before a site on the token may come those below the token's target alone",
  ],
  ['the token goes without its line', 'a site that is held is held by an entry'],
  ['a site hands over from its critical section', 'a site has a head'],
  ['last is not set to the end of the line', 'a site that rides is below an entry of the token'],
  ['a site without the token hands it over', 'a site below the head stays there'],
  ['a busy site keeps itself, not the origin', "the head's request stays on its way until it arrives"],
  ['a site does not turn its pointer', "the receiver of the head's request comes below the head"],
  [
    'a site that gets the token lets its line go first',
    "in the token's line no site comes before a waiting one",
  ],
  ['the token goes without its line', "a waiting site in the token's line stays in it"],
  ['a busy site keeps itself, not the origin', 'the token stays on its way until it arrives'],
  ['the token is kept on release', 'the head stays in the critical section until it hands the token on'],
  [
    'a site that gets the token lets its line go first',
    'a site that hands the token on comes before no more',
  ],
  ['a withdrawn site keeps the token', 'the head enters with the token, or hands it on'],
  ['the token is kept on release', 'a release hands the token on'],
])('%s: %s', { timeout: 300_000 }, async (mutant, obligation) => {
  const machines: Readonly<Record<string, AnyStateMachine>> = {
    ...mutants,
    ...withdrawMutants,
    ...overtakingMutants,
    ...starvingMutants,
    ...proofMutants,
  };
  const broken = await brokenBy(
    { [mutant]: machines[mutant]! },
    false,
    (claim) => claim === `progress: ${obligation}`,
  );
  expect(broken.trim()).toBe(`${mutant}: progress: ${obligation}`);
});

test('without path reversal all is proved but that requests come nearer to the root', {
  timeout: 900_000,
}, async () => {
  const name = 'a site does not turn its pointer';
  expect((await brokenBy({ [name]: proofMutants[name]! }, false)).trim()).toBe(
    `${name}: progress: the receiver of the head's request comes below the head`,
  );
});

test('cvc5, where it is installed, says the same', { timeout: 900_000 }, async () => {
  const second = await solvers.cvc5(60_000).catch((error: unknown) => {
    if (error instanceof SolverError && error.code === 'SOLVER_MISSING') return null;
    throw error;
  });
  if (second === null) return;
  for (const leave of [false, true]) {
    const { claims } = await prove('cvc5', lineTheory({ leave }), [solver, second]);
    expect(claims.filter(({ verdict }) => verdict !== 'proved')).toEqual([]);
  }
});

/** Only the claims that the statechart without the mistake has not: the others are proved. */
async function brokenBy(
  machines: Readonly<Record<string, AnyStateMachine>>,
  leave: boolean,
  isAsked: (claim: string) => boolean = () => true,
): Promise<string> {
  const known = new Set(lineTheory({ leave }).steps.map((step) => JSON.stringify(step)));
  const lines: string[] = [];
  for (const [name, machine] of Object.entries(machines)) {
    const theory = lineTheory({ machine, leave });
    const steps = theory.steps
      .filter((step) => !known.has(JSON.stringify(step)))
      .map((step) => ({ ...step, claims: step.claims.filter(({ claim }) => isAsked(claim)) }));
    const { claims } = await prove(name, { ...theory, steps }, [solver]);
    const refuted = claims.flatMap(({ verdict, claim }) => (verdict === 'refuted' ? [claim] : []));
    lines.push(`${name}: ${[...new Set(refuted)].join('; ')}`);
  }
  return `\n${lines.join('\n')}\n`;
}
