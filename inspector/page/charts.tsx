import { type CSSProperties, useCallback, useMemo, useRef, useState } from 'react';
import type { Chart, SiteState, Timeline } from '../../verification/timeline/format.ts';
import type { ChartPlan } from '../protocol.ts';
import { ChartView, spoken } from './chart.tsx';
import { fittedIn } from './chart-layout.ts';
import { Downloads, type DownloadsProps } from './downloads.tsx';
import { savedPicture } from './export.ts';
import { graphvizChart, mermaidChart } from './exports/chart.ts';
import type { Moments } from './moments.ts';
import { useSize } from './pan-zoom.tsx';
import { Panel } from './panel.tsx';
import { contextOf, regionsOf } from './values.ts';

interface ChartsProps {
  readonly moments: Moments;
  readonly moment: number;
  readonly plans: Readonly<Record<string, ChartPlan>>;
  /** Transitions that no explored step takes, by the name of the chart. */
  readonly never: Readonly<Record<string, readonly string[]>>;
  /** Base name of saved files. The name of the view is appended. */
  readonly file: string;
  /** Lines below a saved picture. */
  readonly caption: () => readonly string[];
}

/** Maximum number of charts side by side. */
const mostTogether = 9;
/** With more, the rows have a least height, and are scrolled. */
const mostEqual = 4;
const leastRowPx = 120;
const cellTitlePx = 21;
/** With more letters than this in the names of the sites, a menu replaces the buttons. */
const mostLetters = 24;

type Shown = 'all' | 'mover' | { readonly site: string };

/** The statecharts: all side by side, the one of the site that took the step, or a chosen one. */
export function Charts({ moments, moment, plans, never, file, caption }: ChartsProps) {
  const { timeline } = moments;
  const ids = timeline.sites.map(({ id }) => id);
  const [shown, setShown] = useState<Shown>(ids.length <= mostTogether ? 'all' : 'mover');
  const [toggled, setToggled] = useState<Readonly<Record<string, boolean>>>({});
  const [pointed, setPointed] = useState<readonly string[]>(nothing);
  const idle = useIdleRegions(timeline);
  const folded = useMemo(() => {
    const regions = new Set([...idle, ...Object.keys(toggled)]);
    return new Set([...regions].filter((id) => toggled[id] ?? idle.has(id)));
  }, [idle, toggled]);
  const fold = useCallback(
    (region: string) =>
      setToggled((before) => ({ ...before, [region]: !(before[region] ?? idle.has(region)) })),
    [idle],
  );
  const drawings = useRef(new Map<string, { current: SVGSVGElement | null }>());
  const drawing = (id: string) => {
    const known = drawings.current.get(id) ?? { current: null };
    drawings.current.set(id, known);
    return known;
  };

  const step = moment === 0 ? null : timeline.steps[moment - 1]!;
  const mover = step?.site !== undefined && ids.includes(step.site) ? step.site : ids[0]!;
  const one = typeof shown === 'object' && ids.includes(shown.site) ? shown.site : mover;
  const drawn = shown === 'all' && ids.length > 1 ? ids : [one];
  const chartOf = (id: string) => {
    const machine = timeline.sites.find((site) => site.id === id)!.machine;
    return machine === null ? null : { machine, chart: timeline.machines[machine]!, plan: plans[machine] };
  };
  const transitions = chartOf(mover)?.chart.transitions ?? [];
  const listed = (
    pointed.length > 0 ? drawn.flatMap((id) => chartOf(id)?.chart.transitions ?? []) : transitions
  )
    .filter(({ id }) => (pointed.length > 0 ? pointed : (step?.taken ?? [])).includes(id))
    .filter(({ id }, index, all) => all.findIndex((other) => other.id === id) === index);
  const cells = useRef<HTMLDivElement>(null);
  const { width, height } = useSize(cells);
  const { machines } = timeline;
  const kinds = [
    ...new Set(timeline.sites.flatMap(({ id, machine }) => (drawn.includes(id) ? (machine ?? []) : []))),
  ]
    .sort()
    .join('\n');
  const count = drawn.length;
  const columns = useMemo(() => {
    const charts = kinds.split('\n').flatMap((kind) => {
      const [chart, plan] = [machines[kind], plans[kind]];
      return chart === undefined || plan === undefined ? [] : [{ chart, plan }];
    });
    return columnsOf(charts, count, { width, height }, folded);
  }, [kinds, machines, plans, count, width, height, folded]);
  const title = drawn.length === 1 ? `Statechart of ${one}` : 'Statecharts';
  const name = drawn.length === 1 ? `${file}-statechart-${one}` : `${file}-statecharts`;
  return (
    <Panel
      title={title}
      className="charts"
      tools={
        <>
          {ids.length > 1 && <Picker ids={ids} shown={shown} one={one} onShown={setShown} />}
          <Downloads
            name={name}
            svg={() => {
              const found = drawn.flatMap((id) => drawing(id).current ?? []);
              if (found.length > 0) return savedPicture(found, caption());
              throw new Error('The charts have no room here: choose one site, then save.');
            }}
            texts={chartTexts(chartOf(one)?.chart, moments.site(one, moment).value)}
          />
        </>
      }
    >
      <div
        className={drawn.length > mostEqual ? 'cells of-many' : 'cells'}
        ref={cells}
        style={{ '--columns': columns } as CSSProperties}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled with keys
        tabIndex={0}
      >
        {drawn.map((id) => {
          const found = chartOf(id);
          const members = timeline.sites.find((site) => site.id === id)!.members;
          const state = moments.site(id, moment);
          return (
            <section
              key={id}
              className={id === mover && moment > 0 ? 'cell mover' : 'cell'}
              aria-label={`Statechart of ${id}`}
            >
              {drawn.length > 1 && (
                <h3>
                  {id} <span>{state.up ? Object.values(regionsOf(state.value)).join(' · ') : 'down'}</span>
                </h3>
              )}
              {found?.plan === undefined ? (
                <p className="waiting">
                  {members === undefined
                    ? 'Its statechart is not known.'
                    : `${members.length} actors as one: ${countsText(state)}. Unfold them to see their statecharts.`}
                </p>
              ) : (
                <ChartView
                  site={id}
                  index={ids.indexOf(id)}
                  chart={found.chart}
                  plan={found.plan}
                  state={state}
                  taken={step?.site === id ? step.taken : nothing}
                  never={never[found.machine] ?? nothing}
                  folded={folded}
                  onFold={fold}
                  onPoint={setPointed}
                  svg={drawing(id)}
                  isSmall={drawn.length > 1}
                />
              )}
            </section>
          );
        })}
      </div>
      <div className="transitions">
        <ul aria-live={pointed.length > 0 ? 'polite' : 'off'}>
          {listed.map((transition) => (
            <li key={transition.id} className={step?.taken.includes(transition.id) ? 'taken' : ''}>
              {pointed.length === 0 && (drawn.length > 1 || one !== mover) && `${mover}: `}
              {spoken(transition)}
            </li>
          ))}
        </ul>
      </div>
    </Panel>
  );
}

const nothing: readonly string[] = [];

/** `9 there, 6 in open, 3 in done`: the states of the members of a group. */
function countsText(group: SiteState): string {
  return Object.entries(contextOf(group))
    .map(([where, count]) => `${String(count)} ${where}`)
    .join(', ');
}

/** The number of columns with which the most charts are drawn, and the most of those with the names of events. */
function columnsOf(
  charts: readonly { readonly chart: Chart; readonly plan: ChartPlan }[],
  count: number,
  { width, height }: { readonly width: number; readonly height: number },
  folded: ReadonlySet<string>,
): number {
  const usual = count > mostEqual ? 3 : count === mostEqual ? 2 : count;
  const worth = (columns: number): number => {
    const row = Math.max(count > mostEqual ? leastRowPx : 0, height / Math.ceil(count / columns));
    const room = { width: width / columns - 1, height: row - (count > 1 ? cellTitlePx : 0) - 1 };
    return charts.reduce((sum, { chart, plan }) => {
      const fitted = fittedIn(plan, chart, room, folded);
      return sum + (fitted === null ? 0 : fitted.isBare ? 1 : 1.5);
    }, 0);
  };
  const choices = [usual, ...Array.from({ length: count }, (_, index) => index + 1)];
  return choices.reduce((best, columns) => (worth(columns) > worth(best) ? columns : best));
}

interface PickerProps {
  readonly ids: readonly string[];
  readonly shown: Shown;
  readonly one: string;
  readonly onShown: (shown: Shown) => void;
}

function Picker({ ids, shown, one, onShown }: PickerProps) {
  const mode = typeof shown === 'object' ? null : shown;
  if (ids.join('').length > mostLetters) {
    return (
      <select
        aria-label="Statechart of"
        value={mode ?? `site ${one}`}
        onChange={({ target: { value } }) =>
          onShown(value === 'mover' || value === 'all' ? value : { site: value.slice('site '.length) })
        }
      >
        {ids.length <= mostTogether && <option value="all">all</option>}
        <option value="mover">of each step</option>
        {ids.map((id) => (
          <option key={id} value={`site ${id}`}>
            {id}
          </option>
        ))}
      </select>
    );
  }
  return (
    <fieldset className="tabs" aria-label="Site">
      {ids.length <= mostTogether && (
        <button type="button" aria-pressed={mode === 'all'} onClick={() => onShown('all')}>
          all
        </button>
      )}
      <button
        type="button"
        aria-pressed={mode === 'mover'}
        onClick={() => onShown('mover')}
        title="The site that took the step"
      >
        follow
      </button>
      {ids.map((id) => (
        <button
          key={id}
          type="button"
          aria-pressed={mode === null && id === one}
          className={mode === 'mover' && id === one ? 'shown' : ''}
          onClick={() => onShown({ site: id })}
        >
          {id}
        </button>
      ))}
    </fieldset>
  );
}

/** Regions in which the whole run takes no transition, if there is another region in which it takes one. */
function useIdleRegions(timeline: Timeline): ReadonlySet<string> {
  const { machines, steps } = timeline;
  const kept = useRef<ReadonlySet<string>>(new Set());
  const busy = useRef<{ from: readonly unknown[]; count: number; ids: Set<string> }>({
    from: [],
    count: 0,
    ids: new Set(),
  });
  return useMemo(() => {
    // Steps are only appended while a run goes on.
    if (busy.current.count > steps.length || busy.current.from[0] !== steps[0]) {
      busy.current = { from: steps, count: 0, ids: new Set() };
    }
    for (const { taken } of steps.slice(busy.current.count)) for (const id of taken) busy.current.ids.add(id);
    busy.current.count = steps.length;
    const sources = Object.values(machines).flatMap(({ transitions }) =>
      transitions.filter(({ id }) => busy.current.ids.has(id)).map(({ source }) => source),
    );
    const isBusy = (region: string) =>
      sources.some((source) => source === region || source.startsWith(`${region}.`));
    const idle = Object.values(machines).flatMap(({ root }) => {
      const regions = root.type === 'parallel' ? root.children.map(({ id }) => id) : [];
      return regions.some(isBusy) ? regions.filter((region) => !isBusy(region)) : [];
    });
    // The same set as long as its content is: charts are laid out anew for another one.
    const isSame = idle.length === kept.current.size && idle.every((id) => kept.current.has(id));
    if (!isSame) kept.current = new Set(idle);
    return kept.current;
  }, [machines, steps]);
}

function chartTexts(chart: Chart | undefined, value: unknown): DownloadsProps['texts'] & object {
  if (chart === undefined) return {};
  return {
    Mermaid: ['mmd', () => mermaidChart(chart, value)],
    Graphviz: ['dot', () => graphvizChart(chart, value)],
  };
}
