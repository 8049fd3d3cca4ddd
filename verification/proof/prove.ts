import { smtLib } from './formula.ts';
import type { Answer, Solver } from './solver.ts';
import type { Claim, Theory } from './theory.ts';

/** The verdict on one claim, with the time that each solver took. */
export interface Proved {
  readonly step: string;
  readonly claim: string;
  /** `refuted`: a solver found a counterexample to induction, or the table has rows that break the claim. `open`: no answer, or two that differ. */
  readonly verdict: 'proved' | 'refuted' | 'open';
  /** The answers of the solvers, in the order asked; none for a claim about the table. */
  readonly answers: readonly { readonly answer: Answer; readonly ms: number }[];
  /** Why it is not proved. */
  readonly reason?: string;
}

export interface ProofReport {
  readonly name: string;
  readonly solvers: readonly string[];
  /** Rows of the table of the statechart's steps. */
  readonly rows: number;
  /** Steps of the table that no state of the invariant can take; nothing need be claimed of them. */
  readonly impossible: readonly string[];
  readonly claims: readonly Proved[];
  readonly seconds: number;
  /** All claims are proved. */
  readonly holds: boolean;
}

export interface ProveOptions {
  readonly onClaim?: (proved: Proved) => void;
  /** Ends the proof between two queries; the remaining obligations are `open`. */
  readonly signal?: AbortSignal;
}

/** Asks every solver every query; a claim is proved when all of them say so. */
export async function prove(
  name: string,
  theory: Theory,
  solvers: readonly [Solver, ...Solver[]],
  { onClaim, signal }: ProveOptions = {},
): Promise<ProofReport> {
  const started = performance.now();
  const claims: Proved[] = [];
  const impossible: string[] = [];
  const tell = (proved: Proved) => {
    claims.push(proved);
    onClaim?.(proved);
  };
  for (const { claim, broken } of theory.table) {
    const [first] = broken;
    const said = { step: 'table', claim, answers: [] };
    tell(
      first === undefined
        ? { ...said, verdict: 'proved' }
        : {
            ...said,
            verdict: 'refuted',
            reason: `${broken.length} of ${theory.rows} rows break it, such as ${first}`,
          },
    );
  }
  for (const { step, possible, mustBeImpossible, claims: wanted } of theory.steps) {
    if (possible !== undefined) {
      const claim: Claim = { claim: 'it cannot be taken', query: possible };
      const proved = await asked(step, claim, solvers, signal);
      if (mustBeImpossible === true || (proved.verdict === 'open' && proved.answers.length > 1)) tell(proved);
      if (proved.verdict === 'proved') {
        impossible.push(step);
        continue;
      }
    }
    for (const claim of wanted) tell(await asked(step, claim, solvers, signal));
  }
  return {
    name,
    solvers: solvers.map((solver) => solver.name),
    rows: theory.rows,
    impossible,
    claims,
    seconds: (performance.now() - started) / 1000,
    holds: claims.every(({ verdict }) => verdict === 'proved'),
  };
}

async function asked(
  step: string,
  { claim, query, expect = 'unsat' }: Claim,
  solvers: readonly Solver[],
  signal: AbortSignal | undefined,
): Promise<Proved> {
  const answers: { readonly answer: Answer; readonly ms: number }[] = [];
  for (const solver of solvers) {
    if (signal?.aborted) return { step, claim, answers, verdict: 'open', reason: 'it was interrupted' };
    const started = performance.now();
    const answer = await solver.ask(query);
    answers.push({ answer, ms: performance.now() - started });
  }
  const said = new Set(answers.map(({ answer }) => answer));
  const told = { step, claim, answers };
  if (said.size > 1) {
    const each = solvers.map((solver, index) => `${solver.name}: ${answers[index]!.answer}`).join(', ');
    return { ...told, verdict: 'open', reason: `the solvers differ: ${each}` };
  }
  const [only] = said;
  if (only === expect) return { ...told, verdict: 'proved' };
  if (only === 'unknown') return { ...told, verdict: 'open', reason: 'the solver did not decide it in time' };
  const reason =
    only === 'sat'
      ? 'a state that satisfies the invariant has a step that breaks it'
      : 'the assumptions contradict each other';
  return { ...told, verdict: 'refuted', reason };
}

/** A solver that asks equal queries once: two statecharts that differ in one step share all others. */
export function remembering(solver: Solver): Solver {
  const known = new Map<string, Promise<Answer>>();
  return {
    name: solver.name,
    ask: (query) => {
      const text = smtLib(query);
      const answer = known.get(text) ?? solver.ask(query);
      known.set(text, answer);
      return answer;
    },
    close: () => solver.close(),
  };
}
