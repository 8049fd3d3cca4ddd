import { UsageError } from '../../verification/check/errors.ts';
import { ReplayInputError } from '../../verification/runs/replay.ts';
import { recordLocks, recordTimeline } from '../../verification/timeline/record.ts';
import { type ShownSource, slug } from './sources.ts';

/** Each lock that the records in `directory` are of. Throws `UsageError` when there is none. */
export function recordSources(directory: string): readonly ShownSource[] {
  const taken: string[] = [];
  return refused(() => recordLocks(directory)).map(({ lock, sites, events }) => {
    const id = slug(lock, taken);
    taken.push(id);
    const about = `recorded run of ${sites} sites, ${events} events`;
    return {
      head: { id, title: `lock ${lock}`, about, kind: 'timeline' },
      timeline: () => refused(() => recordTimeline(directory, lock)),
    };
  });
}

function refused<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ReplayInputError) throw new UsageError(error.message);
    throw error;
  }
}
