import { select } from 'd3-selection';
import { type ZoomTransform, zoom, zoomIdentity } from 'd3-zoom';
import { type KeyboardEvent, type ReactNode, type RefObject, useEffect, useRef, useState } from 'react';
import type { Box } from '../protocol.ts';

interface Size {
  readonly width: number;
  readonly height: number;
}

interface PanZoomProps extends Size {
  readonly label: string;
  /** The top left corner of the drawing, at scale 1. Default: 0. */
  readonly left?: number;
  readonly top?: number;
  /** A drawing that does not fit at this scale is not made smaller. A part of it is shown. */
  readonly leastScale: number;
  /** The part of the drawing to show if not all of it fits. Default: its top left corner. */
  readonly focus?: Box | null;
  readonly svg: RefObject<SVGSVGElement | null>;
  readonly className?: string;
  /** Further keys, for a drawing that has the focus of the keyboard. */
  readonly keys?: Readonly<Record<string, () => void>>;
  readonly onBlur?: () => void;
  readonly children: ReactNode;
}

const [smallest, largest] = [0.15, 4];
const largestFit = 1.25;
const zoomBy = 1.3;
const panPx = 60;

/** A drawing that fits its place at a readable scale, until the user pans or zooms. */
export function PanZoom(props: PanZoomProps) {
  const {
    label,
    left = 0,
    top = 0,
    width,
    height,
    leastScale,
    focus = null,
    svg,
    className,
    onBlur,
    children,
  } = props;
  const size = useSize(svg);
  const [moved, setMoved] = useState<ZoomTransform | null>(null);
  const place = fitted(size, { width, height }, leastScale, focus, left, top);
  const { k, x, y } = moved ?? place;

  useEffect(() => {
    const behaviour = zoom<SVGSVGElement, unknown>()
      .scaleExtent([smallest, largest])
      // Its own way of asking makes the browser lay out the page.
      .extent([
        [0, 0],
        [size.width, size.height],
      ])
      .filter((event: Event) => event.type !== 'dblclick' && !(event as MouseEvent).button)
      .on('zoom', ({ transform, sourceEvent }: { transform: ZoomTransform; sourceEvent: Event | null }) => {
        if (sourceEvent !== null) setMoved(transform);
      });
    const selection = select(svg.current!);
    selection.call(behaviour);
    return () => {
      selection.on('.zoom', null);
    };
  }, [svg, size]);
  useEffect(() => {
    // Panning goes on from where the drawing is: d3-zoom keeps that there.
    Object.assign(svg.current!, { __zoom: zoomIdentity.translate(x, y).scale(k) });
  }, [svg, x, y, k]);

  /** Zooms around the centre of the place. */
  const zoomed = (by: number) => {
    const to = Math.min(largest, Math.max(smallest, k * by));
    const [middle, centre] = [size.width / 2, size.height / 2];
    const at = zoomIdentity.translate(middle - ((middle - x) * to) / k, centre - ((centre - y) * to) / k);
    setMoved(at.scale(to));
  };
  const pan = (right: number, down: number) => setMoved(zoomIdentity.translate(x + right, y + down).scale(k));
  const keys: Readonly<Record<string, () => void>> = {
    ...props.keys,
    ArrowLeft: () => pan(panPx, 0),
    ArrowRight: () => pan(-panPx, 0),
    ArrowUp: () => pan(0, panPx),
    ArrowDown: () => pan(0, -panPx),
    '+': () => zoomed(zoomBy),
    '-': () => zoomed(1 / zoomBy),
    '0': () => setMoved(null),
  };
  const pressed = (event: KeyboardEvent<SVGSVGElement>) => {
    // A clicked drawing leaves the keys to the time line.
    if (!event.currentTarget.matches(':focus-visible')) return;
    const act = Object.hasOwn(keys, event.key) ? keys[event.key] : undefined;
    if (act === undefined) return;
    act();
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <>
      <svg
        ref={svg}
        className={`drawing ${className ?? ''}`}
        role="img"
        aria-label={label}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it is panned and zoomed with keys
        tabIndex={0}
        data-scale={k.toFixed(3)}
        onKeyDown={pressed}
        onBlur={onBlur}
        onDoubleClick={() => setMoved(null)}
      >
        <title>{label}</title>
        <g className="content" transform={`translate(${x} ${y}) scale(${k})`}>
          <g transform={`translate(${-left} ${-top})`}>{children}</g>
        </g>
      </svg>
      <div className="zoom">
        <button type="button" aria-label="Smaller" title="Smaller (−)" onClick={() => zoomed(1 / zoomBy)}>
          −
        </button>
        <button
          type="button"
          aria-label="Fit"
          title="Fit (0, or a double click)"
          onClick={() => setMoved(null)}
        >
          ⤢
        </button>
        <button type="button" aria-label="Larger" title="Larger (+)" onClick={() => zoomed(zoomBy)}>
          +
        </button>
      </div>
    </>
  );
}

/** The size of an element, kept up to date. */
export function useSize(element: RefObject<Element | null>): Size {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  const kept = useRef(element);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => {
      const { width, height } = entry!.contentRect;
      setSize({ width, height });
    });
    observer.observe(kept.current.current!);
    return () => observer.disconnect();
  }, []);
  return size;
}

function fitted(
  outer: Size,
  inner: Size,
  least: number,
  focus: Box | null,
  left: number,
  top: number,
): { readonly k: number; readonly x: number; readonly y: number } {
  const fits = Math.min(outer.width / inner.width, outer.height / inner.height);
  const k = Math.max(least, Math.min(largestFit, fits));
  const along = (room: number, length: number, middle: number) =>
    length * k <= room
      ? (room - length * k) / 2
      : Math.min(0, Math.max(room - length * k, room / 2 - middle * k));
  return {
    k,
    x: along(outer.width, inner.width, focus === null ? 0 : focus.x + focus.width / 2 - left),
    y: along(outer.height, inner.height, focus === null ? 0 : focus.y + focus.height / 2 - top),
  };
}
