import { type Command, Option } from 'commander';
import { UsageError } from '../../verification/check/errors.ts';
import type { System } from '../../verification/system/system.ts';
import { type ExitStatus, exitStatus } from '../exit.ts';
import { wholeNumber } from '../options.ts';
import { remark, writeFileOrRefuse } from '../output.ts';
import type { VerifyOptions } from '../verify/options.ts';

const formats = ['promela', 'tlaplus', 'dot', 'mermaid', 'scxml'] as const;
type Format = (typeof formats)[number];

interface ExportOptions extends Pick<VerifyOptions, 'sites' | 'network' | 'liveness'> {
  readonly to: Format;
  readonly out?: string;
}

export function addExport(program: Command): void {
  program
    .command('export')
    .summary("write a system in another tool's language")
    .description(
      "Writes a system that baton verify takes: as a model for SPIN (promela) or TLC (tlaplus) from a table of the statecharts' own steps " +
        '(docs/engines.md), or its statecharts as they stand, for Graphviz (dot), Mermaid, or as SCXML.',
    )
    .argument('<system>', 'a name or a path, as of baton verify')
    .addOption(new Option('--to <format>', 'the language').choices(formats).makeOptionMandatory())
    .option('--sites <n>', 'how many sites (default: 3)', wholeNumber(1))
    .addOption(
      new Option('--network <order>', 'how messages travel (default: fifo)').choices([
        'fifo',
        'unordered',
        'unordered-by-target',
      ]),
    )
    .option('--liveness', 'with the properties of runs')
    .option('--out <file>', 'where to write (default: standard output)')
    .addHelpText('after', '\nExit status: 0 written, 2 wrong usage, or what cannot be exported, by name.')
    .action(async (system: string, options: ExportOptions) => {
      process.exitCode = await runExport(system, options);
    });
}

async function runExport(name: string, { to, out, ...size }: ExportOptions): Promise<ExitStatus> {
  const [{ findSystem }, { ExportError }] = await Promise.all([
    import('../../verification/protocols/find-system.ts'),
    import('../../verification/export/errors.ts'),
  ]);
  const { system } = await findSystem(name, size);
  let text: string;
  try {
    text = await written(system, to);
  } catch (error) {
    if (error instanceof ExportError) throw new UsageError(error.message);
    throw error;
  }
  if (out === undefined) process.stdout.write(text);
  else await writeFileOrRefuse(out, text);
  return exitStatus.held;
}

async function written(system: System, to: Format): Promise<string> {
  if (to === 'promela' || to === 'tlaplus') return writtenTable(system, to);
  const { chartOf } = await import('../../verification/timeline/chart.ts');
  const machines = [...new Set(Object.values(system.actors).map(({ machine }) => machine))];
  if (to === 'scxml') {
    const { ExportError } = await import('../../verification/export/errors.ts');
    const [machine, another] = machines;
    if (another !== undefined) {
      const ids = machines.map(({ id }) => id).join(', ');
      throw new ExportError(
        'EXPORT_REFUSED',
        `SCXML holds one statechart, and '${system.name}' has several: ${ids}.`,
      );
    }
    const { scxml } = await import('../../verification/export/scxml.ts');
    return scxml(chartOf(machine!));
  }
  const { graphvizChart, mermaidChart } = await import('../../inspector/page/exports/chart.ts');
  const write = to === 'dot' ? graphvizChart : mermaidChart;
  return machines.map((machine) => write(chartOf(machine))).join('\n');
}

/** The parts that the model leaves out are named on standard error. */
async function writtenTable(system: System, to: 'promela' | 'tlaplus'): Promise<string> {
  const [{ tabulate }, { questionsOf }, { askedOfSpin, promela }, { askedOfTlc, tlaplus }] =
    await Promise.all([
      import('../../verification/export/table.ts'),
      import('../../verification/export/questions.ts'),
      import('../../verification/export/promela/promela.ts'),
      import('../../verification/export/tlaplus/tlaplus.ts'),
    ]);
  const table = await tabulate(system);
  const all = await questionsOf(table);
  const questions = to === 'promela' ? askedOfSpin(all) : askedOfTlc(all);
  for (const { reason } of questions.refused) remark(reason);
  return (to === 'promela' ? promela(table, questions) : tlaplus(table, questions)).text;
}
