import { type ReactNode, useCallback, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';
import type { Timeline } from '../../verification/timeline/format.ts';
import type { ChartPlan, Explored, Result, Sources } from '../protocol.ts';
import type { Address } from './address.ts';
import { BesideBar, BesideValues } from './beside.tsx';
import { paletteOf } from './canvas.ts';
import { Charts } from './charts.tsx';
import { Choices } from './choices.tsx';
import { Controls, stepText } from './controls.tsx';
import type { Data } from './data.ts';
import { firstDifference } from './difference.ts';
import { Downloads, type DownloadsProps } from './downloads.tsx';
import { EpochLog } from './epoch-log.tsx';
import { epochsOf, firstEpoch } from './epochs.ts';
import { savedPicture } from './export.ts';
import { mermaidSequence, shiVizLog } from './exports/sequence.ts';
import { everyStep, type Filter } from './filter.ts';
import { Forest } from './forest.tsx';
import { folded, groupsOf } from './groups.ts';
import { Help } from './help.tsx';
import { useKeys } from './keys.ts';
import type { Clocks, Connection } from './live.ts';
import { Moments } from './moments.ts';
import { Panel, Panels } from './panel.tsx';
import { type Drawing, pictureText } from './picture.ts';
import type { Pin } from './pins.ts';
import { type Place, usePlayer } from './player.ts';
import { exampleOf, hasPointers } from './pointers.ts';
import { Problem } from './problems.tsx';
import { brokenSites, Properties } from './properties.tsx';
import { Sequence } from './sequence.tsx';
import { gutterOf } from './sequence-sheet.ts';
import { StateTree } from './state-tree.tsx';
import { Steps } from './steps.tsx';
import { storyOf } from './story.ts';
import { StoryBar } from './story-bar.tsx';
import { type Tab, Tabs } from './tabs.tsx';
import type { Theme } from './theme.ts';

/** The other of two runs. */
export interface Beside {
  readonly source: string;
  readonly title: string;
  readonly timeline: Timeline;
}

interface InspectorProps {
  readonly data: Data;
  readonly sources: Sources;
  readonly source: string;
  readonly timeline: Timeline;
  readonly plans: Readonly<Record<string, ChartPlan>>;
  readonly explored: Explored | null;
  readonly beside: Beside | null;
  /** The moment that the address names. `null`: the one that the run is about. */
  readonly begin: number | null;
  /** Steps are added at the end. The page follows them unless it shows an earlier one. */
  readonly isLive: boolean;
  /** Present for a live run alone. */
  readonly clocks: Clocks | null;
  readonly connection: Connection;
  /** The control to choose another lock of a running cluster. */
  readonly locks: ReactNode;
  readonly theme: Theme;
  readonly onTheme: () => void;
  readonly onMoment: (moment: number) => void;
  readonly onShow: (address: Address) => void;
}

const addressAfterMs = 150;
const [least, most] = [0.002, 200];

/** One run: all views on one time line, its properties, and the controls that move through it. */
export function Inspector(props: InspectorProps) {
  const { data, sources, source, plans, explored, beside, isLive, clocks, connection, locks } = props;
  const { theme, onTheme, onMoment, onShow } = props;
  const [place, setPlace] = useState<Place | null>(isLive ? 'end' : props.begin);
  const whole = useKept(props.timeline, place);
  const groups = useMemo(() => groupsOf(whole), [whole]);
  const [unfolded, setUnfolded] = useState<readonly string[]>([]);
  const timeline = useMemo(
    () =>
      folded(
        whole,
        groups.filter(({ name }) => !unfolded.includes(name)),
      ),
    [whole, groups, unfolded],
  );
  const moments = useMemo(() => new Moments(timeline), [timeline]);
  const other = useMemo(() => (beside === null ? null : new Moments(beside.timeline)), [beside]);
  const difference = useMemo(
    () => (other === null ? null : firstDifference(moments, other)),
    [moments, other],
  );
  const about = useMemo(() => storyOf(moments).moment, [moments]);
  const begin = props.begin ?? about ?? 0;
  const player = usePlayer(
    {
      forgotten: timeline.forgotten ?? 0,
      last: moments.last,
      isLive,
      isGrowing: isLive && whole === props.timeline,
    },
    place ?? begin,
    useCallback((next) => setPlace((before) => next(before ?? begin)), [begin]),
  );
  const { moment, go } = player;
  const [scale, setScale] = useState<number | null>(null);
  const drawnAt = useRef(1);
  const besideAt = useRef(1);
  const besidePicture = useRef<(() => Drawing) | null>(null);
  const [isTimed, setTimed] = useState(false);
  const [helps, setHelps] = useState(false);
  const [large, enlarge] = useState<string | null>(null);
  const [filter, setFilter] = useState<Filter>(everyStep);
  const [pins, setPins] = useState<readonly Pin[]>([]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new address goes to its moment, also when it is the same
  useEffect(() => {
    if (!isLive) go(begin);
  }, [props.timeline, begin]);
  // Browsers limit how often the address may change.
  useEffect(() => {
    const timer = setTimeout(() => onMoment(moment), addressAfterMs);
    return () => clearTimeout(timer);
  }, [moment, onMoment]);

  const zoom = useCallback((to: number) => setScale(Math.min(most, Math.max(least, to))), []);
  useKeys({
    moments,
    player,
    zoom: (by) => zoom(drawnAt.current * by),
    theme: onTheme,
    help: () => setHelps((on) => !on),
    allPanels: () => enlarge(null),
  });

  const searched = useDeferredValue(filter);
  const others =
    explored !== null || isLive
      ? []
      : sources.sources.filter(({ id, kind }) => kind === 'timeline' && id !== source);
  const showBeside = (id: string | null) =>
    onShow({ source, step: moment, path: [], lock: null, beside: id });

  const pick = (choice: number) => {
    if (explored === null) return;
    const path = [...explored.path.slice(0, moment), choice];
    onShow({ source, step: path.length, path, lock: null, beside: null });
  };

  const forest = useRef<SVGSVGElement>(null);
  const sequence = useRef<(() => Drawing) | null>(null);
  const broken = brokenSites(moments, moment);
  const tree = hasPointers(moments);
  const epochs = useMemo(() => epochsOf(moments), [moments]);
  const epochAtFirst = useMemo(() => firstEpoch(moments), [moments]);
  const gutter = Math.max(gutterOf(moments, pins), other === null ? 0 : gutterOf(other, noPins));
  const file = `${source}-${moment}`;
  const figures = sources.figures ?? [];
  const caption = () => [
    storyOf(moments).sentence,
    `${timeline.title}, step ${moments.numberOf(moment)} of ${moments.numberOf(moments.last)}: ${stepText(moments, moment)}`,
    timeline.about,
  ];
  const savedMessages = () => {
    const colours = paletteOf(document.documentElement);
    const here = sequence.current!();
    if (other === null) return pictureText([here], caption(), colours);
    const both = [
      { ...here, title: `this run: ${timeline.title}` },
      { ...besidePicture.current!(), title: `beside: ${beside!.title}` },
    ];
    const differs = difference === null ? 'no difference' : `first difference: ${difference.text}`;
    return pictureText(both, [...caption(), differs], colours, 'down');
  };
  const violated = timeline.properties.filter(
    (_, index) => moments.verdict(index, moment).verdict === 'violated',
  ).length;
  const tabs: readonly Tab[] = [
    ...(explored === null
      ? []
      : [
          {
            name: 'Next',
            className: 'choices',
            content: (
              <Choices
                choices={explored.choices[moment] ?? []}
                properties={timeline.properties}
                example={tree ? 'a in client.inCS and b.next = c' : exampleOf(moments)}
                data={data}
                onPick={pick}
                onPath={(path) => onShow({ source, step: path.length, path, lock: null, beside: null })}
              />
            ),
          },
        ]),
    ...(other === null
      ? []
      : [
          {
            name: 'Beside',
            className: 'beside-tab',
            content: <BesideValues moments={moments} other={other} moment={moment} />,
          },
        ]),
    {
      name: 'Steps',
      className: 'steps-tab',
      content: <Steps moments={moments} moment={moment} filter={filter} onFilter={setFilter} onMoment={go} />,
    },
    ...(epochAtFirst === null
      ? []
      : [
          {
            name: 'Epochs',
            className: 'epochs-tab',
            count: epochs.length + (epochs.some(({ epoch }) => epoch === epochAtFirst.epoch) ? 0 : 1),
            content: (
              <EpochLog
                epochs={epochs}
                first={epochAtFirst}
                moments={moments}
                moment={moment}
                onMoment={go}
              />
            ),
          },
        ]),
    ...(timeline.properties.length === 0
      ? []
      : [
          {
            name: 'Properties',
            className: 'verdicts',
            count: violated === 0 ? timeline.properties.length : `✗ ${violated}`,
            content: (
              <Properties moments={moments} moment={moment} results={sources.results ?? none} onMoment={go} />
            ),
          },
        ]),
  ];

  return (
    <div
      className={`inspector ${tree ? '' : 'treeless'} ${explored === null ? '' : 'exploring'} ${other === null ? '' : 'two'}`}
    >
      <header className="top">
        <h1>
          Baton <span>inspector</span>
        </h1>
        <label className="source">
          <span className="visually-hidden">What is shown</span>
          <select
            value={source}
            onChange={({ target }) =>
              onShow({ source: target.value, step: null, path: [], lock: null, beside: null })
            }
          >
            {sources.sources.map(({ id, title, verdict }) => (
              <option key={id} value={id}>
                {verdict === 'violated' ? '✗ ' : verdict === 'holds' ? '✓ ' : ''}
                {title}
              </option>
            ))}
          </select>
        </label>
        {others.length > 0 && (
          <label className="source beside-choice">
            <span className="visually-hidden">The run beside it</span>
            <select value={beside?.source ?? ''} onChange={({ target }) => showBeside(target.value || null)}>
              <option value="">beside ...</option>
              {others.map(({ id, title }) => (
                <option key={id} value={id}>
                  beside {title}
                </option>
              ))}
            </select>
          </label>
        )}
        {groups.map(({ name, members }) => (
          <button
            key={name}
            type="button"
            className="group"
            aria-pressed={unfolded.includes(name)}
            onClick={() =>
              setUnfolded((before) =>
                before.includes(name) ? before.filter((one) => one !== name) : [...before, name],
              )
            }
          >
            {unfolded.includes(name)
              ? `fold ${members.length} ${name}`
              : `unfold ${name} × ${members.length}`}
          </button>
        ))}
        {locks}
        {isLive && (
          <LiveButton
            connection={connection}
            newer={
              place === 'end'
                ? null
                : props.timeline.steps.length + forgottenOf(props.timeline) - moments.numberOf(moment)
            }
            gone={goneOf(props.timeline)}
            onEnd={player.end}
          />
        )}
        <p className="about" title={timeline.about}>
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
      <StoryBar
        moments={moments}
        moment={moment}
        isLive={isLive}
        clocks={place === 'end' && connection.state === 'connected' ? clocks : null}
        onMoment={go}
      />
      {beside !== null && (
        <BesideBar
          title={beside.title}
          difference={difference}
          moment={moment}
          onMoment={go}
          onClose={() => showBeside(null)}
        />
      )}

      <Panels large={large} onEnlarge={enlarge}>
        <Charts
          moments={moments}
          moment={moment}
          plans={plans}
          never={sources.never ?? noneNever}
          file={file}
          caption={caption}
        />

        {tree && (
          <Panel
            title="Tree and queue"
            className="tree"
            tools={<Downloads name={`${file}-tree`} svg={() => savedPicture([forest.current!], caption())} />}
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
              {moments.isTimed && (
                <select
                  aria-label="Axis"
                  value={isTimed ? 'time' : 'steps'}
                  onChange={({ target }) => {
                    setTimed(target.value === 'time');
                    setScale(null);
                  }}
                >
                  <option value="steps">by step</option>
                  <option value="time">by time</option>
                </select>
              )}
              <button
                type="button"
                title="More at once (−)"
                aria-label="More at once"
                onClick={() => zoom(drawnAt.current / 1.4)}
              >
                −
              </button>
              <button
                type="button"
                title="Larger (+)"
                aria-label="Larger"
                onClick={() => zoom(drawnAt.current * 1.4)}
              >
                +
              </button>
              <Downloads name={`${file}-messages`} svg={savedMessages} texts={runTexts(timeline)} />
            </>
          }
        >
          <Sequence
            moments={moments}
            moment={moment}
            theme={theme}
            scale={scale}
            fits={Math.max(moments.last, other?.last ?? 0)}
            gutter={gutter}
            isTimed={isTimed}
            drawnAt={drawnAt}
            filter={searched}
            pins={pins}
            differsAt={difference?.moment ?? null}
            onScale={zoom}
            onMoment={go}
            picture={sequence}
          />
          {other !== null && (
            <Sequence
              moments={other}
              moment={Math.min(moment, other.last)}
              theme={theme}
              scale={scale}
              fits={Math.max(moments.last, other.last)}
              gutter={gutter}
              isTimed={false}
              drawnAt={besideAt}
              filter={searched}
              pins={noPins}
              differsAt={difference?.moment ?? null}
              onScale={zoom}
              onMoment={go}
              picture={besidePicture}
            />
          )}
        </Panel>

        <Tabs className="side" label="Steps and properties" tabs={tabs} />
        <Panel title="State" className="values">
          <StateTree moments={moments} moment={moment} broken={broken} pins={pins} onPins={setPins} />
        </Panel>
      </Panels>

      <Controls moments={moments} player={player} />
      {helps && <Help onClose={() => setHelps(false)} />}
    </div>
  );
}

function runTexts(timeline: Timeline): DownloadsProps['texts'] & object {
  return {
    Mermaid: ['mmd', () => mermaidSequence(timeline)],
    ShiViz: ['shiviz.log', () => shiVizLog(timeline)],
    JSON: ['json', () => JSON.stringify(timeline)],
  };
}

const none: readonly Result[] = [];
const noPins: readonly Pin[] = [];
const noneNever: NonNullable<Sources['never']> = {};

/**
 * The timeline that is shown: the newest, unless it no longer has the moment at which the reader has paused. Then it is the last one
 * that has it.
 */
function useKept(newest: Timeline, place: Place | null): Timeline {
  const kept = useRef(newest);
  if (place === 'end' || place === null || place >= forgottenOf(newest)) kept.current = newest;
  return kept.current;
}

function forgottenOf({ forgotten }: Timeline): number {
  return forgotten ?? 0;
}

/** The sites of a live run that were seen and do not answer any more. */
function goneOf({ sites, start, steps }: Timeline): readonly string[] {
  const open = new Set(sites.map(({ id }) => id));
  const gone: string[] = [];
  const look = (states: Timeline['start']['sites']) => {
    for (const [id, state] of Object.entries(states)) if (open.delete(id) && state.gone) gone.push(id);
  };
  for (let at = steps.length - 1; at >= 0 && open.size > 0; at--) look(steps[at]!.sites);
  look(start.sites);
  return gone.sort();
}

interface LiveButtonProps {
  readonly connection: Connection;
  /** Number of steps after the moment in view. `null`: the view follows the run. */
  readonly newer: number | null;
  readonly gone: readonly string[];
  readonly onEnd: () => void;
}

/** Shows whether the view is live, and of which sites; goes to the newest moment. */
function LiveButton({ connection, newer, gone, onEnd }: LiveButtonProps) {
  const { state } = connection;
  const isLive = state === 'connected' && newer === null;
  const without = gone.length === 0 ? '' : `, without ${gone.join(', ')}`;
  return (
    <button
      type="button"
      className={['live', isLive ? 'on' : state, gone.length === 0 ? '' : 'partial'].join(' ')}
      data-connection={state}
      title={gone.length === 0 ? undefined : `no answer from ${gone.join(', ')}`}
      onClick={onEnd}
    >
      {state === 'connected' && newer === null && `${gone.length === 0 ? '●' : '◐'} live${without}`}
      {state === 'connected' && newer !== null && `● go to now (${newer.toLocaleString('en')} newer)`}
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
      <li className="message">message</li>
      <li className="token">token</li>
    </ul>
  );
}
