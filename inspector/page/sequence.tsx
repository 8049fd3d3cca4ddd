import { type RefObject, useEffect, useRef, useState } from 'react';
import type { Moments } from './moments.ts';
import { canvasPen, SvgPen } from './pen.ts';
import { drawSequence } from './sequence-drawing.ts';
import { gutterOf, type Palette, type View } from './sequence-sheet.ts';

interface SequenceProps {
  readonly moments: Moments;
  readonly moment: number;
  readonly theme: string;
  /** Pixels for each moment. */
  readonly scale: number;
  readonly onScale: (scale: number) => void;
  readonly onMoment: (moment: number) => void;
  /** Gives the drawing as SVG, for a file. */
  readonly picture: RefObject<(() => string) | null>;
}

/** The sequence chart, on a canvas: what is in view is drawn anew at every change, whatever the run's length. */
export function Sequence({ moments, moment, theme, scale, onScale, onMoment, picture }: SequenceProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [pannedTo, setPannedTo] = useState<number | null>(null);

  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => {
      const { width, height } = entry!.contentRect;
      setSize({ width, height });
    });
    observer.observe(canvas.current!.parentElement!);
    return () => observer.disconnect();
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: whoever goes to another moment wants to see it
  useEffect(() => setPannedTo(null), [moment, moments]);

  const gutter = gutterOf(moments);
  const room = Math.max(1, size.width - gutter - 40);
  const shown = room / scale;
  const following =
    moments.last <= shown ? -0.4 : Math.min(Math.max(moment - shown * 0.6, -0.4), moments.last - shown + 0.8);
  const from = pannedTo ?? following;
  const view: View = { ...size, from, scale, gutter };

  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme changes the colours that are read
  useEffect(() => {
    const element = canvas.current!;
    const ratio = window.devicePixelRatio;
    element.width = Math.round(size.width * ratio);
    element.height = Math.round(size.height * ratio);
    const context = element.getContext('2d')!;
    context.scale(ratio, ratio);
    drawSequence(canvasPen(context), moments, moment, { ...size, from, scale, gutter }, paletteOf(element));
  }, [moments, moment, size, from, scale, gutter, theme]);

  picture.current = () => {
    const pen = new SvgPen();
    const colours = paletteOf(canvas.current!);
    drawSequence(pen, moments, moment, view, colours);
    return pen.toString(size.width, size.height, colours.surface);
  };

  useEffect(() => {
    const element = canvas.current!;
    const turned = (event: WheelEvent) => {
      event.preventDefault();
      if (event.ctrlKey || event.metaKey) onScale(scale * Math.exp(-event.deltaY / 300));
      else {
        const by = (Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : event.deltaY) / scale;
        setPannedTo(Math.min(Math.max(from + by, -0.4), Math.max(-0.4, moments.last - shown + 0.8)));
      }
    };
    element.addEventListener('wheel', turned, { passive: false });
    return () => element.removeEventListener('wheel', turned);
  }, [from, scale, shown, moments, onScale]);

  const pick = (event: React.PointerEvent<HTMLCanvasElement>) => {
    if (event.type === 'pointermove' && event.buttons !== 1) return;
    const x = event.clientX - event.currentTarget.getBoundingClientRect().left;
    onMoment(Math.min(moments.last, Math.max(0, Math.round(from + (x - gutter) / scale))));
  };

  const { sites, steps } = moments.timeline;
  return (
    <canvas
      ref={canvas}
      className="sequence"
      role="img"
      aria-label={`Sequence chart of ${sites.map(({ id }) => id).join(', ')}: ${steps.length} steps, at step ${moment}`}
      onPointerDown={pick}
      onPointerMove={pick}
    />
  );
}

function paletteOf(element: Element): Palette {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    text: colour('text'),
    muted: colour('muted'),
    line: colour('line'),
    surface: colour('surface'),
    letter: colour('letter'),
    token: colour('token-strong'),
    inside: colour('inside'),
    violated: colour('violated'),
    accent: colour('accent'),
  };
}
