import { useEffect, useMemo, useRef, useState } from 'react';
import type { Axis } from './axis.ts';
import { paletteOf, resized } from './canvas.ts';
import { Density } from './density.ts';
import type { Moments } from './moments.ts';
import { useSize } from './pan-zoom.tsx';
import { canvasPen } from './pen.ts';
import { contextOf } from './values.ts';

interface MinimapProps {
  readonly moments: Moments;
  readonly axis: Axis;
  readonly moment: number;
  /** The part of the axis that is in view. */
  readonly from: number;
  readonly shown: number;
  readonly theme: string;
  readonly onMoment: (moment: number) => void;
  /** Called with the part over which the pointer was dragged. */
  readonly onRange: (from: number, length: number) => void;
}

const leastDragPx = 6;
const leastLanePx = 4;

/**
 * The whole run in one strip: a lane for each site, the darker the more it does, and in green where it is in its
 * critical section; violations, new epochs, gaps. A click goes there, and dragging zooms.
 */
export function Minimap({ moments, axis, moment, from, shown, theme, onMoment, onRange }: MinimapProps) {
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height } = useSize(frame);
  const [drag, setDrag] = useState<readonly [number, number] | null>(null);
  const end = Math.max(1, axis.at(moments.last));
  const marks = useMemo(() => marksOf(moments), [moments]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme changes the colours that are read
  useEffect(() => {
    const element = canvas.current!;
    const pen = canvasPen(resized(element, width, height));
    const colours = paletteOf(element);
    const x = (at: number) => (axis.at(at) / end) * width;
    const density = Density.of(moments);
    const ids = moments.timeline.sites.map(({ id }) => id);
    // As many sites to a lane as it takes for a lane to be seen.
    const perLane = Math.ceil((ids.length * leastLanePx) / Math.max(leastLanePx, height));
    const lanes = Math.ceil(ids.length / perLane);
    const [columnPx, laneHigh] = [Math.max(2, width / (end + 1)), height / lanes];
    for (let lane = 0; lane < lanes; lane++) {
      const sites = ids.slice(lane * perLane, (lane + 1) * perLane);
      const columns = Array.from({ length: Math.ceil(width / columnPx) }, (_, column) => {
        const begin = axis.momentAt(((column * columnPx) / width) * end);
        const until = Math.max(begin + 1, axis.momentAt((((column + 1) * columnPx) / width) * end));
        const counts = sites.map((id) => density.in(id, begin + 1, until + 1));
        const sum = (kind: 'steps' | 'inside' | 'unseen') => counts.reduce((all, one) => all + one[kind], 0);
        return {
          steps: sum('steps'),
          inside: Math.min(1, sum('inside') / (until - begin)),
          unseen: sum('unseen') > 0,
        };
      });
      const most = Math.max(1, ...columns.map(({ steps }) => steps));
      const [top, high] = [lane * laneHigh + 0.5, laneHigh - 1];
      for (const [column, { steps, inside, unseen }] of columns.entries()) {
        const x = column * columnPx;
        if (unseen) pen.rect(x, top, columnPx, high, { fill: colours.muted, alpha: 0.3 });
        else if (steps > 0)
          pen.rect(x, top, columnPx, high, { fill: colours.message, alpha: 0.15 + (0.35 * steps) / most });
        if (inside > 0)
          pen.rect(x, top, columnPx, high, { fill: colours.inside, alpha: 0.25 + 0.75 * inside });
      }
    }
    for (const at of marks.epochs) {
      pen.line([x(at), 0, x(at), height], { stroke: colours.accent, width: 1, dash: [2, 2] });
    }
    for (const at of marks.violations) pen.rect(x(at) - 1, 0, 2, height, { fill: colours.violated });
  }, [moments, axis, end, width, height, marks, theme]);

  const placeOf = (event: React.PointerEvent) =>
    Math.min(width, Math.max(0, event.clientX - frame.current!.getBoundingClientRect().left));
  const done = () => {
    if (drag === null) return;
    const [begin, until] = drag.toSorted((one, other) => one - other) as [number, number];
    setDrag(null);
    if (until - begin < leastDragPx) onMoment(axis.momentAt((begin / width) * end));
    else onRange((begin / width) * end, ((until - begin) / width) * end);
  };
  const percent = (share: number) => `${Math.max(0, Math.min(1, share)) * 100}%`;
  const inView = {
    left: percent(from / end),
    width: percent(Math.min(shown, end - Math.max(0, from)) / end),
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the slider below does the same for the keyboard
    <div
      className="minimap"
      ref={frame}
      title="The whole run. Click to go there, drag to zoom in."
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        setDrag([placeOf(event), placeOf(event)]);
      }}
      onPointerMove={(event) => drag !== null && setDrag([drag[0], placeOf(event)])}
      onPointerUp={done}
      onPointerCancel={() => setDrag(null)}
      onDoubleClick={() => onRange(-0.4, end + 1)}
    >
      <canvas ref={canvas} />
      <i className="in-view" style={inView} />
      <i className="here" style={{ left: percent(axis.at(moment) / end) }} />
      {drag !== null && (
        <i className="dragged" style={{ left: Math.min(...drag), width: Math.abs(drag[1] - drag[0]) }} />
      )}
    </div>
  );
}

/** Moments at which a property is first violated, and at which a site first follows a new epoch. */
function marksOf(moments: Moments): {
  readonly violations: readonly number[];
  readonly epochs: readonly number[];
} {
  const { properties, sites } = moments.timeline;
  const epochs = new Map<number, number>();
  for (const { id } of sites) {
    const history = moments.siteHistory(id);
    let before: unknown;
    for (const [index, state] of history.values.entries()) {
      const { epoch } = contextOf(state);
      if (typeof epoch === 'number' && epoch !== before && index > 0) {
        epochs.set(epoch, Math.min(epochs.get(epoch) ?? Number.POSITIVE_INFINITY, history.moments[index]!));
      }
      before = epoch;
    }
  }
  return {
    violations: properties.flatMap((_, index) => moments.brokenSince(index) ?? []),
    epochs: [...epochs.values()],
  };
}
