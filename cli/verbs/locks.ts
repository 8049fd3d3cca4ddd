import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { type Order, orders, queueText, shownLocks } from '../../inspector/page/lock-order.ts';
import { durationText } from '../../inspector/page/time.ts';
import type { LockReport, LockReports } from '../../runtime/index.ts';
import { type ExitStatus, exitStatus } from '../exit.ts';
import { interruptible } from '../interrupt.ts';
import { wholeNumber } from '../options.ts';
import { liveView } from '../output.ts';
import { tableText } from '../table.ts';

interface LocksOptions {
  readonly like: string;
  readonly waited?: boolean;
  readonly sort: Order;
  readonly json?: boolean;
  readonly follow?: boolean;
  readonly timeout: number;
}

const followEveryMs = 1_000;

export function addLocks(program: Command): void {
  program
    .command('locks')
    .summary('the holder of each lock of a running cluster, since when, and the waiting sites')
    .description(
      'Asks the sites of a running cluster, each at its watch port (baton site --inspect, or serveWatch), for all ' +
        'of their locks, and puts the answers together. It sends no message of the protocol.',
    )
    .argument('<url...>', 'ws://host:port/ of each site, with ?token=... where one is needed')
    .option('--like <text>', 'only locks whose names contain it', '')
    .option('--waited', 'only locks with waiting sites')
    .addOption(
      new Option('--sort <by>', 'the order of the locks')
        .choices(Object.keys(orders))
        .default('name' satisfies Order),
    )
    .option('--follow', 'again every second, until Ctrl-C')
    .option('--json', 'as JSON: { locks, more, sites, silent } (durations in ms)')
    .option('--timeout <ms>', 'how long a site may take to answer', wholeNumber(1, 3_600_000), 2_000)
    .addHelpText(
      'after',
      '\nExit status: 0 every site answered, 2 wrong usage, 3 a site did not answer: what it has is missing.',
    )
    .action(async (urls: readonly string[], options: LocksOptions) => {
      process.exitCode = await locks(urls, options);
    });
}

async function locks(urls: readonly string[], options: LocksOptions): Promise<ExitStatus> {
  const { LockReader, OperatingError } = await import('../../runtime/index.ts');
  const { UsageError } = await import('../../verification/check/errors.ts');
  let reader: InstanceType<typeof LockReader>;
  try {
    reader = new LockReader(urls);
  } catch (error) {
    if (error instanceof OperatingError) throw new UsageError(error.message);
    throw error;
  }
  const { like, timeout: timeoutMs } = options;
  const read = async () => chosen(await reader.read({ like, timeoutMs }), options);
  try {
    const reports = options.follow ? await follow(read, options) : await read();
    if (!options.follow || process.stdout.isTTY) process.stdout.write(`${textOf(reports, options)}\n`);
    return reports.silent.length === 0 ? exitStatus.held : exitStatus.incomplete;
  } finally {
    reader.close();
  }
}

/** Prints reports until interrupted, and returns the last one. */
async function follow(read: () => Promise<LockReports>, options: LocksOptions): Promise<LockReports> {
  const view = await liveView(process.stdout, 0);
  let reports = await read();
  await interruptible(async (signal) => {
    while (!signal.aborted) {
      const text = textOf(reports, options);
      view.update(
        () => text,
        () => text,
      );
      await sleep(followEveryMs, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) reports = await read();
    }
  });
  view.clear();
  return reports;
}

function chosen(reports: LockReports, { waited = false, sort }: LocksOptions): LockReports {
  return { ...reports, locks: shownLocks(reports.locks, { order: sort, isWaited: waited }) };
}

function textOf(reports: LockReports, { json, like, waited }: LocksOptions): string {
  if (json) return JSON.stringify(reports);
  const { locks: rows, more, sites, silent } = reports;
  const table =
    rows.length === 0
      ? noLocksText(sites.length, like !== '' || waited === true)
      : tableText(
          ['lock', 'holder', 'held for', 'waiting', 'epoch', 'last change'],
          rows.map((row) => [
            row.lock,
            holderText(row),
            row.holder === null ? '' : durationText(row.holder.heldMs),
            queueText(row),
            String(row.epoch),
            `${durationText(row.changedMs)} ago`,
          ]),
        );
  return [
    table,
    ...(more ? ['there are more locks: --like names fewer'] : []),
    `answered: ${sites.length === 0 ? 'no site' : sites.join(', ')}`,
    ...silent.map(({ url, reason }) => `no answer from ${url}: ${reason}`),
  ].join('\n');
}

function noLocksText(answers: number, isFiltered: boolean): string {
  if (answers === 0) return 'nothing is known of any lock';
  return isFiltered ? 'no lock is like that' : 'no lock is in use yet';
}

function holderText({ holder, former, token, frozen, queue }: LockReport): string {
  const late = former.map(({ site, fence }) => `${site} still in epoch ${fence.epoch}`);
  const place = token === null ? 'token under way' : `token at ${token}`;
  const waits = queue.length > 0 && frozen.length > 0 ? `; ${frozen.join(', ')} wait for an election` : '';
  return [(holder?.site ?? `nobody (${place})`) + waits, ...late].join('; ');
}
