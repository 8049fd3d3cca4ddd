import { useMemo } from 'react';
import type { Read } from '../../verification/timeline/format.ts';
import { literal } from './diff.ts';
import { type Holder, lockLine, lockStateOf } from './lock-line.ts';
import type { Moments } from './moments.ts';
import { storyOf } from './story.ts';
import { durationText } from './time.ts';

interface StoryBarProps {
  readonly moments: Moments;
  readonly moment: number;
  readonly onMoment: (moment: number) => void;
}

/** The run in one sentence, the reason why its property is false, and the current state of the lock. */
export function StoryBar({ moments, moment, onMoment }: StoryBarProps) {
  const { tone, sentence, subject, moment: about, property } = useMemo(() => storyOf(moments), [moments]);
  const lock = lockStateOf(moments, moment);
  const reads = property === null || about === null ? [] : (moments.verdict(property, about).reads ?? []);
  return (
    <section className={`story ${tone}`} aria-label="The run in one sentence">
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
          <button type="button" aria-pressed={moment === about} onClick={() => onMoment(about)}>
            {tone === 'violated' ? `to the violation (${about})` : `to step ${about}`}
          </button>
        </div>
      )}
      {reads.length > 0 && (
        <details className="reads">
          <summary>why</summary>
          <Reads reads={reads} at={about!} />
        </details>
      )}
      {lock !== null && (
        <p className="lock-line">{lockLine(lock, (holder) => heldFor(moments, moment, holder))}</p>
      )}
    </section>
  );
}

/** In time if the steps have times, else in steps. */
function heldFor({ timeline }: Moments, moment: number, { since }: Holder): string {
  const [from, to] = [timeline.steps[since - 1]?.at, timeline.steps[moment - 1]?.at];
  if (from !== undefined && to !== undefined) return `for ${durationText(Math.max(0, to - from))}`;
  return moment === since
    ? 'from this step on'
    : `for ${moment - since} step${moment - since === 1 ? '' : 's'}`;
}

/** The values that a predicate read, with those of the moment before. */
export function Reads({ reads, at }: { readonly reads: readonly Read[]; readonly at: number }) {
  return (
    <table className="reads-table">
      <caption>The values that the property read</caption>
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
