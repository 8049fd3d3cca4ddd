import { check } from '../../check/check.ts';
import { type EpochOptions, epoch, epochFences, epochStrict } from './system.ts';

/*
 * Prints the checked systems as a table:
 * `npx tsx verification/protocols/epoch/table.ts [most seconds for each row, default 600]`. Each row is written as
 * soon as it is known. Exit status: 0 when all holds, 1 when something does not.
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
  { changes: 3, crashes: 'none', stands: 1 },
  { changes: 3, crashes: 'none', refusals: 'but the founder' },
  { changes: 3, crashes: 'none', refusals: 'but the last' },
  { sites: 4, changes: 1, crashes: 'founder' },
  { changes: 1, crashes: 'founder', inARow: 2 },
  { changes: 1, crashes: 'all', restart: 'with disk', inARow: 2 },
  { changes: 1, crashes: 'none', asks: 1, inARow: 1 },
  { strict: true, sites: 2, changes: 1, crashes: 'all', restart: 'with disk', renews: 'all' },
  { strict: true, changes: 1, crashes: 'none' },
  { strict: true, changes: 1, crashes: 'founder', renews: 'founder' },
  { strict: true, changes: 1, crashes: 'founder', restart: 'with disk' },
  { strict: true, changes: 2, crashes: 'none', refusals: 'none' },
  { strict: true, sites: 2, changes: 1, crashes: 'founder', inARow: 1 },
];

const maxSeconds = Number(process.argv[2] ?? 600);

const columns: Readonly<Record<string, (row: Row) => number | string>> = {
  sites: ({ sites = 3 }) => sites,
  changes: ({ changes = 1 }) => changes,
  crashes: ({ crashes = 'founder' }) => crashes,
  restart: ({ restart = 'never' }) => restart,
  breaks: ({ breaks = 0 }) => breaks,
  R10: ({ refusals = 'all', stands }) =>
    stands === undefined ? refusals : `${refusals}; each stands ${stands}`,
  asks: ({ asks, strict, withdraw }) =>
    strict ? (asks ?? 1) : (asks ?? (withdraw ? 'any, and withdraw' : 'any')),
  again: ({ inARow = '' }) => inARow,
  leases: ({ strict, renews = 'none' }) => (strict ? `renewed: ${renews}` : ''),
};

const systemOf = ({ asks, ...row }: Row) => {
  const options: EpochOptions = { sites: 3, network: { order: 'fifo' }, ...row };
  if (row.strict) return epochStrict(options);
  return asks === undefined ? epoch(options) : epochFences({ ...options, asks });
};

const line = (cells: readonly unknown[]) => console.log(`| ${cells.join(' | ')} |`);
const titles = [...Object.keys(columns), 'states', 'depth', 'verdict', 'seconds'];
line(titles);
line(titles.map(() => '---'));
for (const row of rows) {
  const report = await check(systemOf(row), { maxSeconds });
  const open = report.properties.filter(({ verdict }) => verdict !== 'holds');
  if (open.some(({ verdict }) => verdict === 'violated')) process.exitCode = 1;
  line([
    ...Object.values(columns).map((cell) => cell(row)),
    report.states.toLocaleString('en'),
    report.depth,
    open.length === 0 ? 'all hold' : open.map(({ name, verdict }) => `${name}: ${verdict}`).join(', '),
    report.seconds.toFixed(1),
  ]);
}
