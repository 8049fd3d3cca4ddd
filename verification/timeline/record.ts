import type { RecordLine, StartLine } from '../../machines/record.ts';
import type { Nonconformance } from '../runs/nonconformance.ts';
import { type RecordFile, recordFiles } from '../runs/read.ts';
import { ReplayInputError, replay } from '../runs/replay.ts';
import { parseLine } from '../runs/schema.ts';
import { CausalOrder, type Happening } from './causal-order.ts';
import type { Judgement, Timeline } from './format.ts';
import { TimelineBuilder } from './timeline-builder.ts';

export interface RecordedLock {
  readonly lock: string;
  readonly sites: number;
  readonly events: number;
}

/** So many steps are shown; the note says so where there were more. */
const mostSteps = 100_000;

/** The locks whose records are in `directory`. Throws `ReplayInputError` when there is none. */
export function recordLocks(directory: string): readonly RecordedLock[] {
  const records = recordsIn(directory);
  const locks = [...new Set(records.map(({ lines: [start] }) => start!.lock))];
  return locks.map((lock) => {
    const own = records.filter(({ lines: [start] }) => start!.lock === lock);
    return {
      lock,
      sites: new Set(own.map(({ lines: [start] }) => start!.site)).size,
      events: own.reduce((sum, { lines }) => sum + lines.filter(({ kind }) => kind === 'event').length, 0),
    };
  });
}

/** A recorded run, in one order that respects causality, with what `replay` says of it. */
export function recordTimeline(directory: string, lock: string): Timeline {
  const records = recordsIn(directory).filter(({ lines: [start] }) => start!.lock === lock);
  const merge = new CausalOrder();
  for (const { lines } of records) merge.add(lines);
  const telling = new TimelineBuilder(records[0]!.lines[0] as StartLine);
  /** By moment: what led there. */
  const told: Happening[] = [];
  for (const happening of merge.ready()) {
    if (telling.steps.length >= mostSteps) break;
    telling.tell(happening);
    told[telling.steps.length] = happening;
  }
  const { refusal } = replay(directory);
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

/** With the word of `replay` as a property of its own: violated at the moment that the model does not come to. */
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

function recordsIn(directory: string): readonly ReadRecord[] {
  let files: readonly RecordFile[];
  try {
    files = recordFiles(directory);
  } catch (cause) {
    throw new ReplayInputError(`cannot read ${directory}: ${(cause as Error).message}`, { cause });
  }
  const records = files.map(({ name, lines }) => ({
    name,
    lines: Array.from(lines, (text, index) => {
      const line = parseLine(text);
      if (typeof line !== 'string') return line;
      throw new ReplayInputError(`line ${index + 1} of ${name} is no line of a record: ${line}`);
    }),
  }));
  const told = records.filter(({ lines: [first] }) => first?.kind === 'start');
  if (told.length === 0) throw new ReplayInputError(`no *.ndjson with a start line in ${directory}`);
  return told;
}
