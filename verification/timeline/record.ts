import type { RecordLine, StartLine } from '../../machines/record.ts';
import type { Nonconformance } from '../runs/nonconformance.ts';
import { type RecordFile, recordFiles } from '../runs/read.ts';
import { ReplayInputError, type ReplayReport, recordedMachines, replayFiles } from '../runs/replay.ts';
import { parseLine } from '../runs/schema.ts';
import { CausalOrder, type Happening } from './causal-order.ts';
import type { Judgement, Timeline } from './format.ts';
import { TimelineBuilder } from './timeline-builder.ts';

export interface RecordedLock {
  readonly lock: string;
  readonly sites: number;
  readonly events: number;
}

/** Maximum number of steps shown. A note tells if there were more. */
const mostSteps = 100_000;

/** Called with the progress of reading a recording. `share` is from 0 to 1. */
export type Progress = (phase: string, share: number) => void;

/** A recorded run, read once: its locks, and a timeline of each. */
export class Recording {
  readonly #records: readonly ReadRecord[];
  readonly #files: readonly RecordFile[];
  readonly #progress: Progress;
  #report: ReplayReport | null = null;

  /** Throws `ReplayInputError` when `directory` has no record. */
  constructor(directory: string, progress: Progress = () => undefined) {
    this.#progress = progress;
    try {
      this.#files = recordFiles(directory);
    } catch (cause) {
      throw new ReplayInputError(`cannot read ${directory}: ${(cause as Error).message}`, { cause });
    }
    this.#records = recordsIn(this.#files, directory, progress);
  }

  get locks(): readonly RecordedLock[] {
    const locks = [...new Set(this.#records.map(({ lines: [start] }) => start!.lock))];
    return locks.map((lock) => {
      const own = this.#of(lock);
      return {
        lock,
        sites: new Set(own.map(({ lines: [start] }) => start!.site)).size,
        events: own.reduce((sum, { lines }) => sum + lines.filter(({ kind }) => kind === 'event').length, 0),
      };
    });
  }

  /** The run of one lock in one order that respects causality, with the verdict of `replay`. */
  timeline(lock: string): Timeline {
    const records = this.#of(lock);
    const merge = new CausalOrder();
    for (const { lines } of records) merge.add(lines);
    const telling = new TimelineBuilder(records[0]!.lines[0] as StartLine);
    const total = Math.min(
      mostSteps,
      records.reduce((sum, { lines }) => sum + lines.filter(({ kind }) => kind !== 'start').length, 0),
    );
    /** For each moment: the happening that led to it. */
    const told: Happening[] = [];
    for (const happening of merge.ready()) {
      if (telling.steps.length >= mostSteps) break;
      telling.tell(happening);
      told[telling.steps.length] = happening;
      this.#progress(`orders and judges lock ${lock}`, Math.min(1, telling.steps.length / total));
    }
    this.#report ??= this.#replayed();
    const { refusal } = this.#report;
    const refused = records.find(({ name }) => name === refusal?.file)?.lines[(refusal?.line ?? 0) - 1];
    const moment = told.findIndex((one) => one !== undefined && 'line' in one && one.line === refused);
    const timeline = judged(telling.timeline, refusal, moment);
    const notes = [
      ...(timeline.notes ?? []),
      ...(telling.steps.length < mostSteps ? [] : [`Only the first ${mostSteps} steps are shown.`]),
      ...(telling.hasPassedOver ? ['While many messages are under way, not every moment is judged.'] : []),
    ];
    return notes.length === 0 ? timeline : { ...timeline, notes };
  }

  #of(lock: string): readonly ReadRecord[] {
    return this.#records.filter(({ lines: [start] }) => start!.lock === lock);
  }

  #replayed(): ReplayReport {
    const phase = 'compares it with the statecharts';
    this.#progress(phase, 0);
    const report = replayFiles(this.#files, recordedMachines, (lines, of) =>
      this.#progress(phase, lines / of),
    );
    this.#progress(phase, 1);
    return report;
  }
}

/**
 * Adds the verdict of `replay` as a property of its own. It is violated at the moment that the model cannot
 * reach.
 */
function judged(timeline: Timeline, refusal: Nonconformance | undefined, moment: number): Timeline {
  const { properties, start } = timeline;
  const steps = [...timeline.steps];
  const step = steps[moment - 1];
  if (refusal !== undefined && step !== undefined) {
    const judgement: Judgement = { verdict: 'violated', reason: refusal.reason, sites: [step.site] };
    steps[moment - 1] = { ...step, verdicts: { ...step.verdicts, [properties.length]: judgement } };
  }
  return {
    ...timeline,
    properties: [...properties, { name: 'the model takes every step', kind: 'replay' }],
    start: { ...start, verdicts: [...start.verdicts, { verdict: 'holds' }] },
    steps,
    ...(refusal === undefined
      ? {}
      : { notes: [`The record is refused: line ${refusal.line} of ${refusal.file}: ${refusal.reason}`] }),
  };
}

interface ReadRecord {
  readonly name: string;
  readonly lines: readonly RecordLine[];
}

function recordsIn(
  files: readonly RecordFile[],
  directory: string,
  progress: Progress,
): readonly ReadRecord[] {
  const records = files.map(({ name, lines }, at) => ({
    name,
    lines: Array.from(lines, (text, index) => {
      if (index % 1_000 === 0) progress(`reads ${name} (${at + 1} of ${files.length})`, at / files.length);
      const line = parseLine(text);
      if (typeof line !== 'string') return line;
      throw new ReplayInputError(`line ${index + 1} of ${name} is no line of a record: ${line}`);
    }),
  }));
  const told = records.filter(({ lines: [first] }) => first?.kind === 'start');
  if (told.length === 0) throw new ReplayInputError(`no *.ndjson with a start line in ${directory}`);
  return told;
}
