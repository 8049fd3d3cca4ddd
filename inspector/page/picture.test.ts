import { describe, expect, it } from 'vitest';
import { type Drawing, pictureText } from './picture.ts';

const colours = { surface: '#fff', text: '#000', muted: '#666' };
const drawing: Drawing = { width: 300, height: 100, svg: '<svg width="300" height="100"></svg>' };
const sizeOf = (svg: string) => /width="(\d+)" height="(\d+)" viewBox/.exec(svg)!.slice(1).map(Number);

describe('a saved picture', () => {
  it('has all of a long caption, in lines that are no wider than it', () => {
    const words = Array.from({ length: 60 }, (_, index) => `word${index}`);
    const svg = pictureText([drawing], [words.join(' '), 'the end'], colours);
    const [width, height] = sizeOf(svg) as [number, number];
    expect(width).toBe(480);
    const lines = [...svg.matchAll(/<text [^>]*y="(\d+)"[^>]*>([^<]*)</g)];
    expect(lines.map(([, , line]) => line).join(' ')).toBe(`${words.join(' ')} the end`);
    for (const [, y, line] of lines) {
      expect(line!.length * 6.6).toBeLessThan(width - 16);
      expect(Number(y)).toBeGreaterThan(100);
      expect(Number(y)).toBeLessThan(height);
    }
  });

  it('has its drawings side by side, or one below the other, each with its title', () => {
    expect(sizeOf(pictureText([drawing, drawing], [], colours))[0]).toBe(300 * 2 + 3 * 16);
    const titled = ['this run', 'beside'].map((title) => ({ ...drawing, title }));
    const svg = pictureText(titled, [], colours, 'down');
    expect(sizeOf(svg)[0]).toBe(480);
    expect(sizeOf(svg)[1]).toBeGreaterThan(2 * (100 + 18));
    expect(svg.indexOf('>this run<')).toBeLessThan(svg.indexOf('>beside<'));
  });

  it('takes no text for markup', () => {
    const evil = '<script>alert(1)</script>';
    const svg = pictureText([{ ...drawing, title: evil }], [evil], colours);
    expect(svg).not.toContain('<script');
    expect(svg.match(/&#60;script/g)).toHaveLength(2);
  });
});
