import { useDeferredValue, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { stepText } from './controls.tsx';
import { changesOf } from './diff.ts';
import { eventsOf, type Filter, matches } from './filter.ts';
import type { Moments } from './moments.ts';
import { useSize } from './pan-zoom.tsx';
import { actorWord } from './pointers.ts';
import { clockText } from './time.ts';

interface StepsProps {
  readonly moments: Moments;
  readonly moment: number;
  readonly filter: Filter;
  readonly onFilter: (filter: Filter) => void;
  readonly onMoment: (moment: number) => void;
}

const rowHeight = 46;
const mostChanges = 4;
const scrollEveryMs = 60;

/**
 * Every step in a searchable list: the site, its step, the source, and the changes. Only the visible rows are
 * drawn.
 */
export function Steps({ moments, moment, filter, onFilter, onMoment }: StepsProps) {
  const list = useRef<HTMLDivElement>(null);
  const { height } = useSize(list);
  const [top, setTop] = useState(0);
  const searched = useDeferredValue(filter);
  const rows = useMemo(() => rowsOf(moments, searched), [moments, searched]);
  const current = lastUpTo(rows, moment);
  const { sites } = moments.timeline;
  const events = useMemo(() => eventsOf(moments), [moments]);
  /** The row before the moment in view, or the one after it. */
  const neighbour = (isBefore: boolean) =>
    isBefore ? rows[rows[current] === moment ? current - 1 : current] : rows[current + 1];

  const wanted = useRef(0);
  wanted.current = current;
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const scrolled = useRef(Number.NEGATIVE_INFINITY);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another moment, or another run with its own sites, has other rows
  useLayoutEffect(() => {
    // Scrolling makes the browser lay out the page: it is done at once, and then now and then while the moment keeps changing.
    const waitMs = Math.max(0, scrolled.current + scrollEveryMs - performance.now());
    const scroll = () => {
      timer.current = null;
      scrolled.current = performance.now();
      const element = list.current;
      if (element === null) return;
      const [from, to] = [wanted.current * rowHeight, (wanted.current + 1) * rowHeight];
      if (from < element.scrollTop) element.scrollTop = from;
      else if (to > element.scrollTop + element.clientHeight) element.scrollTop = to - element.clientHeight;
      // The browser tells of it one frame later, and that frame would be without rows.
      setTop(element.scrollTop);
    };
    if (timer.current !== null) return;
    if (waitMs === 0) scroll();
    else timer.current = setTimeout(() => flushSync(scroll), waitMs);
  }, [current, height, sites]);

  const first = Math.max(0, Math.floor(top / rowHeight) - 4);
  const shown = rows.slice(first, first + Math.ceil(height / rowHeight) + 8);
  return (
    <div className="steps">
      <div className="search">
        <input
          type="search"
          aria-label="Search the steps"
          placeholder={`search: ${actorWord(moments)}, event, variable ...`}
          title="Enter: to the next of these steps; Shift and Enter: to the one before"
          value={filter.text}
          onChange={({ target }) => onFilter({ ...filter, text: target.value })}
          onKeyDown={({ key, shiftKey }) => {
            const to = key === 'Enter' ? neighbour(shiftKey) : undefined;
            if (to !== undefined) onMoment(to);
          }}
        />
        <select
          aria-label="Steps of"
          value={filter.site ?? ''}
          onChange={({ target }) => onFilter({ ...filter, site: target.value === '' ? null : target.value })}
        >
          <option value="">all {actorWord(moments)}s</option>
          {sites.map(({ id }) => (
            <option key={id}>{id}</option>
          ))}
        </select>
        <select
          aria-label="Steps with the event"
          value={filter.event ?? ''}
          onChange={({ target }) => onFilter({ ...filter, event: target.value === '' ? null : target.value })}
        >
          <option value="">all events</option>
          {events.map((event) => (
            <option key={event}>{event}</option>
          ))}
        </select>
        <output>{rows.length.toLocaleString('en')}</output>
      </div>
      <div className="rows" ref={list} onScroll={({ currentTarget }) => setTop(currentTarget.scrollTop)}>
        <ol style={{ height: rows.length * rowHeight }}>
          {shown.map((at, index) => (
            <li key={at} style={{ top: (first + index) * rowHeight }}>
              <Row moments={moments} at={at} isCurrent={at === moment} onMoment={onMoment} />
            </li>
          ))}
        </ol>
        {rows.length === 0 && <p className="hint">No step is like that.</p>}
      </div>
    </div>
  );
}

/** The moments to list. */
function rowsOf(moments: Moments, filter: Filter): readonly number[] {
  const rows: number[] = [];
  for (let at = 1; at <= moments.last; at++) if (matches(moments, at, filter)) rows.push(at);
  return rows;
}

/** The index of the last row that is not after `moment`. -1: there is none. */
function lastUpTo(rows: readonly number[], moment: number): number {
  let low = -1;
  let high = rows.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (rows[middle]! <= moment) low = middle;
    else high = middle - 1;
  }
  return low;
}

interface RowProps {
  readonly moments: Moments;
  readonly at: number;
  readonly isCurrent: boolean;
  readonly onMoment: (moment: number) => void;
}

function Row({ moments, at, isCurrent, onMoment }: RowProps) {
  const step = moments.timeline.steps[at - 1]!;
  const changes = changesOf(moments, at);
  const isBroken = Object.values(step.verdicts).some(({ verdict }) => verdict === 'violated');
  return (
    <button
      type="button"
      className={['step', isCurrent ? 'current' : '', isBroken ? 'broken' : ''].join(' ')}
      aria-current={isCurrent ? 'step' : undefined}
      onClick={() => onMoment(at)}
    >
      <span className="number">{moments.numberOf(at)}</span>
      <span className="what" title={stepText(moments, at)}>
        {stepText(moments, at)}
        {step.at !== undefined && <time>{clockText(step.at)}</time>}
      </span>
      <span className="changes">
        {changes.slice(0, mostChanges).map(({ site, path, before, now }) => (
          <span key={`${site} ${path}`}>
            {site === step.site ? '' : `${site}.`}
            {path} <del>{before === '' ? '(none)' : before}</del> → <ins>{now === '' ? '(none)' : now}</ins>
          </span>
        ))}
        {changes.length > mostChanges && <span>and {changes.length - mostChanges} more</span>}
        {changes.length === 0 && <span>nothing changed</span>}
      </span>
    </button>
  );
}
