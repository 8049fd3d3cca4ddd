import type { RefObject } from 'react';
import type { SiteState } from '../../verification/timeline/format.ts';
import { control, type Flight, flightsOf, type Place } from './flights.ts';
import type { Moments } from './moments.ts';
import { PanZoom } from './pan-zoom.tsx';
import { depths, type Pointers, pointersOf } from './pointers.ts';
import { isCritical } from './values.ts';

interface ForestProps {
  readonly moments: Moments;
  readonly moment: number;
  /** Sites that are a broken part of some property. */
  readonly broken: ReadonlySet<string>;
  /** Does it change too fast for anything to glide? */
  readonly isStill: boolean;
  readonly svg: RefObject<SVGSVGElement | null>;
}

const column = 116;
const row = 104;
/** Every second column lies lower, so that an arrow past a site does not go through it. */
const stagger = 30;
const radius = 25;

/**
 * The tree of `last` pointers, `next` drawn over it, messages on their way, and the token where it is. A site
 * keeps its column, so that only what changes moves.
 */
export function Forest({ moments, moment, broken, isStill, svg }: ForestProps) {
  const { timeline } = moments;
  const ids = timeline.sites.map(({ id }) => id);
  const set = new Set(ids);
  const states = new Map(ids.map((id) => [id, moments.site(id, moment)]));
  const pointers = new Map(ids.map((id) => [id, pointersOf(states.get(id)!, set)]));
  const depth = depths(new Map([...pointers].map(([id, { last }]) => [id, last])));
  const places = new Map(
    ids.map((id, index): [string, Place] => [
      id,
      { x: 60 + index * column, y: 66 + (depth.get(id) ?? 0) * row + (index % 2) * stagger },
    ]),
  );
  const at = (id: string) => places.get(id)!;
  const underWay = moments.underWay(moment).map((index) => timeline.letters[index]!);
  const flights = flightsOf(underWay, at, [...places.values()], radius);
  const width = 120 + (ids.length - 1) * column;
  const height = 136 + stagger + Math.max(1, ...[...depth.values()].map((value) => value ?? 0)) * row;
  return (
    <PanZoom
      label={spoken(ids, pointers)}
      width={width}
      height={height}
      svg={svg}
      className={isStill ? 'forest still' : 'forest'}
    >
      <defs>
        {['last', 'next', 'letter', 'tokenletter'].map((kind) => (
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
      {ids.map((id) => {
        const { last } = pointers.get(id)!;
        return typeof last !== 'string' || last === id ? null : (
          <path
            key={`last ${id}`}
            className={depth.get(id) === null ? 'last circle' : 'last'}
            d={between(at(id), at(last), 0)}
            markerEnd="url(#tip-last)"
          />
        );
      })}
      {ids.map((id) => {
        const { next } = pointers.get(id)!;
        return typeof next !== 'string' || next === id ? null : (
          <path
            key={`next ${id}`}
            className="next"
            d={between(at(id), at(next), 34)}
            markerEnd="url(#tip-next)"
          />
        );
      })}
      {flights.map((flight) => (
        <path
          key={flight.key}
          className={flight.carriesToken ? 'way carrying' : 'way'}
          d={between(flight.from, flight.to, flight.bend)}
          markerEnd={`url(#${flight.carriesToken ? 'tip-tokenletter' : 'tip-letter'})`}
        />
      ))}
      {ids.map((id) => {
        const state = states.get(id)!;
        const { last, token } = pointers.get(id)!;
        const classes = [
          'site',
          state.up ? '' : 'down',
          state.unseen ? 'unseen' : '',
          isCritical(timeline, state) ? 'inside' : '',
          broken.has(id) ? 'broken' : '',
        ];
        const { x, y } = at(id);
        const note = noteOf(timeline, state);
        return (
          <g key={id} className={classes.join(' ')} style={{ transform: `translate(${x}px, ${y}px)` }}>
            {broken.has(id) && <circle className="ring" r={radius + 6} />}
            <circle className="disc" r={radius} />
            <text className="id" y="5" textAnchor="middle" style={{ fontSize: Math.min(15, 78 / id.length) }}>
              {id}
            </text>
            {last === null && (
              <text className="note" y={-radius - 9} textAnchor="middle">
                root
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

function noteOf(timeline: Moments['timeline'], state: SiteState): string | null {
  if (state.unseen) return 'not seen';
  if (!state.up) return 'down';
  return isCritical(timeline, state) ? 'inside' : null;
}

function FlyingLetters({ flight: { middle, carriesToken, text, label } }: { readonly flight: Flight }) {
  return (
    <g className={carriesToken ? 'letter carrying' : 'letter'}>
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
      <circle r="9" />
      <text y="3.6" textAnchor="middle">
        T
      </text>
    </g>
  );
}

/** From rim to rim, bent to the side by so many pixels. */
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
      ...(last === undefined ? [] : [last === null ? 'root' : `last ${last}`]),
      ...(typeof next === 'string' ? [`next ${next}`] : []),
      ...(token ? ['has the token'] : []),
    ];
    return `${id}: ${parts.join(', ') || 'nothing'}`;
  });
  return `Tree of last pointers, and queue. ${said.join('; ')}`;
}
