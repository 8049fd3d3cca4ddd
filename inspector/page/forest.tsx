import type { RefObject } from 'react';
import type { SiteState } from '../../verification/timeline/format.ts';
import type { Box } from '../protocol.ts';
import { type Flight, flightsOf } from './flights.ts';
import { around, bendPast, columnsOf, control, onCurve, type Place } from './forest-layout.ts';
import type { Moments } from './moments.ts';
import { PanZoom, useSize } from './pan-zoom.tsx';
import { depths, type Pointers, pointersOf } from './pointers.ts';
import { contextOf, isCritical } from './values.ts';

interface ForestProps {
  readonly moments: Moments;
  readonly moment: number;
  /** Sites that are a violated part of some property. */
  readonly broken: ReadonlySet<string>;
  /** True when the view changes too fast for animation. */
  readonly isStill: boolean;
  readonly svg: RefObject<SVGSVGElement | null>;
}

const radius = 25;
/** At this scale the smallest text, of 12 px, is 11 px high. */
const leastScale = 11 / 12;
/** Step by which the drawing grows and shrinks. */
const stepPx = 40;

/**
 * The tree of `last` pointers, with `next` drawn over it, the messages on their way, and the token. A site
 * keeps its column, so that only changes move.
 */
export function Forest({ moments, moment, broken, isStill, svg }: ForestProps) {
  const { timeline } = moments;
  const ids = timeline.sites.map(({ id }) => id);
  const set = new Set(ids);
  const states = new Map(ids.map((id) => [id, moments.site(id, moment)]));
  const pointers = new Map(ids.map((id) => [id, pointersOf(states.get(id)!, set)]));
  const depth = depths(new Map([...pointers].map(([id, { last }]) => [id, last])));
  const room = useSize(svg);
  const columns = columnsOf(
    ids.map((id) => depth.get(id) ?? 0),
    { width: room.width / leastScale, height: room.height / leastScale },
  );
  const places = new Map(ids.map((id, index) => [id, columns[index]!]));
  const at = (id: string) => places.get(id)!;
  /** The arrows of one kind of pointer. */
  const arrows = (kind: 'last' | 'next', usual: number): readonly PointerArrow[] =>
    ids.flatMap((id) => {
      const target = pointers.get(id)![kind];
      if (typeof target !== 'string' || target === id) return [];
      const others = columns.filter((place) => place !== at(id) && place !== at(target));
      const bend = bendPast(at(id), at(target), others, radius, usual);
      return [{ key: `${kind} ${id}`, id, from: at(id), to: at(target), bend }];
    });
  const epochs = [...states.values()].map((state) => contextOf(state)['epoch']);
  const newest = Math.max(...epochs.filter((epoch) => typeof epoch === 'number'));
  /** In its critical section, in an epoch that is over. */
  const isFormer = (state: SiteState) =>
    isCritical(timeline, state) && Number(contextOf(state)['epoch'] ?? newest) < newest;
  const last = arrows('last', 0);
  const next = arrows('next', 34);
  const underWay = moments.underWay(moment).map((index) => timeline.messages[index]!);
  const flights = flightsOf(underWay, at, columns, radius);
  const all = boundsOf(columns, [...last, ...next, ...flights]);
  const fits = all.width * leastScale <= room.width && all.height * leastScale <= room.height;
  // Rather than a site, a bend is cut off.
  const { left, top, width, height } = fits ? all : boundsOf(columns, []);
  return (
    <PanZoom
      label={spoken(ids, pointers)}
      left={left}
      top={top}
      width={width}
      height={height}
      leastScale={leastScale}
      focus={focusOf(moments, moment, at)}
      svg={svg}
      className={isStill ? 'forest still' : 'forest'}
    >
      <defs>
        {['last', 'next', 'message', 'tokenmessage'].map((kind) => (
          <marker
            key={kind}
            id={`tip-${kind}`}
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerWidth="8"
            markerHeight="8"
            orient="auto"
            markerUnits="userSpaceOnUse"
          >
            <path d="M0 0.5 L8 4 L0 7.5 z" className={`tip ${kind}`} />
          </marker>
        ))}
      </defs>
      {last.map(({ key, id, from, to, bend }) => (
        <path
          key={key}
          className={depth.get(id) === null ? 'last circle' : 'last'}
          d={between(from, to, bend)}
          markerEnd="url(#tip-last)"
        />
      ))}
      {next.map(({ key, from, to, bend }) => (
        <path key={key} className="next" d={between(from, to, bend)} markerEnd="url(#tip-next)" />
      ))}
      {flights.map((flight) => (
        <path
          key={flight.key}
          className={flight.carriesToken ? 'way carrying' : 'way'}
          d={between(flight.from, flight.to, flight.bend)}
          markerEnd={`url(#${flight.carriesToken ? 'tip-tokenmessage' : 'tip-message'})`}
        />
      ))}
      {ids.map((id) => {
        const state = states.get(id)!;
        const { last: parent, token } = pointers.get(id)!;
        const classes = [
          'site',
          state.up ? '' : 'down',
          state.unseen ? 'unobserved' : '',
          isFormer(state) ? 'former' : isCritical(timeline, state) && !state.unseen ? 'inside' : '',
          broken.has(id) ? 'broken' : '',
        ];
        const { x, y } = at(id);
        const note = noteOf(timeline, state, isFormer(state));
        return (
          <g key={id} className={classes.join(' ')} style={{ transform: `translate(${x}px, ${y}px)` }}>
            {broken.has(id) && <circle className="ring" r={radius + 6} />}
            <circle className="disc" r={radius} />
            <text className="id" y="5" textAnchor="middle" style={{ fontSize: Math.min(15, 78 / id.length) }}>
              {id}
            </text>
            {parent === null && (
              <text className="note" y={-radius - 9} textAnchor="middle">
                no last
              </text>
            )}
            {note !== null && (
              <text className="note" y={radius + 16} textAnchor="middle">
                {note}
              </text>
            )}
            {token && <Token x={radius - 4} y={-radius + 5} />}
          </g>
        );
      })}
      {flights.map((flight) => (
        <FlyingLetters key={flight.key} flight={flight} />
      ))}
    </PanZoom>
  );
}

function noteOf(timeline: Moments['timeline'], state: SiteState, isFormer: boolean): string | null {
  if (state.gone) return 'no answer';
  if (state.unseen) return 'not seen';
  if (!state.up) return 'down';
  if (isFormer) return `inside, epoch ${contextOf(state)['epoch']}`;
  return isCritical(timeline, state) ? 'inside' : null;
}

function FlyingLetters({ flight: { middle, carriesToken, text, label } }: { readonly flight: Flight }) {
  return (
    <g className={carriesToken ? 'message carrying' : 'message'}>
      {carriesToken ? (
        <Token x={middle.x} y={middle.y} />
      ) : (
        <circle className="mail" cx={middle.x} cy={middle.y} r="4" />
      )}
      <text x={label.x} y={label.y + 4} textAnchor="middle">
        {text}
      </text>
    </g>
  );
}

function Token({ x, y }: Place) {
  return (
    <g className="token" transform={`translate(${x} ${y})`}>
      <circle r="10" />
      <text y="4.2" textAnchor="middle">
        T
      </text>
    </g>
  );
}

/** The site that took the step. */
function focusOf({ timeline }: Moments, moment: number, at: (id: string) => Place | undefined): Box | null {
  const place = moment === 0 ? undefined : at(timeline.steps[moment - 1]!.site);
  return place === undefined ? null : { ...place, width: 0, height: 0 };
}

interface PointerArrow {
  readonly key: string;
  readonly id: string;
  readonly from: Place;
  readonly to: Place;
  readonly bend: number;
}

/**
 * The bounds of the sites and of the arrows between them, in whole steps, so that the scale seldom changes.
 */
function boundsOf(
  sites: readonly Place[],
  arrows: readonly { readonly from: Place; readonly to: Place; readonly bend: number }[],
) {
  const bent = arrows.flatMap(({ from, to, bend }) =>
    [0.25, 0.5, 0.75].map((share) => onCurve(from, to, bend, share)),
  );
  const xs = [
    ...sites.flatMap(({ x }) => [x - around.sides, x + around.sides]),
    ...bent.flatMap(({ x }) => [x - 12, x + 12]),
  ];
  const ys = [
    ...sites.flatMap(({ y }) => [y - around.ends, y + around.ends]),
    ...bent.flatMap(({ y }) => [y - 24, y + 24]),
  ];
  const whole = (value: number) => Math.ceil(value / stepPx) * stepPx;
  if (arrows.length === 0) {
    const [left, top] = [Math.min(...xs), Math.min(...ys)];
    return { left, top, width: Math.max(...xs) - left, height: Math.max(...ys) - top };
  }
  const [left, top] = [-whole(-Math.min(...xs)), -whole(-Math.min(...ys))];
  return {
    left,
    top,
    width: whole(Math.max(...xs) - left),
    height: whole(Math.max(200, Math.max(...ys) - top)),
  };
}

/** A curve from rim to rim, bent to the side by `bend` pixels. */
function between(from: Place, to: Place, bend: number): string {
  const middle = control(from, to, bend * 2);
  const start = rim(from, middle, 0);
  const end = rim(to, middle, 3);
  return `M${start.x} ${start.y} Q${middle.x} ${middle.y} ${end.x} ${end.y}`;
}

function rim(centre: Place, toward: Place, gap: number): Place {
  const distance = Math.hypot(toward.x - centre.x, toward.y - centre.y) || 1;
  const share = (radius + gap) / distance;
  return { x: centre.x + (toward.x - centre.x) * share, y: centre.y + (toward.y - centre.y) * share };
}

function spoken(ids: readonly string[], pointers: ReadonlyMap<string, Pointers>): string {
  const said = ids.map((id) => {
    const { last, next, token } = pointers.get(id)!;
    const parts = [
      ...(last === undefined ? [] : [last === null ? 'no last' : `last ${last}`]),
      ...(typeof next === 'string' ? [`next ${next}`] : []),
      ...(token ? ['has the token'] : []),
    ];
    return `${id}: ${parts.join(', ') || 'nothing'}`;
  });
  return `Tree of last pointers, and queue. ${said.join('; ')}`;
}
