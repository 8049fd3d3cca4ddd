import { describe, expect, it } from 'vitest';
import { stepAxis } from './axis.ts';
import { everyStep } from './filter.ts';
import { Moments } from './moments.ts';
import type { Pen } from './pen.ts';
import { SvgPen } from './pen.ts';
import { type Pin, pinOf } from './pins.ts';
import { drawSequence } from './sequence-drawing.ts';
import { faint } from './sequence-messages.ts';
import type { Palette, View } from './sequence-sheet.ts';
import { longRun } from './testing/long-run.ts';

const colours: Palette = {
  text: '#000',
  muted: '#666',
  line: '#ddd',
  surface: '#fff',
  message: '#456',
  token: '#b70',
  inside: '#097',
  violated: '#c25',
  accent: '#07b',
};

function viewOf(moments: Moments): View {
  const size = { width: 1_200, height: 240, top: 0, gutter: 56, differsAt: null };
  return { ...size, from: 0, scale: 90, axis: stepAxis(moments), pins: [], filter: everyStep };
}

/** Number of strokes in the sequence chart of `steps` steps, at its middle. */
function strokes(steps: number, scale: number): number {
  let count = 0;
  const stroke = () => {
    count++;
  };
  const pen: Pen = { line: stroke, rect: stroke, circle: stroke, shape: stroke, text: stroke };
  const moments = new Moments(longRun(steps));
  const view = { ...viewOf(moments), from: steps / 2, scale };
  drawSequence(pen, moments, steps / 2, view, colours);
  return count;
}

describe('the sequence chart', () => {
  it('draws only the visible part, however long the run', () => {
    expect(strokes(200, 40)).toBeGreaterThan(50);
    expect(strokes(20_000, 40)).toBeLessThan(strokes(200, 40) * 1.2);
  });

  it('draws bands instead of arrows if a step has less than 4 pixels, at most as many as there are pixels', () => {
    const bands = strokes(20_000, 0.05);
    expect(bands).toBeGreaterThan(200);
    expect(bands).toBeLessThan(6_000);
    expect(strokes(4_000, 0.25)).toBeGreaterThan(bands / 1.2);
  });

  it('draws filtered-out steps faintly, and a lane for a pinned expression', () => {
    const moments = new Moments(longRun(10));
    const pen = new SvgPen();
    const pin = pinOf('b in client.inCS', ['a', 'b', 'c', 'd']) as Pin;
    const view = { ...viewOf(moments), filter: { ...everyStep, text: 'enters', site: 'b' }, pins: [pin] };
    drawSequence(pen, moments, 5, view, colours);
    const { svg } = pen.drawing(1_200, 240);
    expect(svg).toContain(`opacity="${faint}"`);
    expect(svg).toContain('>b in client.inCS</text>');
    expect(svg).toContain('>true</text>');
  });

  it('numbers the steps of a run whose first ones are no longer kept as they were numbered', () => {
    const moments = new Moments({ ...longRun(10), forgotten: 9_997 });
    const pen = new SvgPen();
    drawSequence(pen, moments, 5, { ...viewOf(moments), scale: 24 }, colours);
    const { svg } = pen.drawing(1_200, 240);
    const numbers = [...svg.matchAll(/y="12" [^>]*>(\d+)</g)].map(([, number]) => Number(number));
    // Every second step, and the one in view.
    expect(numbers).toEqual([9_998, 10_000, 10_002, 10_004, 10_006, 10_002]);
  });

  it('is an SVG in which no text of a run acts as markup', () => {
    const run = longRun(10);
    const evil = '<script>alert(1)</script>';
    const messages = run.messages.map((message) => ({ ...message, message: { type: evil } }));
    const pen = new SvgPen();
    const moments = new Moments({ ...run, messages });
    drawSequence(pen, moments, 5, viewOf(moments), colours);
    const { svg } = pen.drawing(1_200, 240);
    expect(svg).toContain('&#60;script');
    expect(svg).not.toContain('<script');
  });
});
