import colors from 'picocolors';
import type { ProofReport, Proved } from './prove.ts';

const painted: Readonly<Record<Proved['verdict'], string>> = {
  proved: colors.green('proved '),
  refuted: colors.red('REFUTED'),
  open: colors.yellow('open   '),
};

/** For a person: each step with its claims counted and timed, each claim that is not proved, and the conclusion. */
export function proofText({ name, solvers, rows, impossible, claims, seconds }: ProofReport): string {
  const names = [...new Set(claims.map(({ step }) => step))];
  const steps = names.map((step) => {
    const ofStep = claims.filter((claim) => claim.step === step);
    const times = solvers.map((_, index) =>
      ofStep.reduce((sum, { answers }) => sum + (answers[index]?.ms ?? 0), 0),
    );
    const seconds = times.map((ms) => `${(ms / 1000).toFixed(2)} s`.padStart(7)).join(' ');
    const verdict = worst(ofStep);
    return `${painted[verdict]} ${String(ofStep.length).padStart(3)} ${seconds}  ${step}`;
  });
  const unproved = claims
    .filter(({ verdict }) => verdict !== 'proved')
    .map(
      ({ verdict, step, claim, reason }) =>
        `\n${painted[verdict]} ${colors.bold(claim)}\n  in ${step}\n  ${reason}`,
    );
  return [
    colors.bold(`${name}: every number of sites`),
    `${rows} rows of the statechart's table; claims and solver time by step`,
    `by ${solvers.join('; ')}`,
    '',
    ...steps,
    '',
    `${impossible.length} steps of the table start in no state that satisfies the invariant`,
    ...unproved,
    '',
    conclusion(claims, seconds),
  ].join('\n');
}

function worst(claims: readonly Proved[]): Proved['verdict'] {
  const some = (verdict: Proved['verdict']) => claims.some((claim) => claim.verdict === verdict);
  return some('refuted') ? 'refuted' : some('open') ? 'open' : 'proved';
}

function conclusion(claims: readonly Proved[], seconds: number): string {
  const time = `${seconds.toFixed(1)} s`;
  const [refuted, open] = (['refuted', 'open'] as const).map(
    (verdict) => claims.filter((claim) => claim.verdict === verdict).length,
  );
  if (refuted! > 0) return colors.red(`${refuted} of ${claims.length} claims refuted, ${time}`);
  if (open! > 0) return colors.yellow(`${open} of ${claims.length} claims open, ${time}`);
  return colors.green(`all ${claims.length} claims are proved, ${time}`);
}
