import { type RefObject, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { stepAxis, timeAxis } from './axis.ts';
import { paletteOf, resized } from './canvas.ts';
import type { Filter } from './filter.ts';
import { Minimap } from './minimap.tsx';
import type { Moments } from './moments.ts';
import { useSize } from './pan-zoom.tsx';
import { canvasPen, SvgPen } from './pen.ts';
import type { Drawing } from './picture.ts';
import type { Pin } from './pins.ts';
import { badgeWidth, drawSequence, pictureWidth } from './sequence-drawing.ts';
import { leastHeight, leastLane, margin, type View } from './sequence-sheet.ts';

interface SequenceProps {
  readonly moments: Moments;
  readonly moment: number;
  readonly theme: string;
  /** Pixels per unit of the axis, at least so many that the whole run fills the view. `null`: fit a short run into the view. */
  readonly scale: number | null;
  /** Number of steps to fit: those of the longer one of two runs. */
  readonly fits: number;
  /** Room for names at the left: that of both of two runs, so that equal steps stand below each other. */
  readonly gutter: number;
  readonly isTimed: boolean;
  /** Excluded steps are drawn faintly. */
  readonly filter: Filter;
  /** Drawn as lanes below the sites. */
  readonly pins: readonly Pin[];
  /** The first moment at which the run beside this one differs. */
  readonly differsAt: number | null;
  readonly onScale: (scale: number) => void;
  readonly onMoment: (moment: number) => void;
  /** Returns the drawing, for a file. */
  readonly picture: RefObject<(() => Drawing) | null>;
  /** The scale at which it is drawn. */
  readonly drawnAt: RefObject<number>;
}

const usual = 72;
/** A run that fits at this scale is shown whole. */
const narrowest = 40;
const widest = 130;
/** A run of fewer steps needs no map. */
const leastMapped = 40;

/** The sequence chart on a canvas. At every change the visible part is redrawn, whatever the run's length. */
export function Sequence(props: SequenceProps) {
  const { moments, moment, theme, fits, gutter, isTimed, filter, pins, differsAt } = props;
  const { onScale, onMoment, picture, drawnAt } = props;
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const size = useSize(frame);
  const [pannedTo, setPannedTo] = useState<number | null>(null);
  const [scrolled, setScrolled] = useState(0);
  const axis = useMemo(() => (isTimed ? timeAxis(moments) : null) ?? stepAxis(moments), [moments, isTimed]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another moment must come into view
  useLayoutEffect(() => setPannedTo(null), [moment, moments, axis.kind]);

  const room = Math.max(1, size.width - gutter - 40);
  const fitting = room / (fits + 1);
  const scale =
    props.scale === null
      ? fitting < narrowest
        ? usual
        : Math.min(widest, fitting)
      : Math.max(props.scale, Math.min(usual, fitting));
  drawnAt.current = scale;
  const shown = room / scale;
  const here = axis.at(moment);
  const end = axis.at(moments.last);
  const following = end <= shown ? -0.4 : Math.min(Math.max(here - shown * 0.6, -0.4), end - shown + 0.8);
  const from = pannedTo ?? following;
  const height = Math.max(size.height, leastHeight(moments, pins));
  const isTall = height > size.height;
  const top = Math.min(scrolled, height - size.height);
  const view: View = useMemo(
    () => ({ width: size.width, height, top, from, scale, gutter, axis, pins, filter, differsAt }),
    [size.width, height, top, from, scale, gutter, axis, pins, filter, differsAt],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme changes the colours that are read
  useLayoutEffect(() => {
    const element = canvas.current!;
    const context = resized(element, size.width, size.height);
    context.translate(0, -view.top);
    // The cursor is an element of its own: when it alone moves, nothing is drawn.
    drawSequence(canvasPen(context), moments, null, view, paletteOf(element));
  }, [moments, view, size, theme]);

  const mover = moment === 0 ? undefined : moments.timeline.steps[moment - 1]!.site;
  useEffect(() => {
    const lane = moments.timeline.sites.findIndex(({ id }) => id === mover);
    if (!isTall || lane < 0) return;
    const element = frame.current!;
    const below = lane * leastLane;
    const least = below + leastLane + margin.top - size.height;
    if (element.scrollTop > below || element.scrollTop < least)
      element.scrollTop = Math.max(0, below - (size.height - margin.top - leastLane) / 2);
  }, [mover, isTall, moments, size.height]);

  picture.current = () => {
    const pen = new SvgPen();
    const colours = paletteOf(canvas.current!);
    drawSequence(pen, moments, moment, { ...view, top: 0 }, colours);
    return pen.drawing(Math.min(size.width, pictureWidth(moments, view)), height);
  };

  const pan = (to: number) => setPannedTo(Math.min(Math.max(to, -0.4), Math.max(-0.4, end - shown + 0.8)));
  useEffect(() => {
    const element = canvas.current!;
    const turned = (event: WheelEvent) => {
      const { deltaX, deltaY } = event;
      const isZoom = event.ctrlKey || event.metaKey;
      const isAcross = Math.abs(deltaX) > Math.abs(deltaY);
      // Lines out of view are scrolled to.
      if (isTall && !isZoom && !isAcross) return;
      event.preventDefault();
      if (isZoom) onScale(scale * Math.exp(-deltaY / 300));
      else pan(from + (isAcross ? deltaX : deltaY) / scale);
    };
    element.addEventListener('wheel', turned, { passive: false });
    return () => element.removeEventListener('wheel', turned);
  });

  const cursor = gutter + (here - from) * scale;
  const pick = (event: React.PointerEvent<HTMLCanvasElement>) => {
    if (event.type === 'pointermove' && event.buttons !== 1) return;
    const x = event.clientX - event.currentTarget.getBoundingClientRect().left;
    const place = from + (x - gutter) / scale;
    const before = axis.momentAt(place);
    const after = Math.min(moments.last, before + 1);
    onMoment(axis.at(after) - place < place - axis.at(before) ? after : before);
  };

  const { sites, steps } = moments.timeline;
  return (
    <div className="sequence-frame">
      <div
        className="sequence-canvas"
        ref={frame}
        onScroll={({ currentTarget }) => setScrolled(currentTarget.scrollTop)}
      >
        <div style={{ height }}>
          <div className="sequence-view" style={{ height: size.height }}>
            <canvas
              ref={canvas}
              className="sequence"
              role="img"
              tabIndex={0}
              data-gutter={gutter}
              aria-label={`Sequence chart of ${sites.map(({ id }) => id).join(', ')}: ${steps.length} steps, at step ${moments.numberOf(moment)}`}
              onPointerDown={pick}
              onPointerMove={pick}
            />
            <i
              className="cursor"
              hidden={cursor < gutter - 8}
              style={{ transform: `translateX(${cursor}px)` }}
            >
              <b style={{ width: badgeWidth(moments.numberOf(moment)) }}>{moments.numberOf(moment)}</b>
            </i>
          </div>
        </div>
      </div>
      {moments.last >= leastMapped && (
        <Minimap
          moments={moments}
          axis={axis}
          moment={moment}
          from={from}
          shown={shown}
          theme={theme}
          onMoment={onMoment}
          onRange={(begin, length) => {
            onScale(room / length);
            setPannedTo(begin);
          }}
        />
      )}
    </div>
  );
}
