import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import type { Chart, Timeline } from '../../verification/timeline/format.ts';
import type { Explored, Result, Sources } from '../protocol.ts';
import type { Address } from './address.ts';
import { ChartView } from './chart.tsx';
import { Choices } from './choices.tsx';
import { Controls } from './controls.tsx';
import type { Data } from './data.ts';
import { Downloads, type DownloadsProps } from './downloads.tsx';
import { svgText } from './export.ts';
import { graphvizChart, mermaidChart } from './exports/chart.ts';
import { mermaidSequence, shiVizLog } from './exports/sequence.ts';
import { Forest } from './forest.tsx';
import { Help } from './help.tsx';
import { useKeys } from './keys.ts';
import type { Connection } from './live.ts';
import { Moments } from './moments.ts';
import { Panel } from './panel.tsx';
import { usePlayer } from './player.ts';
import { hasPointers } from './pointers.ts';
import { Problem } from './problems.tsx';
import { brokenSites, Properties } from './properties.tsx';
import { Sequence } from './sequence.tsx';
import { StateTable } from './state-table.tsx';
import type { Theme } from './theme.ts';

interface InspectorProps {
  readonly data: Data;
  readonly sources: Sources;
  readonly source: string;
  readonly timeline: Timeline;
  readonly explored: Explored | null;
  /** The moment that the address names. */
  readonly begin: number;
  /** Steps are added at the end; the page goes with them unless it looks at an earlier one. */
  readonly isLive: boolean;
  readonly connection: Connection;
  /** To choose another lock of a cluster that runs. */
  readonly locks: ReactNode;
  readonly theme: Theme;
  readonly onTheme: () => void;
  readonly onMoment: (moment: number) => void;
  readonly onShow: (address: Address) => void;
}

const addressAfterMs = 150;
const [least, most, usual] = [0.05, 200, 72];

/** One run: four views on one time line, its properties, and what moves through it. */
export function Inspector(props: InspectorProps) {
  const { data, sources, source, timeline, explored, begin, isLive, connection, locks } = props;
  const { theme, onTheme, onMoment, onShow } = props;
  const moments = useMemo(() => new Moments(timeline), [timeline]);
  const player = usePlayer(moments.last, begin, isLive);
  const { moment, go } = player;
  const [scale, setScale] = useState(usual);
  const [helps, setHelps] = useState(false);
  const [picked, setPicked] = useState<string | null>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new address goes to its moment, also when it is the same
  useEffect(() => {
    if (!isLive) go(begin);
  }, [timeline, begin]);
  // Browsers let nobody change the address many times a second.
  useEffect(() => {
    const timer = setTimeout(() => onMoment(moment), addressAfterMs);
    return () => clearTimeout(timer);
  }, [moment, onMoment]);

  const zoom = (to: number) => setScale(Math.min(most, Math.max(least, to)));
  useKeys({
    moments,
    player,
    zoom: (by) => zoom(scale * by),
    theme: onTheme,
    help: () => setHelps((on) => !on),
  });

  const pick = (choice: number) => {
    if (explored === null) return;
    const path = [...explored.path.slice(0, moment), choice];
    onShow({ source, step: path.length, path, lock: null });
  };

  const forest = useRef<SVGSVGElement>(null);
  const chart = useRef<SVGSVGElement>(null);
  const sequence = useRef<(() => string) | null>(null);
  const broken = brokenSites(moments, moment);
  const step = moment === 0 ? null : timeline.steps[moment - 1]!;
  const site = picked ?? step?.site ?? timeline.sites[0]!.id;
  const { machine } = timeline.sites.find(({ id }) => id === site) ?? timeline.sites[0]!;
  const tree = hasPointers(moments);
  const file = `${source}-${moment}`;
  const figures = sources.figures ?? [];

  return (
    <div className={`inspector ${tree ? '' : 'treeless'} ${explored === null ? '' : 'exploring'}`}>
      <header className="top">
        <h1>
          Baton <span>inspector</span>
        </h1>
        <label className="source">
          <span className="visually-hidden">What is shown</span>
          <select
            value={source}
            onChange={(event) => onShow({ source: event.target.value, step: 0, path: [], lock: null })}
          >
            {sources.sources.map(({ id, title, verdict }) => (
              <option key={id} value={id}>
                {verdict === 'violated' ? '✗ ' : verdict === 'holds' ? '✓ ' : ''}
                {title}
              </option>
            ))}
          </select>
        </label>
        {locks}
        <p className="about">
          {isLive && (
            <LiveButton
              connection={connection}
              isAtEnd={moment === moments.last}
              onEnd={() => go(moments.last)}
            />
          )}
          {timeline.about}
          {figures.map(([name, value]) => (
            <span key={name} className="figure">
              {name} <b>{value}</b>
            </span>
          ))}
        </p>
        <button type="button" title="Keys (?)" aria-label="Keys" onClick={() => setHelps(true)}>
          ?
        </button>
        <button type="button" title="Dark or light (t)" aria-label="Dark or light" onClick={onTheme}>
          {theme === 'dark' ? '☀' : '☾'}
        </button>
      </header>

      {timeline.notes?.map((note) => (
        <Problem key={note} text={note} />
      ))}

      <main>
        <Panel
          title={`Statechart of ${site}`}
          className="charts"
          tools={
            <>
              <fieldset className="tabs" aria-label="Site">
                <button
                  type="button"
                  aria-pressed={picked === null}
                  onClick={() => setPicked(null)}
                  title="Show whoever took the step"
                >
                  follow
                </button>
                {timeline.sites.map(({ id }) => (
                  <button
                    key={id}
                    type="button"
                    aria-pressed={picked === id}
                    className={id === site ? 'shown' : ''}
                    onClick={() => setPicked(id)}
                  >
                    {id}
                  </button>
                ))}
              </fieldset>
              <Downloads
                name={`${file}-statechart-${site}`}
                svg={() => svgText(chart.current!)}
                texts={chartTexts(
                  machine === null ? undefined : timeline.machines[machine],
                  moments.site(site, moment).value,
                )}
              />
            </>
          }
        >
          {machine === null ? (
            <p className="waiting">Its statechart is not known.</p>
          ) : (
            <ChartView
              site={site}
              chart={timeline.machines[machine]!}
              state={moments.site(site, moment)}
              taken={step?.site === site ? step.taken : nothing}
              never={sources.never?.[machine] ?? nothing}
              svg={chart}
            />
          )}
        </Panel>

        {tree && (
          <Panel
            title="Tree and queue"
            className="tree"
            tools={<Downloads name={`${file}-tree`} svg={() => svgText(forest.current!)} />}
          >
            <Legend />
            <Forest
              moments={moments}
              moment={moment}
              broken={broken}
              isStill={isLive || (player.isPlaying && player.speed > 2)}
              svg={forest}
            />
          </Panel>
        )}

        <Panel
          title="Messages"
          className="messages"
          tools={
            <>
              <button
                type="button"
                title="More at once (−)"
                aria-label="More at once"
                onClick={() => zoom(scale / 1.4)}
              >
                −
              </button>
              <button type="button" title="Larger (+)" aria-label="Larger" onClick={() => zoom(scale * 1.4)}>
                +
              </button>
              <Downloads
                name={`${file}-messages`}
                svg={() => sequence.current!()}
                texts={runTexts(timeline)}
              />
            </>
          }
        >
          <Sequence
            moments={moments}
            moment={moment}
            theme={theme}
            scale={scale}
            onScale={zoom}
            onMoment={go}
            picture={sequence}
          />
        </Panel>

        {explored !== null && (
          <Panel title="What may happen next" className="choices">
            <Choices
              choices={explored.choices[moment] ?? []}
              properties={timeline.properties}
              data={data}
              onPick={pick}
              onPath={(path) => onShow({ source, step: path.length, path, lock: null })}
            />
          </Panel>
        )}
        <Panel title="Properties" className="verdicts">
          <Properties moments={moments} moment={moment} results={sources.results ?? none} onMoment={go} />
        </Panel>
        <Panel title="State" className="values">
          <StateTable moments={moments} moment={moment} broken={broken} />
        </Panel>
      </main>

      <Controls moments={moments} player={player} />
      {helps && <Help onClose={() => setHelps(false)} />}
    </div>
  );
}

function chartTexts(chart: Chart | undefined, value: unknown): DownloadsProps['texts'] & object {
  if (chart === undefined) return {};
  return {
    Mermaid: ['mmd', () => mermaidChart(chart, value)],
    Graphviz: ['dot', () => graphvizChart(chart, value)],
  };
}

function runTexts(timeline: Timeline): DownloadsProps['texts'] & object {
  return {
    Mermaid: ['mmd', () => mermaidSequence(timeline)],
    ShiViz: ['shiviz.log', () => shiVizLog(timeline)],
    JSON: ['json', () => JSON.stringify(timeline)],
  };
}

const nothing: readonly string[] = [];
const none: readonly Result[] = [];

/** Says whether what is seen is live, and goes to the newest moment. */
function LiveButton(props: { connection: Connection; isAtEnd: boolean; onEnd: () => void }) {
  const { connection, isAtEnd, onEnd } = props;
  const { state } = connection;
  const isLive = state === 'connected' && isAtEnd;
  return (
    <button
      type="button"
      className={isLive ? 'live on' : `live ${state}`}
      data-connection={state}
      onClick={onEnd}
    >
      {state === 'connected' && (isAtEnd ? '● live' : '● go to now')}
      {state === 'lost' &&
        `○ no connection since ${new Date(connection.since).toLocaleTimeString()}, trying again`}
      {state === 'refused' && `○ ended: ${connection.reason}`}
    </button>
  );
}

function Legend() {
  return (
    <ul className="legend">
      <li className="last">last</li>
      <li className="next">next</li>
      <li className="letter">message</li>
      <li className="token">token</li>
    </ul>
  );
}
