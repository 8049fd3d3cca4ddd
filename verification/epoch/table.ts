import { check } from '../check.ts';
import { type EpochOptions, epoch, epochFences } from './system.ts';

/*
 * What was checked, as a table: `npx tsx verification/epoch/table.ts [most seconds for each row, default 600]`.
 * Each row is written as soon as it is known. Exit status: 0 when all holds, 1 when something does not.
 */

type Row = Partial<EpochOptions> & { readonly asks?: number };

const rows: readonly Row[] = [
  { changes: 1, crashes: 'founder' },
  { changes: 1, crashes: 'all' },
  { changes: 1, crashes: 'founder', breaks: 1 },
  { changes: 1, crashes: 'all', restart: 'with disk' },
  { changes: 1, crashes: 'all', restart: 'without disk' },
  { changes: 1, crashes: 'founder', withdraw: true },
  { changes: 1, crashes: 'founder', asks: 2 },
  { changes: 2, crashes: 'none' },
  { changes: 2, crashes: 'founder', restart: 'with disk' },
  { changes: 2, crashes: 'none', asks: 1 },
  { sites: 4, changes: 1, crashes: 'founder' },
  { changes: 2, crashes: 'founder', restart: 'with disk', refusals: 'none' },
  { changes: 3, crashes: 'none', refusals: 'none' },
];

const maxSeconds = Number(process.argv[2] ?? 600);

console.log(
  '| sites | changes | crashes | restart | breaks | R10 | asks | states | steps to the farthest | verdict | seconds |',
);
console.log(`|${' --- |'.repeat(11)}`);
for (const row of rows) {
  const options: EpochOptions = { sites: 3, network: { order: 'fifo' }, ...row };
  const { asks } = row;
  const system = asks === undefined ? epoch(options) : epochFences({ ...options, asks });
  const report = await check(system, { maxSeconds });
  const open = report.properties.filter(({ verdict }) => verdict !== 'holds');
  if (open.some(({ verdict }) => verdict === 'violated')) process.exitCode = 1;
  const verdict =
    open.length === 0 ? 'all hold' : open.map((result) => `${result.name}: ${result.verdict}`).join(', ');
  const cells = [
    options.sites,
    options.changes,
    options.crashes,
    options.restart ?? 'never',
    options.breaks ?? 0,
    options.refusals ?? 'all',
    asks ?? (options.withdraw ? 'any, and withdraw' : 'any'),
    report.states.toLocaleString('en'),
    report.depth,
    verdict,
    report.seconds.toFixed(1),
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
