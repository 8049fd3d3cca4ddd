import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AnyStateMachine, assign } from 'xstate';
import type { SiteContext } from '../../../../machines/naimi-trehel/site.ts';
import { type ProofReport, prove, remembering } from '../../../proof/prove.ts';
import { type Solver, SolverError, type SolverName, solvers } from '../../../proof/solver.ts';
import { part, replace } from '../edit.ts';
import { combinedMutants, leavingMutants, mutants, slowMutants } from '../mutants.ts';
import { naimiTrehelTheory } from './theory.ts';

/* Every mutant of the protocol's own tests against the proof, by the name of the claims that it breaks. Each takes seconds. */

let solver: Solver;
beforeAll(async () => {
  solver = remembering(await solvers['z3-wasm'](60_000));
});
afterAll(() => solver.close());

const withdrawing = ['a request is withdrawn and forgotten', 'a withdrawn site keeps the token'] as const;
const clientsOwn = ['a try enters without the token', 'a client goes on though its token is passed'] as const;

const isOfProgress = (claim: string) => claim.startsWith('progress: ');

/** For each obligation of progress that a step must meet, a mistake that breaks it. */
const ofProgress = [
  ['a busy root forgets the request', 'a site below the tail stays there'],
  ['variables are reset at every request', "the head's request stays on its way until it arrives"],
  ['next stays after the token is passed', "a waiting site in the token's queue stays in it"],
  ['variables are reset at every request', 'the token stays on its way until it arrives'],
  ['the token is kept on release', 'the head stays in the critical section until it hands the token on'],
  ['a withdrawn site keeps the token', 'the head enters with the token, or hands it on'],
  ['the token is kept on release', 'a release hands the token on'],
] as const;

test('each mistake breaks the obligation that forbids it', { timeout: 1_200_000 }, async () => {
  const all: readonly (readonly [string, AnyStateMachine])[] = [
    ...Object.entries(mutants),
    ...clientsOwn.map((name) => [name, combinedMutants[name]] as const),
    ...withdrawing.map((name) => [name, leavingMutants[name]] as const),
  ];
  const lines: string[] = [];
  const progress: string[] = [];
  for (const [name, machine] of all) {
    const broken = refuted(await prove(name, naimiTrehelTheory(machine), [solver]));
    lines.push(`${name}: ${broken.filter((claim) => !isOfProgress(claim)).join('; ')}`);
    progress.push(...broken.filter(isOfProgress).map((claim) => `${name}: ${claim}`));
  }
  expect(progress).toEqual(
    expect.arrayContaining(ofProgress.map(([name, claim]) => `${name}: progress: ${claim}`)),
  );
  expect(`\n${lines.join('\n')}\n`).toMatchInlineSnapshot(`
    "
    an idle root copies the token: L3: of an idle site; at most one token
    the neighbour is answered, not the origin: L1: a waiting site is in a place; L1: no other site is in a place; T: or where the request of its head goes; T: or it is the root; no second REQUEST of an origin; one request of each origin; L1: and in no second place
    variables are reset at every request: L1: a waiting site is in a place; L3: of a site that is not idle; T: or where the request of its head goes; T: or it is the root; Q: the tail of a queue lies on the eff-path
    variables are reset when the client asks: a grant comes with the token, in the critical section; L2: in the critical section the token is here; a token exists
    a failed look-up leaves the token given up: L1: a waiting site is in a place; a token exists
    a failed look-up leaves last turned: L1: a waiting site is in a place; T: or it is the root
    last is turned before the request is passed on: no REQUEST back to its origin; L2: requests, next and last name other sites; T: or where the request of its head goes
    last is not turned at the root: L3: of a site that is not idle; T: or it is the root
    last stays after asking: L3: of a site that is not idle
    a root stays root after handing over: routing is root exactly when last is nil
    next is overwritten: next is not overwritten; queue: of chains; queue: next are its edges; tail: the last of a queue; T: or where the request of its head goes; T: or it is the root; Q: the tail of a queue lies on the eff-path; L1: a queued site is next of a site
    a busy root forgets the request: L1: a waiting site is in a place; L3: of a site that is not idle; T: or where the request of its head goes; T: or it is the root; Q: the tail of a queue lies on the eff-path
    requests are not understood on the way: an event that is unexpected changes nothing; it cannot be taken
    a root hands over from its critical section: L2: in the critical section the token is here; L3: of a site that is not idle
    an idle root hands over to nobody: L3: of an idle site
    a client enters without the token: a grant comes with the token, in the critical section; L2: in the critical section the token is here; T: or it is the root
    the token that arrives is not kept: a grant comes with the token, in the critical section; L2: in the critical section the token is here; a token exists; L3: of an idle site
    the token is kept on release: L3: of an idle site
    the token is sent twice on release: a step sends one REQUEST and one TOKEN at most
    next stays after the token is passed: L1: and in no second place; L3: of an idle site
    a try enters without the token: a grant comes with the token, in the critical section; L2: in the critical section the token is here; L3: of a site that is not idle
    a client goes on though its token is passed: L2: in the critical section the token is here; L3: of a site that is not idle
    a request is withdrawn and forgotten: L1: no other site is in a place; L3: of an idle site
    a withdrawn site keeps the token: L3: of an idle site
    "
  `);
});

test('a queue that seems to stand behind a site that passed a REQUEST on: a site comes before a waiting one', {
  timeout: 240_000,
}, async () => {
  const takesItsLastForItsNext = replace('routing.forwarding.on.REQUEST.0.actions', [
    part('routing.forwarding.on.REQUEST.0.actions.0'),
    assign({
      next: ({ context }) => (context as SiteContext).last,
      last: ({ event }) => event['origin'],
    }),
  ]);
  const obligation = "progress: in the token's queue no site comes before a waiting one";
  const theory = naimiTrehelTheory(takesItsLastForItsNext);
  const steps = theory.steps.map((step) => ({
    ...step,
    claims: step.claims.filter(({ claim }) => claim === obligation),
  }));
  expect(refuted(await prove('mutant', { ...theory, steps }, [solver]))).toContain(obligation);
});

test('without path reversal all is proved but that requests come nearer to the root', {
  timeout: 240_000,
}, async () => {
  const [machine] = Object.values(slowMutants);
  const report = await prove('slow', naimiTrehelTheory(machine), [solver]);
  expect(refuted(report)).toEqual(["progress: the receiver of the head's request comes below the tail"]);
});

test.each(['z3', 'cvc5'] satisfies SolverName[])(
  '%s, where it is installed, says the same',
  { timeout: 300_000 },
  async (name) => {
    const second = await solvers[name](60_000).catch((error: unknown) => {
      if (error instanceof SolverError && error.code === 'SOLVER_MISSING') return null;
      throw error;
    });
    if (second === null) return;
    const report = await prove(name, naimiTrehelTheory(), [solver, second]);
    expect(report.claims.filter(({ verdict }) => verdict !== 'proved')).toEqual([]);
  },
);

/** Each claim once, whichever step breaks it. */
function refuted({ claims }: ProofReport): readonly string[] {
  return [...new Set(claims.filter(({ verdict }) => verdict === 'refuted').map(({ claim }) => claim))];
}
