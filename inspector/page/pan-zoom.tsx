import { select } from 'd3-selection';
import { type ZoomTransform, zoom, zoomIdentity } from 'd3-zoom';
import { type ReactNode, type RefObject, useEffect, useRef, useState } from 'react';

interface PanZoomProps {
  readonly label: string;
  /** The top left corner of the drawing, at scale 1. Default: 0. */
  readonly left?: number;
  readonly top?: number;
  /** Of the drawing, at scale 1. */
  readonly width: number;
  readonly height: number;
  readonly svg: RefObject<SVGSVGElement | null>;
  readonly className?: string;
  readonly children: ReactNode;
}

/** A drawing that fits its place, until somebody pans or zooms; a double click fits it again. */
export function PanZoom({ label, left = 0, top = 0, width, height, svg, className, children }: PanZoomProps) {
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [moved, setMoved] = useState<ZoomTransform | null>(null);
  const content = useRef<SVGGElement>(null);

  useEffect(() => {
    const element = svg.current!;
    const observer = new ResizeObserver(([entry]) => {
      const { width: wide, height: high } = entry!.contentRect;
      setSize({ width: wide, height: high });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [svg]);

  const fitted = scaledToFit(size, { width, height });
  const { k, x, y } = moved ?? fitted;

  useEffect(() => {
    const behaviour = zoom<SVGSVGElement, unknown>()
      .scaleExtent([0.15, 4])
      .filter((event: Event) => event.type !== 'dblclick' && !(event as MouseEvent).button)
      .on('zoom', ({ transform, sourceEvent }: { transform: ZoomTransform; sourceEvent: Event | null }) => {
        if (sourceEvent !== null) setMoved(transform);
      });
    const selection = select(svg.current!);
    selection.call(behaviour);
    // Panning goes on from where the drawing is.
    if (moved === null) {
      selection.call(behaviour.transform, zoomIdentity.translate(fitted.x, fitted.y).scale(fitted.k));
    }
    return () => {
      selection.on('.zoom', null);
    };
  }, [svg, fitted.x, fitted.y, fitted.k, moved]);

  return (
    <svg
      ref={svg}
      className={`drawing ${className ?? ''}`}
      role="img"
      aria-label={label}
      onDoubleClick={() => setMoved(null)}
    >
      <title>{label}</title>
      <g ref={content} transform={`translate(${x} ${y}) scale(${k})`}>
        <g transform={`translate(${-left} ${-top})`}>{children}</g>
      </g>
    </svg>
  );
}

function scaledToFit(outer: { width: number; height: number }, inner: { width: number; height: number }) {
  const k = Math.max(0.1, Math.min(1.25, outer.width / inner.width, outer.height / inner.height));
  return { k, x: (outer.width - inner.width * k) / 2, y: (outer.height - inner.height * k) / 2 };
}
