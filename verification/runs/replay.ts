import type { SiteId } from '../../machines/actor.ts';
import { Conformance } from './conformance.ts';
import { epoch } from './epoch.ts';
import type { UnderWay } from './link.ts';
import { livesOf, meshOf, protocolOf, toldOf } from './mesh.ts';
import { naimiTrehel } from './naimi-trehel.ts';
import { type Nonconformance, Refused } from './nonconformance.ts';
import { type RecordFile, recordFiles } from './read.ts';
import type { RecordedMachine } from './recorded-machine.ts';
import { SiteRecord } from './site-record.ts';
import { splitByLock } from './split.ts';

/** The machines that a record may name. */
export const recordedMachines: Readonly<Record<string, RecordedMachine>> = {
  epoch,
  'naimi-trehel': naimiTrehel,
};

export interface ReplayReport {
  readonly accepted: boolean;
  /** The figures of each lock, up to the refusal if there is one. */
  readonly locks: readonly LockReport[];
  readonly refusal?: Nonconformance;
}

/** Told of the number of lines that are judged, and of all. */
export type ReplayProgress = (lines: number, of: number) => void;

const progressEvery = 1_000;

export interface LockReport {
  readonly lock: string;
  readonly machine: string;
  readonly sites: readonly SiteId[];
  /** Starts: as many as sites when none began again. */
  readonly lives: number;
  readonly events: number;
  /** Sent; a broadcast counts once for each target. */
  readonly messages: number;
  /** Messages that were sent, and skipped by the next received one: lost with a site or a link. */
  readonly lost: number;
  readonly criticalSections: number;
  readonly elections: number;
  /** Sent, and not received when the record of its target ends. */
  readonly underWay: readonly UnderWay[];
}

/**
 * Holds the record in `directory` (`*.ndjson`, one file for each run of each site) against the machines that
 * made it: every step, every received message, and the promises of the protocol for all sites together.
 *
 * @throws `ReplayInputError` when there is no record to judge.
 */
export function replay(directory: string, onProgress?: ReplayProgress): ReplayReport {
  let files: RecordFile[];
  try {
    files = recordFiles(directory);
  } catch (cause) {
    throw new ReplayInputError(`cannot read ${directory}: ${(cause as Error).message}`, { cause });
  }
  if (files.length === 0) throw new ReplayInputError(`no *.ndjson in ${directory}: nothing to judge`);
  return replayFiles(files, recordedMachines, onProgress);
}

/** `replay` of lines from any source. `machines` are the machines that a record may name. */
export function replayFiles(
  files: readonly RecordFile[],
  machines = recordedMachines,
  onProgress?: ReplayProgress,
): ReplayReport {
  const opened: SiteRecord[] = [];
  const empty: string[] = [];
  const locks: LockReport[] = [];
  try {
    for (const file of files) {
      const ofLocks = splitByLock(file);
      if (ofLocks.size === 0) empty.push(file.name);
      for (const ofLock of ofLocks.values()) opened.push(new SiteRecord(ofLock));
    }
    const told = toldOf(empty, opened);
    const lines = opened.reduce((sum, { count }) => sum + count, 0);
    let judged = 0;
    const judgedOne = () => {
      judged += 1;
      if (judged % progressEvery === 0) onProgress?.(judged, lines);
    };
    for (const [lock, records] of byLock(opened)) {
      const judge = new Conformance(protocolOf(records, machines), livesOf(records, told), meshOf(records));
      try {
        judge.run(judgedOne);
      } finally {
        locks.push({
          lock,
          machine: records[0]!.start.machine,
          sites: [...new Set(records.map(({ site }) => site))],
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

function byLock(records: readonly SiteRecord[]): ReadonlyMap<string, readonly SiteRecord[]> {
  const groups = new Map<string, SiteRecord[]>();
  for (const record of records) {
    const { lock } = record.start;
    const group = groups.get(lock);
    if (group) group.push(record);
    else groups.set(lock, [record]);
  }
  return groups;
}

/** There is no record to judge: neither accepted nor refused. */
export class ReplayInputError extends Error {
  readonly code = 'REPLAY_INPUT';
}
