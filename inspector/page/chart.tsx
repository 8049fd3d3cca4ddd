import { memo, type RefObject, useEffect, useState } from 'react';
import type { Chart, ChartTransition, SiteState } from '../../verification/timeline/format.ts';
import type { PlacedArrow, PlacedState } from './chart-graph.ts';
import { type Line, spoken } from './chart-labels.ts';
import { type ChartLayout, layoutOf } from './chart-layout.ts';
import { PanZoom } from './pan-zoom.tsx';
import { activeStates } from './values.ts';

interface ChartViewProps {
  readonly site: string;
  readonly chart: Chart;
  readonly state: SiteState;
  /** The transitions just taken. */
  readonly taken: readonly string[];
  /** Transitions that no explored step takes. */
  readonly never?: readonly string[];
  readonly svg: RefObject<SVGSVGElement | null>;
}

/** The statechart of one site: active states lit, the transitions just taken marked. */
export const ChartView = memo(function ChartView({ site, chart, state, taken, never, svg }: ChartViewProps) {
  const [layout, setLayout] = useState<ChartLayout | null>(null);
  useEffect(() => {
    let isCurrent = true;
    void layoutOf(chart).then((done) => {
      if (isCurrent) setLayout(done);
    });
    return () => {
      isCurrent = false;
    };
  }, [chart]);
  const active = activeStates(chart, state.up ? state.value : null);
  const names = [...active].map((id) => id.slice(chart.id.length + 1)).filter((name) => name !== '');
  const label = `Statechart of ${site}: ${state.up ? `active are ${names.join(', ')}` : 'down'}${state.unseen ? ', when it was last seen' : ''}`;
  const { width, height } = layout ?? { width: 1, height: 1 };
  const [pointed, setPointed] = useState<readonly ChartTransition[]>([]);
  const marks: Marks = { taken, never: never ?? [], onPoint: setPointed };
  const said = pointed.length > 0 ? pointed : chart.transitions.filter(({ id }) => taken.includes(id));
  return (
    <>
      <div className="canvas">
        <PanZoom
          label={label}
          width={width}
          height={height}
          svg={svg}
          className={state.unseen ? 'chart unobserved' : state.up ? 'chart' : 'chart down'}
        >
          <defs>
            {['plain', 'taken', 'never'].map((kind) => (
              <marker
                key={kind}
                id={`head-${kind}`}
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
          {layout?.states.map((placed) => (
            <State
              key={placed.state.id}
              placed={placed}
              isActive={active.has(placed.state.id)}
              marks={marks}
            />
          ))}
          {layout?.arrows.map((arrow) => (
            <Arrow key={arrow.id} arrow={arrow} marks={marks} />
          ))}
        </PanZoom>
      </div>
      <div className="transitions">
        <ul>
          {said.map((transition) => (
            <li key={transition.id} className={kindOf(transition.id, marks)}>
              {spoken(transition)}
            </li>
          ))}
        </ul>
      </div>
    </>
  );
});

type Kind = 'plain' | 'taken' | 'never';

interface Marks {
  readonly taken: readonly string[];
  readonly never: readonly string[];
  /** Somebody points at these, or at nothing any more. */
  readonly onPoint: (transitions: readonly ChartTransition[]) => void;
}

function kindOf(id: string, { taken, never }: Marks): Kind {
  if (taken.includes(id)) return 'taken';
  return never.includes(id) ? 'never' : 'plain';
}

/** `taken` when one is, `never` when all are never. */
function kindOfAll(transitions: readonly ChartTransition[], marks: Marks): Kind {
  const kinds = transitions.map(({ id }) => kindOf(id, marks));
  if (kinds.includes('taken')) return 'taken';
  return kinds.every((kind) => kind === 'never') ? 'never' : 'plain';
}

function State({ placed, isActive, marks }: { placed: PlacedState; isActive: boolean; marks: Marks }) {
  const { state, box, isInitial, isRegion, lines } = placed;
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
          cx={isLeaf ? 11 : 12}
          cy={isLeaf && lines.length === 0 ? box.height / 2 : 15}
          r="3"
        />
      )}
      <text
        className="name"
        x={isLeaf ? box.width / 2 + (isInitial ? 5 : 0) : isInitial ? 22 : 12}
        y={isLeaf && lines.length === 0 ? box.height / 2 + 4.5 : 19}
        textAnchor={isLeaf ? 'middle' : 'start'}
      >
        {state.key}
      </text>
      <Lines lines={lines} x={12} anchor="start" marks={marks} />
    </g>
  );
}

function Arrow({ arrow, marks }: { readonly arrow: PlacedArrow; readonly marks: Marks }) {
  const { transitions, points, label, lines } = arrow;
  const kind = kindOfAll(transitions, marks);
  const path = rounded(points);
  return (
    <g
      className={`arrow ${kind}`}
      onPointerEnter={() => marks.onPoint(transitions)}
      onPointerLeave={() => marks.onPoint([])}
    >
      <path className="near" d={path} />
      <path className="way" d={path} markerEnd={`url(#head-${kind})`} />
      <g transform={`translate(${label.x} ${label.y})`}>
        <Lines lines={lines} x={label.width / 2} anchor="middle" marks={marks} />
      </g>
    </g>
  );
}

function Lines({
  lines,
  x,
  anchor,
  marks,
}: {
  readonly lines: readonly Line[];
  readonly x: number;
  readonly anchor: 'start' | 'middle';
  readonly marks: Marks;
}) {
  return lines.map(({ parts, y }) => (
    <text key={y} className="line" x={x} y={y} textAnchor={anchor}>
      {parts.map(({ text, transitions }, index) => (
        <tspan
          key={text}
          className={`line ${kindOfAll(transitions, marks)}`}
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

/** A line through the points, its corners rounded. */
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
