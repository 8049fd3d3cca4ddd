import { UsageError } from '../../verification/check/errors.ts';
import { ReplayInputError } from '../../verification/runs/replay.ts';
import { type Progress, Recording } from '../../verification/timeline/record.ts';
import { type ShownSource, slug } from './sources.ts';

/**
 * Each lock that the records in `directory` are of.
 *
 * @throws `UsageError` when there is none.
 */
export function recordSources(directory: string, say: (text: string) => void): readonly ShownSource[] {
  const recording = refused(() => new Recording(directory, saidEverySecond(say)));
  const taken: string[] = [];
  return recording.locks.map(({ lock, sites, events }) => {
    const id = slug(lock, taken);
    taken.push(id);
    const about = `recorded run of ${sites} sites, ${events} events`;
    return {
      head: { id, title: `lock ${lock}`, about, kind: 'timeline' },
      timeline: () => refused(() => recording.timeline(lock)),
    };
  });
}

const everyMs = 1_000;

/** Says how far it is, once a second; nothing of a recording that is read sooner. */
export function saidEverySecond(say: (text: string) => void): Progress {
  let said = performance.now();
  return (phase, share) => {
    const now = performance.now();
    if (now - said < everyMs) return;
    said = now;
    say(`${phase}: ${Math.floor(share * 100)} %`);
  };
}

function refused<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ReplayInputError) throw new UsageError(error.message);
    throw error;
  }
}
