import { memo, type RefObject, useMemo, useRef, useState } from 'react';
import type { Chart, ChartState, ChartTransition, SiteState } from '../../verification/timeline/format.ts';
import type { Box, ChartPlan, PlacedArrow, PlacedState, PlanLine } from '../protocol.ts';
import { eventName } from '../protocol.ts';
import { arrangedIn, fittedIn, leastScale, statesById } from './chart-layout.ts';
import { PanZoom, useSize } from './pan-zoom.tsx';
import { activeStates } from './values.ts';

interface ChartViewProps {
  readonly site: string;
  /** Index of the site. It makes names unique among the drawings of a page. */
  readonly index: number;
  readonly chart: Chart;
  readonly plan: ChartPlan;
  readonly state: SiteState;
  /** The transitions just taken. */
  readonly taken: readonly string[];
  /** Transitions that no explored step takes. */
  readonly never: readonly string[];
  /** Regions that are folded to their title, by id. */
  readonly folded: ReadonlySet<string>;
  readonly onFold: (region: string) => void;
  /** Called with the transitions under the pointer, and with none afterwards. */
  readonly onPoint: (transitions: readonly string[]) => void;
  readonly svg: RefObject<SVGSVGElement | null>;
  /**
   * One of several: if it does not fit at a readable size, it is drawn without the names of events, and if that does not fit, as
   * a list of its states.
   */
  readonly isSmall: boolean;
}

/** The statechart of one site. Active states are highlighted, and the transitions just taken are marked. */
export const ChartView = memo(function ChartView(props: ChartViewProps) {
  const { site, index, chart, plan, state, taken, never, folded, onFold, onPoint, svg, isSmall } = props;
  const canvas = useRef<HTMLDivElement>(null);
  const { width: wide, height: high } = useSize(canvas);
  const layout = useMemo(() => {
    const room = { width: Math.max(1, wide), height: Math.max(1, high) };
    return isSmall ? fittedIn(plan, chart, room, folded) : arrangedIn(plan, chart, room, folded);
  }, [plan, chart, wide, high, folded, isSmall]);
  const states = useMemo(() => statesById(chart), [chart]);
  const active = activeStates(chart, state.up ? state.value : null);
  const names = [...active].map((id) => id.slice(chart.id.length + 1)).filter((name) => name !== '');
  const label = `Statechart of ${site}: ${state.up ? `active are ${names.join(', ')}` : 'down'}${state.unseen ? ', when it was last seen' : ''}`;
  const [pointed, setPointed] = useState<string | null>(null);
  const marks: Marks = { taken, never, pointed, onPoint };
  const point = (by: number) => {
    if (layout === null) return;
    const all = transitionsIn(layout);
    const before = pointed === null ? -1 : all.indexOf(pointed);
    const next = all[before < 0 ? (by > 0 ? 0 : all.length - 1) : (before + by + all.length) % all.length];
    setPointed(next ?? null);
    onPoint(next === undefined ? [] : [next]);
  };
  if (layout === null) {
    return (
      <div className="canvas" ref={canvas}>
        <Overview chart={chart} state={state} active={active} taken={taken} />
      </div>
    );
  }
  return (
    <div className="canvas" ref={canvas}>
      <PanZoom
        label={label}
        width={layout.width}
        height={layout.height}
        leastScale={leastScale}
        focus={focusOf(layout, pointed === null ? taken : [pointed], active)}
        svg={svg}
        keys={{ '.': () => point(1), ',': () => point(-1) }}
        onBlur={() => {
          if (pointed === null) return;
          setPointed(null);
          onPoint([]);
        }}
        className={[
          'chart',
          layout.isBare ? 'bare' : '',
          state.unseen ? 'unobserved' : state.up ? '' : 'down',
        ].join(' ')}
      >
        <defs>
          {['plain', 'taken', 'never'].map((kind) => (
            <marker
              key={kind}
              id={`head-${kind}-${index}`}
              viewBox="0 0 8 8"
              refX="7"
              refY="4"
              markerWidth="7"
              markerHeight="7"
              orient="auto-start-reverse"
              markerUnits="userSpaceOnUse"
            >
              <path d="M0 0.5 L8 4 L0 7.5 z" className={`head ${kind}`} />
            </marker>
          ))}
        </defs>
        {layout.states.map((placed) => (
          <State
            key={placed.id}
            placed={placed}
            state={states.get(placed.id)!}
            isActive={active.has(placed.id)}
            isFolded={folded.has(placed.id)}
            isBare={layout.isBare}
            marks={marks}
            {...(plan.header !== null && states.get(placed.id)![1]?.id === chart.root.id && { onFold })}
          />
        ))}
        {layout.arrows.map((arrow) => (
          <Arrow key={arrow.id} arrow={arrow} index={index} marks={marks} />
        ))}
      </PanZoom>
    </div>
  );
});

interface OverviewProps {
  readonly chart: Chart;
  readonly state: SiteState;
  readonly active: ReadonlySet<string>;
  readonly taken: readonly string[];
}

/**
 * The states of each region in a line, with the active ones highlighted, for a place that is too small for
 * the chart.
 */
function Overview({ chart, state, active, taken }: OverviewProps) {
  const regions = chart.root.type === 'parallel' ? chart.root.children : [chart.root];
  const left = chart.transitions.filter(({ id }) => taken.includes(id)).map(({ source }) => source);
  if (state.up && active.size === 0) return <p className="hint">takes no part yet</p>;
  const classes = ['overview', state.unseen ? 'unobserved' : '', state.up ? '' : 'down'];
  return (
    <dl className={classes.join(' ')} tabIndex={0}>
      {regions.map((region) => (
        <div key={region.id}>
          <dt>{region.key}</dt>
          <dd>
            {leavesOf(region).map(({ id, key }) => (
              <span key={id} className={active.has(id) ? 'active' : left.includes(id) ? 'left' : ''}>
                {key}
              </span>
            ))}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function leavesOf(state: ChartState): readonly ChartState[] {
  return state.children.length === 0 ? [state] : state.children.flatMap(leavesOf);
}

/** `release [someoneWaits] / send, surrenderToken → idle`. */
export function spoken({ event, guard, actions, targets, source }: ChartTransition): string {
  const target = targets[0];
  return [
    eventName(event),
    ...(guard === null ? [] : [`[${guard}]`]),
    ...(actions.length === 0 ? [] : [`/ ${actions.join(', ')}`]),
    ...(target === undefined || target === source ? [] : [`→ ${target.split('.').at(-1)}`]),
  ].join(' ');
}

/** The transitions that are drawn, from the top down. */
function transitionsIn({
  states,
  arrows,
}: {
  states: readonly PlacedState[];
  arrows: readonly PlacedArrow[];
}): readonly string[] {
  const drawn = [
    ...states.map(({ box, lines }) => ({ y: box.y, lines })),
    ...arrows.map(({ label, lines }) => ({ y: label.y, lines })),
  ].sort((one, other) => one.y - other.y);
  const ids = drawn.flatMap(({ lines }) =>
    lines.flatMap(({ parts }) => parts.flatMap(({ transitions }) => transitions)),
  );
  return [...new Set(ids)];
}

/** The label of a transition just taken, or else an active leaf. */
function focusOf(
  { states, arrows }: { states: readonly PlacedState[]; arrows: readonly PlacedArrow[] },
  taken: readonly string[],
  active: ReadonlySet<string>,
): Box | null {
  const used = arrows.filter(({ transitions }) => transitions.some((id) => taken.includes(id)));
  if (used.length > 0) return used[0]!.label;
  const inner = states.filter(({ id }) => active.has(id));
  return (
    (inner.find(({ id }) => !inner.some((other) => other.id.startsWith(`${id}.`))) ?? inner[0])?.box ?? null
  );
}

type Kind = 'plain' | 'taken' | 'never';

interface Marks {
  readonly taken: readonly string[];
  readonly never: readonly string[];
  /** Chosen with the keyboard. */
  readonly pointed: string | null;
  readonly onPoint: (transitions: readonly string[]) => void;
}

/** `taken` when one is taken, `never` when none is ever taken. */
function kindOf(transitions: readonly string[], { taken, never }: Marks): Kind {
  if (transitions.some((id) => taken.includes(id))) return 'taken';
  return transitions.every((id) => never.includes(id)) ? 'never' : 'plain';
}

interface StateProps {
  readonly placed: PlacedState;
  readonly state: readonly [ChartState, ChartState | null];
  readonly isActive: boolean;
  readonly isFolded: boolean;
  readonly isBare: boolean;
  readonly marks: Marks;
  /** Set for a region that can be folded. */
  readonly onFold?: (region: string) => void;
}

/** Where texts stand: from the left, the title of a state with others in it, and below the middle of another one. */
const wholeText = { left: 12, title: 19, middle: 4.5 };
const bareText = { left: 7, title: 15, middle: 4 };

function State({ placed, state: [state, parent], isActive, isFolded, isBare, marks, onFold }: StateProps) {
  const { box, lines } = placed;
  const { left, title, middle } = isBare ? bareText : wholeText;
  const isRegion = parent?.type === 'parallel';
  const isInitial = parent?.type === 'compound' && parent.initial === state.key;
  const isLeaf = state.children.length === 0;
  const classes = ['state', isLeaf ? 'leaf' : 'outer', isRegion ? 'region' : '', isActive ? 'active' : ''];
  return (
    <g className={classes.join(' ')} transform={`translate(${box.x} ${box.y})`}>
      <rect width={box.width} height={box.height} rx={isLeaf ? 7 : 9} />
      {state.type === 'final' && (
        <rect className="final" x="3" y="3" width={box.width - 6} height={box.height - 6} rx="5" />
      )}
      {isInitial && (
        <circle
          className="initial"
          cx={isLeaf ? left - 1 : left}
          cy={isLeaf && lines.length === 0 ? box.height / 2 : title - 4}
          r={isBare ? 2 : 3}
        />
      )}
      <text
        className="name"
        x={isLeaf ? box.width / 2 + (isInitial ? left / 2 - 1 : 0) : isInitial ? left + 10 : left}
        y={isLeaf && lines.length === 0 ? box.height / 2 + middle : title}
        textAnchor={isLeaf ? 'middle' : 'start'}
      >
        {state.key}
      </text>
      {onFold !== undefined && !isLeaf && (
        // biome-ignore lint/a11y/useSemanticElements: there is no button in a drawing
        <g
          className="fold"
          role="button"
          tabIndex={0}
          aria-label={`${isFolded ? 'Unfold' : 'Fold'} ${state.key}`}
          aria-expanded={!isFolded}
          transform={`translate(${box.width - (isBare ? 21 : 26)} ${title - 15})`}
          onClick={() => onFold(state.id)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' && event.key !== ' ') return;
            event.preventDefault();
            event.stopPropagation();
            onFold(state.id);
          }}
        >
          <rect width="20" height="20" rx="4" />
          <path d={isFolded ? 'M7 5 l6 5 l-6 5 z' : 'M5 7 h10 l-5 6 z'} />
        </g>
      )}
      <Lines lines={lines} x={12} anchor="start" marks={marks} />
    </g>
  );
}

function Arrow({ arrow, index, marks }: { arrow: PlacedArrow; index: number; marks: Marks }) {
  const { transitions, points, label, lines } = arrow;
  const kind = kindOf(transitions, marks);
  const path = rounded(points);
  return (
    <g
      className={`arrow ${kind} ${marks.pointed !== null && transitions.includes(marks.pointed) ? 'pointed' : ''}`}
      onPointerEnter={() => marks.onPoint(transitions)}
      onPointerLeave={() => marks.onPoint([])}
    >
      <path className="near" d={path} />
      <path className="way" d={path} markerEnd={`url(#head-${kind}-${index})`} />
      <g transform={`translate(${label.x} ${label.y})`}>
        <Lines lines={lines} x={label.width / 2} anchor="middle" marks={marks} />
      </g>
    </g>
  );
}

interface LinesProps {
  readonly lines: readonly PlanLine[];
  readonly x: number;
  readonly anchor: 'start' | 'middle';
  readonly marks: Marks;
}

function Lines({ lines, x, anchor, marks }: LinesProps) {
  return lines.map(({ parts, y }) => (
    <text key={y} className="line" x={x} y={y} textAnchor={anchor}>
      {parts.map(({ text, transitions }, index) => (
        <tspan
          key={text}
          className={`line ${kindOf(transitions, marks)} ${marks.pointed !== null && transitions.includes(marks.pointed) ? 'pointed' : ''}`}
          onPointerEnter={() => marks.onPoint(transitions)}
          onPointerLeave={() => marks.onPoint([])}
        >
          {index === 0 ? '' : ', '}
          {text}
        </tspan>
      ))}
    </text>
  ));
}

/** A line through the points, with rounded corners. */
function rounded(points: PlacedArrow['points']): string {
  const [first, ...rest] = points;
  const parts = [`M${first!.x} ${first!.y}`];
  for (const [index, corner] of rest.slice(0, -1).entries()) {
    const before = points[index]!;
    const after = rest[index + 1]!;
    const from = toward(corner, before);
    const to = toward(corner, after);
    parts.push(`L${from.x} ${from.y} Q${corner.x} ${corner.y} ${to.x} ${to.y}`);
  }
  const end = rest.at(-1)!;
  parts.push(`L${end.x} ${end.y}`);
  return parts.join(' ');
}

function toward(from: { x: number; y: number }, to: { x: number; y: number }) {
  const distance = Math.hypot(to.x - from.x, to.y - from.y);
  const share = distance === 0 ? 0 : Math.min(8, distance / 2) / distance;
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
}
