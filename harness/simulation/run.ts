import { parseArgs } from 'node:util';
import { reasonOf } from '../../machines/errors.ts';
import type { RecordLine } from '../../machines/record.ts';
import { changing } from './changing.ts';
import { findMutant, forgetful, simulatedMutants } from './mutants.ts';
import { ordeal } from './ordeal.ts';
import { writeRecordedRun } from './recorded-run.ts';
import type { SimulationOptions } from './simulation.ts';

/*
 * Runs the real runtime in virtual time, one schedule of deliveries, crashes, cuts and timers for each seed, and stops at the
 * first that breaks a promise. With --trace that run is recorded, or the last one where none breaks a promise, for `baton replay` and
 * `baton inspect`.
 */

const usage = `npm run simulate -- [options]
  --seed N      the first seed (default 1)
  --seeds N     how many seeds (default 100)
  --sites N     how many sites (default 3)
  --steps N     steps of each schedule (default 2000)
  --strict      with leases, and clocks that drift
  --hold N      callers hold the lock for up to N ms (default 20)
  --forgets     locks that nobody uses are forgotten, and callers pause for long
  --faults F    without --members: isolate, one site at a time is cut off; bounce, one is what the others have in common, and then
                starts again; voter, it also starts again as soon as it has elected another, which is cut off; late, messages of one
                take long, and it is cut off as soon as it has a lease; or none. Default: links are cut, and sites crash and come back
  --members     the members change: sites come, go, are replaced and lose their disks
  --founding    with --members: the founders are first started apart from each other, late or out of reach, and lose their data meanwhile
  --rushes      with --members: all sites are asked for a change at once, and faults come often, and when they count
  --contends    with --members: all sites want to coordinate a change at once, again and again, and nothing else happens
  --machines    with --members: processes are suspended, clocks run apart, disks refuse to write, links lose what is
                under way, and sites are started with builds of two versions of the wire
  --liar        with --members: the place of one voter is taken by a liar now and then
  --anew        with --members: a majority of the voters is lost for good now and then, and the cluster is founded anew with one that is left
  --mutants W   in place of the rules, each of their mutants with W in its name: --seeds schedules at most, until one breaks a promise
  --trace DIR   write the recorded run of the failing seed there; without one, that of the last seed`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '100' },
    sites: { type: 'string', default: '3' },
    steps: { type: 'string', default: '2000' },
    strict: { type: 'boolean', default: false },
    hold: { type: 'string', default: '20' },
    forgets: { type: 'boolean', default: false },
    faults: { type: 'string' },
    members: { type: 'boolean', default: false },
    founding: { type: 'boolean', default: false },
    rushes: { type: 'boolean', default: false },
    contends: { type: 'boolean', default: false },
    machines: { type: 'boolean', default: false },
    liar: { type: 'boolean', default: false },
    anew: { type: 'boolean', default: false },
    mutants: { type: 'string' },
    trace: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

function refuse(what: string): never {
  console.error(`baton simulate: ${what}\n${usage}`);
  process.exit(2);
}

function wholeNumber(key: 'seed' | 'seeds' | 'sites' | 'steps' | 'hold'): number {
  const text = values[key];
  if (/^\d{1,9}$/.test(text)) return Number(text);
  return refuse(`--${key} is a whole number, not "${text}"`);
}

function faultsOf(named: string | undefined): Pick<SimulationOptions, 'faults'> {
  if (named === undefined) return {};
  if (values.members) return refuse('--faults is not for --members');
  const known = (['isolate', 'bounce', 'voter', 'late', 'none'] as const).find((faults) => faults === named);
  return known
    ? { faults: known }
    : refuse(`--faults is isolate, bounce, voter, late or none, not "${named}"`);
}

/** Returns 1 if a mutant was not found. */
async function mutants(word: string, most: number): Promise<number> {
  let hidden = 0;
  for (const [name, mutant] of simulatedMutants) {
    if (!name.includes(word)) continue;
    const { schedules, what } = await findMutant(mutant, most);
    if (what === null) hidden += 1;
    console.log(
      what === null
        ? `${name}: not found in ${schedules} schedules`
        : `${name}: found by schedule ${schedules}: ${what.split('\n')[0]}`,
    );
  }
  return hidden === 0 ? 0 : 1;
}

async function main(): Promise<number> {
  if (values.help) {
    console.log(usage);
    return 0;
  }
  if (values.mutants !== undefined) return mutants(values.mutants, wholeNumber('seeds'));
  const [first, seeds, sites, steps] = [
    wholeNumber('seed'),
    wholeNumber('seeds'),
    wholeNumber('sites'),
    wholeNumber('steps'),
  ];
  // A stack for each caller costs a tenth of a schedule, and nobody reads one but in a run that is recorded.
  if (values.trace === undefined) Error.stackTraceLimit = 0;
  const holdMs = wholeNumber('hold');
  const faults = faultsOf(values.faults);
  let grants = 0;
  let elections = 0;
  let lines: RecordLine[] = [];
  const record = (dir: string, what: string) => {
    writeRecordedRun(dir, lines);
    console.log(`${what} is recorded in ${dir}: npx baton inspect ${dir}`);
  };
  for (let seed = first; seed < first + seeds; seed++) {
    lines = [];
    const options = {
      sites,
      seed,
      holdMs,
      ...faults,
      ...(values.forgets && forgetful),
      ...(values.strict && { strict: { leaseMs: 60, driftShare: 0.1 } }),
      ...(values.trace !== undefined && { witness: (line: RecordLine) => void lines.push(line) }),
    };
    try {
      const simulation = values.members
        ? await changing(
            {
              ...options,
              founds: values.founding,
              machines: values.machines,
              rushes: values.rushes,
              liar: values.liar,
              anew: values.anew,
              contends: values.contends,
            },
            steps,
          )
        : await ordeal(options, steps);
      grants += simulation.granted.length;
      elections += simulation.elections();
    } catch (error) {
      console.log(`seed ${seed}: ${reasonOf(error)}`);
      if (values.trace !== undefined) record(values.trace, 'its run');
      else {
        const chosen = (
          [
            'strict',
            'forgets',
            'members',
            'founding',
            'rushes',
            'contends',
            'machines',
            'liar',
            'anew',
          ] as const
        ).filter((key) => values[key]);
        const how = [
          `--sites ${sites} --steps ${steps} --hold ${holdMs}`,
          ...(values.faults === undefined ? [] : [`--faults ${values.faults}`]),
          ...chosen.map((key) => `--${key}`),
        ].join(' ');
        console.log(`record it: npm run simulate -- --seed ${seed} --seeds 1 ${how} --trace DIR`);
      }
      return 1;
    }
  }
  if (values.trace !== undefined && seeds > 0) record(values.trace, `the run of seed ${first + seeds - 1}`);
  console.log(
    `${seeds} schedules of ${sites} sites: ${grants} grants, ${elections} elections, every promise kept`,
  );
  return 0;
}

process.exitCode = await main();
