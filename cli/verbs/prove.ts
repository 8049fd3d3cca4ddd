import { type Command, Option } from 'commander';
import { UsageError } from '../../verification/check/errors.ts';
import type { ProofReport, Proved } from '../../verification/proof/prove.ts';
import type { Solver, SolverName } from '../../verification/proof/solver.ts';
import { type ExitStatus, exitStatus } from '../exit.ts';
import { interruptible } from '../interrupt.ts';
import { positiveNumber } from '../options.ts';
import { liveView, proseStream, writeJson } from '../output.ts';

interface ProveOptions {
  readonly solver?: SolverName;
  readonly secondOpinion?: boolean;
  /** Time limit of one query, in seconds. */
  readonly timeout: number;
  readonly json?: string;
}

export function addProve(program: Command): void {
  program
    .command('prove')
    .summary('prove a protocol for every number of sites')
    .description(
      'Proves that the invariants of a protocol are inductive for every number of sites, with an SMT solver, from a table of ' +
        "its statechart's own steps. docs/proof.md says what is proved, under which assumptions, and what is trusted. " +
        'SYSTEM is naimi-trehel, line, line-leaving or epoch.',
    )
    .argument('<system>', 'a name')
    .addOption(
      new Option(
        '--solver <name>',
        'the package z3-solver, or a program on the PATH (default: z3-wasm)',
      ).choices(['z3-wasm', 'z3', 'cvc5']),
    )
    .option('--second-opinion', 'ask every solver that is installed; a claim is proved when all agree')
    .option('--timeout <seconds>', 'for one query', positiveNumber, 20)
    .option('--json <file>', 'write the report as JSON; - for standard output, and nothing else there')
    .addHelpText(
      'after',
      '\nExit status: 0 all claims are proved, 1 one is refuted, 2 wrong usage, 3 one is open (a solver had not the time, or two differ).',
    )
    .action(async (system: string, options: ProveOptions) => {
      process.exitCode = await runProve(system, options);
    });
}

async function runProve(name: string, options: ProveOptions): Promise<ExitStatus> {
  const { proofs } = await import('../../verification/protocols/proofs.ts');
  const theory = Object.hasOwn(proofs, name) ? proofs[name] : undefined;
  if (theory === undefined) {
    throw new UsageError(`no proof of ${name}: expected one of ${Object.keys(proofs).join(', ')}`);
  }
  const { prove } = await import('../../verification/proof/prove.ts');
  const solvers = await solversOf(options);
  const progress = await liveView(process.stderr, 2_000);
  let claims = 0;
  const onClaim = ({ step }: Proved) => {
    claims++;
    const line = () => `${claims} claims, ${step}`;
    progress.update(line, line);
  };
  let report: ProofReport;
  try {
    report = await interruptible((signal) => prove(name, theory(), solvers, { onClaim, signal }));
  } finally {
    progress.clear();
    await Promise.all(solvers.map((solver) => solver.close()));
  }
  await writeJson(options.json, report);
  if (options.json !== '-') {
    const { proofText } = await import('../../verification/proof/text.ts');
    proseStream(options.json).write(`${proofText(report)}\n`);
  }
  if (report.holds) return exitStatus.held;
  return report.claims.some(({ verdict }) => verdict === 'refuted')
    ? exitStatus.violated
    : exitStatus.incomplete;
}

/**
 * Returns the requested solvers. With `--second-opinion` one that is not installed is left out, and at least
 * two must remain.
 */
async function solversOf({ solver, secondOpinion, timeout }: ProveOptions): Promise<[Solver, ...Solver[]]> {
  const { solvers, SolverError } = await import('../../verification/proof/solver.ts');
  const names = secondOpinion === true ? (Object.keys(solvers) as SolverName[]) : [solver ?? 'z3-wasm'];
  const found: Solver[] = [];
  for (const name of names) {
    try {
      found.push(await solvers[name](timeout * 1_000));
    } catch (error) {
      if (!(error instanceof SolverError) || error.code !== 'SOLVER_MISSING') throw error;
      if (secondOpinion !== true) throw new UsageError(error.message);
    }
  }
  const [first, ...others] = found;
  if (first === undefined || (secondOpinion === true && others.length === 0)) {
    throw new UsageError(
      `a second opinion needs two solvers, and ${first?.name ?? 'none'} is here; Debian: apt install z3 cvc5; npm: install --save-dev z3-solver`,
    );
  }
  return [first, ...others];
}
