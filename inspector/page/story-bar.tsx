import { useEffect, useMemo, useReducer, useRef } from 'react';
import type { Read } from '../../verification/timeline/format.ts';
import type { Clocks } from './live.ts';
import { type LockTimes, lockLine, lockStateOf } from './lock-line.ts';
import type { Moments } from './moments.ts';
import { storyOf, titleOf } from './story.ts';
import { durationText } from './time.ts';
import { literal } from './values.ts';

interface StoryBarProps {
  readonly moments: Moments;
  readonly moment: number;
  readonly isLive: boolean;
  /** Present for a live run that is shown as it goes on. */
  readonly clocks: Clocks | null;
  readonly onMoment: (moment: number) => void;
}

/** The run in one sentence, the reason why its property is false, and the current state of the lock. */
export function StoryBar({ moments, moment, isLive, clocks, onMoment }: StoryBarProps) {
  const {
    tone,
    sentence,
    subject,
    moment: about,
    property,
    earlier,
  } = useMemo(() => storyOf(moments), [moments]);
  const violated = property === null || about === null ? [] : [{ moment: about, property }];
  const causes = causesOf(moments, earlier === null ? violated : [earlier, ...violated]);
  return (
    <section className={`story ${tone} ${isLive ? 'running' : ''}`} aria-label="The run in one sentence">
      <p className="sentence" data-tone={tone}>
        <b>{subject}</b>
        {sentence.slice(subject.length)}
      </p>
      {about !== null && (
        <div className="ways">
          {about > 0 && (
            <button type="button" aria-pressed={moment === 0} onClick={() => onMoment(0)}>
              from the start
            </button>
          )}
          {earlier !== null && (
            <button
              type="button"
              aria-pressed={moment === earlier.moment}
              onClick={() => onMoment(earlier.moment)}
            >
              to the first violation ({moments.numberOf(earlier.moment)})
            </button>
          )}
          <button type="button" aria-pressed={moment === about} onClick={() => onMoment(about)}>
            {tone === 'violated'
              ? `to the violation (${moments.numberOf(about)})`
              : `to step ${moments.numberOf(about)}`}
          </button>
        </div>
      )}
      {causes.length > 0 && <Why key={moment} causes={causes} />}
      <LockLine moments={moments} moment={moment} clocks={clocks} />
    </section>
  );
}

/** The values that a violated property read, and the number of the step that violated it. */
interface Cause {
  readonly title: string;
  readonly reads: readonly Read[];
  readonly at: number;
}

function causesOf(
  moments: Moments,
  violations: readonly { readonly moment: number; readonly property: number }[],
): readonly Cause[] {
  return violations.flatMap(({ moment, property }) => {
    const { reads = [] } = moments.verdict(property, moment);
    const title = titleOf(moments.timeline.properties[property]!);
    return reads.length === 0 ? [] : [{ title, reads, at: moments.numberOf(moment) }];
  });
}

/** One table for each violated property, the first violation first. Closed by Escape, by a click elsewhere, and by any other moment. */
function Why({ causes }: { readonly causes: readonly Cause[] }) {
  const details = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = (event: Event) => {
      if (
        event instanceof KeyboardEvent
          ? event.key !== 'Escape'
          : details.current!.contains(event.target as Node)
      )
        return;
      details.current!.open = false;
    };
    window.addEventListener('pointerdown', close);
    window.addEventListener('keydown', close);
    return () => {
      window.removeEventListener('pointerdown', close);
      window.removeEventListener('keydown', close);
    };
  }, []);
  return (
    <details className="reads" ref={details}>
      <summary>why</summary>
      <div className="causes">
        {causes.map(({ title, reads, at }) => (
          <Reads key={title} title={`${title}: the values that it read`} reads={reads} at={at} />
        ))}
      </div>
    </details>
  );
}

interface LockLineProps {
  readonly moments: Moments;
  readonly moment: number;
  /** Present for a live run that is shown as it goes on: its times go on while nothing happens. */
  readonly clocks: Clocks | null;
}

/** The site that holds the lock, and those that wait. */
function LockLine({ moments, moment, clocks }: LockLineProps) {
  const lock = lockStateOf(moments, moment);
  const isTicking =
    clocks !== null && lock !== null && lock.holders.length + lock.queue.length + lock.asking.length > 0;
  useTicks(isTicking);
  if (lock === null) return null;
  return <p className="lock-line">{lockLine(lock, timesOf(moments, moment, clocks))}</p>;
}

/** Draws the caller again, several times in a second. */
function useTicks(isTicking: boolean): void {
  const [, tick] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    if (!isTicking) return;
    const timer = setInterval(tick, tickMs);
    return () => clearInterval(timer);
  }, [isTicking]);
}

const tickMs = 250;

/** In time if the steps have times, else in steps. */
function timesOf(moments: Moments, moment: number, clocks: Clocks | null): LockTimes {
  const { steps } = moments.timeline;
  const elapsedMs = clocks === null ? 0 : performance.now() - clocks.heardAtMs;
  const at = (site: string): number | undefined => {
    if (clocks === null) return steps[moment - 1]?.at;
    // The clock of a site that does not answer is not known: those of the others are near it.
    const known = clocks.at[site] ?? Math.max(...Object.values(clocks.at));
    return Number.isFinite(known) ? known + elapsedMs : steps[moment - 1]?.at;
  };
  /** The step by which the site was last seen. */
  const seenAt = (site: string) => {
    const history = moments.siteHistory(site);
    return steps[history.moments[history.indexAt(moment)]! - 1]?.at;
  };
  const time = (from: number | null, to: number | undefined) =>
    from === null || to === undefined ? '' : durationText(Math.max(0, to - from));
  return {
    held: ({ site, moment: since, at: from, sight }) => {
      const held = time(from, sight === 'seen' ? at(site) : seenAt(site));
      if (held !== '') return `for ${held}`;
      return moment === since
        ? 'from this step on'
        : `for ${moment - since} step${moment - since === 1 ? '' : 's'}`;
    },
    waited: ({ site, at: from }) => time(from, at(site)),
    gone: (site) => {
      const ended = time(seenAt(site) ?? null, at(site));
      return ended === '' ? '' : `${ended} ago`;
    },
  };
}

interface ReadsProps {
  readonly title: string;
  readonly reads: readonly Read[];
  /** The number of the step after which they were read. */
  readonly at: number;
}

/** The values that a predicate read, with those of the moment before. */
export function Reads({ title, reads, at }: ReadsProps) {
  return (
    <table className="reads-table">
      <caption>{title}</caption>
      <thead>
        <tr>
          <th scope="col">value</th>
          <th scope="col">{at === 0 ? 'before' : `step ${at - 1}`}</th>
          <th scope="col">step {at}</th>
        </tr>
      </thead>
      <tbody>
        {reads.map(({ site, path, before, now }) => {
          const [was, is] = [at === 0 ? '' : literal(before), literal(now)];
          return (
            <tr key={`${site} ${path}`} className={was === is || at === 0 ? '' : 'changed'}>
              <th scope="row">
                {site === null
                  ? ''
                  : path.startsWith('in ') || path.startsWith('is ')
                    ? `${site} `
                    : `${site}.`}
                {path}
              </th>
              <td>{was}</td>
              <td>{is}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
