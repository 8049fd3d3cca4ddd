import type { SiteId } from '../../machines/actor.ts';
import { Judge, type UnderWay } from './judge.ts';
import { naimiTrehel } from './naimi-trehel.ts';
import { type RecordFile, recordFiles } from './read.ts';
import type { RecordedMachine } from './recorded-machine.ts';
import { type Refusal, Refused } from './refusal.ts';
import { SiteRecord } from './site-record.ts';

/** The machines that a record may name. */
export const recordedMachines: Readonly<Record<string, RecordedMachine>> = { 'naimi-trehel': naimiTrehel };

export interface ReplayReport {
  readonly accepted: boolean;
  /** What was judged of each lock, up to the refusal if there is one. */
  readonly locks: readonly LockReport[];
  readonly refusal?: Refusal;
}

export interface LockReport {
  readonly lock: string;
  readonly machine: string;
  readonly sites: readonly SiteId[];
  readonly events: number;
  /** Sent; a broadcast counts once for each target. */
  readonly messages: number;
  readonly criticalSections: number;
  /** Sent, and not received when the record of its target ends. */
  readonly underWay: readonly UnderWay[];
}

/**
 * Holds the record in `directory` (`*.ndjson`, one file for each site and lock) against the machines
 * that made it: every step, every receipt, the token, the critical sections.
 *
 * @throws `ReplayInputError` when there is no record to judge.
 */
export function replay(directory: string): ReplayReport {
  let files: RecordFile[];
  try {
    files = recordFiles(directory);
  } catch (cause) {
    throw new ReplayInputError(`cannot read ${directory}: ${(cause as Error).message}`, { cause });
  }
  if (files.length === 0) throw new ReplayInputError(`no *.ndjson in ${directory}: nothing to judge`);
  return replayFiles(files);
}

/** `replay` of lines from anywhere. `machines`: what a record may name. */
export function replayFiles(files: readonly RecordFile[], machines = recordedMachines): ReplayReport {
  const opened: SiteRecord[] = [];
  const locks: LockReport[] = [];
  try {
    for (const file of files) opened.push(new SiteRecord(file));
    for (const lock of new Set(opened.map(({ start }) => start.lock))) {
      const records = opened.filter(({ start }) => start.lock === lock);
      const judge = new Judge(protocolOf(records, machines), records);
      try {
        judge.run();
      } finally {
        locks.push({
          lock,
          machine: records[0]!.start.machine,
          sites: records.map(({ site }) => site),
          ...judge.counts,
          underWay: judge.underWay,
        });
      }
    }
    return { accepted: true, locks };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { accepted: false, locks, refusal: error.refusal };
  } finally {
    for (const record of opened) record.close();
  }
}

function protocolOf(records: readonly SiteRecord[], machines: typeof recordedMachines): RecordedMachine {
  const [first] = records;
  const mesh = records.map(({ site }) => site).sort();
  for (const record of records) {
    const { site, peers, machine, lock } = record.start;
    if (records.some((other) => other !== record && other.site === site)) {
      record.refuse('REPLAY_MESH', `there are two records of site ${site} for lock ${lock}`);
    }
    const named = [site, ...peers].sort();
    if (named.join('\n') !== mesh.join('\n')) {
      record.refuse(
        'REPLAY_MESH',
        `it names the sites ${named.join(', ')}; there are records of ${mesh.join(', ')}`,
      );
    }
    if (machine !== first!.start.machine) {
      record.refuse('REPLAY_MESH', `it ran ${machine}, and ${first!.site} ran ${first!.start.machine}`);
    }
  }
  const protocol = Object.hasOwn(machines, first!.start.machine) ? machines[first!.start.machine] : undefined;
  return (
    protocol ??
    first!.refuse(
      'REPLAY_MESH',
      `unknown machine ${first!.start.machine}; known: ${Object.keys(machines).join(', ')}`,
    )
  );
}

/** There is no record to judge: neither accepted nor refused. */
export class ReplayInputError extends Error {
  readonly code = 'REPLAY_INPUT';
}
