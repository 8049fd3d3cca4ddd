import { describe, expect, it } from 'vitest';
import { Moments } from './moments.ts';
import type { Pen } from './pen.ts';
import { SvgPen } from './pen.ts';
import { drawSequence } from './sequence-drawing.ts';
import type { Palette } from './sequence-sheet.ts';
import { longRun } from './testing/long-run.ts';

const colours: Palette = {
  text: '#000',
  muted: '#666',
  line: '#ddd',
  surface: '#fff',
  letter: '#456',
  token: '#b70',
  inside: '#097',
  violated: '#c25',
  accent: '#07b',
};

/** How many strokes the sequence chart of `steps` steps takes, at its middle. */
function strokes(steps: number, scale: number): number {
  let count = 0;
  const stroke = () => {
    count++;
  };
  const pen: Pen = { line: stroke, rect: stroke, circle: stroke, shape: stroke, text: stroke };
  const view = { width: 1_200, height: 240, from: steps / 2, scale, gutter: 56 };
  drawSequence(pen, new Moments(longRun(steps)), steps / 2, view, colours);
  return count;
}

describe('the sequence chart', () => {
  it('draws what is in view, however long the run', () => {
    expect(strokes(200, 40)).toBeGreaterThan(50);
    expect(strokes(20_000, 40)).toBeLessThan(strokes(200, 40) * 1.2);
  });

  it('is an SVG in which nothing of a run is markup', () => {
    const run = longRun(10);
    const evil = '<script>alert(1)</script>';
    const letters = run.letters.map((letter) => ({ ...letter, message: { type: evil } }));
    const pen = new SvgPen();
    const view = { width: 1_200, height: 240, from: 0, scale: 90, gutter: 56 };
    drawSequence(pen, new Moments({ ...run, letters }), 5, view, colours);
    const svg = pen.toString(1_200, 240, '#fff');
    expect(svg).toContain('&#60;script');
    expect(svg).not.toContain('<script');
  });
});
