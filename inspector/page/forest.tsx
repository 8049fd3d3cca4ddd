import type { RefObject } from 'react';
import type { Moments } from '../moments.ts';
import { isCritical, typedText } from '../values.ts';
import { PanZoom } from './pan-zoom.tsx';
import { depths, type Pointers, pointersOf } from './pointers.ts';

interface ForestProps {
  readonly moments: Moments;
  readonly moment: number;
  /** Sites that are a broken part of some property. */
  readonly broken: ReadonlySet<string>;
  /** Does it change too fast for anything to glide? */
  readonly isStill: boolean;
  readonly svg: RefObject<SVGSVGElement | null>;
}

interface Place {
  readonly x: number;
  readonly y: number;
}

const column = 116;
const row = 104;
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
      { x: 60 + index * column, y: 62 + (depth.get(id) ?? 0) * row },
    ]),
  );
  const at = (id: string) => places.get(id)!;
  const width = 120 + (ids.length - 1) * column;
  const height = 130 + Math.max(1, ...[...depth.values()].map((value) => value ?? 0)) * row;
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
      {moments.underWay(moment).map((index) => (
        <FlyingLetter
          key={`letter ${index}`}
          letter={timeline.letters[index]!}
          at={at}
          bend={-30 - 16 * lane(moments, moment, index)}
        />
      ))}
      {ids.map((id) => {
        const state = states.get(id)!;
        const { last, token } = pointers.get(id)!;
        const classes = [
          'site',
          state.up ? '' : 'down',
          isCritical(timeline, state) ? 'inside' : '',
          broken.has(id) ? 'broken' : '',
        ];
        const { x, y } = at(id);
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
            {!state.up && (
              <text className="note" y={radius + 16} textAnchor="middle">
                down
              </text>
            )}
            {isCritical(timeline, state) && (
              <text className="note" y={radius + 16} textAnchor="middle">
                inside
              </text>
            )}
            {token && <Token x={radius - 4} y={-radius + 5} />}
          </g>
        );
      })}
    </PanZoom>
  );
}

function FlyingLetter({
  letter,
  at,
  bend,
}: {
  letter: Moments['timeline']['letters'][number];
  at: (id: string) => Place;
  bend: number;
}) {
  const { source, target, message } = letter;
  const isToken = /^token$/i.test(message.type);
  const from = source === null ? { x: at(target).x - 60, y: at(target).y - 30 } : at(source);
  const to = at(target);
  const middle = control(from, to, bend, 0.5);
  return (
    <g className={isToken ? 'letter carrying' : 'letter'}>
      <path d={between(from, to, bend)} markerEnd={`url(#${isToken ? 'tip-tokenletter' : 'tip-letter'})`} />
      {isToken ? (
        <Token x={middle.x} y={middle.y} />
      ) : (
        <circle className="mail" cx={middle.x} cy={middle.y} r="4" />
      )}
      <text x={middle.x} y={middle.y - (isToken ? 13 : 8)} textAnchor="middle">
        {typedText(message)}
      </text>
    </g>
  );
}

/** How many letters between the same two sites are drawn before this one. */
function lane(moments: Moments, moment: number, index: number): number {
  const { letters } = moments.timeline;
  const { source, target } = letters[index]!;
  return moments
    .underWay(moment)
    .filter(
      (other) => other < index && letters[other]!.source === source && letters[other]!.target === target,
    ).length;
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
  const middle = control(from, to, bend * 2, 0.5);
  const start = rim(from, middle, 0);
  const end = rim(to, middle, 3);
  return `M${start.x} ${start.y} Q${middle.x} ${middle.y} ${end.x} ${end.y}`;
}

function control(from: Place, to: Place, bend: number, share: number): Place {
  const distance = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  return {
    x: from.x + (to.x - from.x) * share - ((to.y - from.y) / distance) * bend,
    y: from.y + (to.y - from.y) * share + ((to.x - from.x) / distance) * bend,
  };
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
