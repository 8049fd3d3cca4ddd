import type { Palette } from './sequence-sheet.ts';

/** A drawing as an SVG of its size. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly svg: string;
  /** A line above it. */
  readonly title?: string;
}

export const fontFamily = 'system-ui, sans-serif';
const gap = 16;
const lineHeight = 18;
const leastWidth = 480;
/** Width of a character at 12 px. */
const charWidth = 6.6;

/**
 * Drawings side by side or one below the other, each whole, with the lines of `caption` below. The result is an SVG that looks the
 * same anywhere.
 */
export function pictureText(
  drawings: readonly Drawing[],
  caption: readonly string[],
  colours: Pick<Palette, 'surface' | 'text' | 'muted'>,
  direction: 'across' | 'down' = 'across',
): string {
  const parts: string[] = [];
  const text = (line: string, y: number, fill: string, x = gap) =>
    parts.push(
      `<text x="${x}" y="${y}" font-family="${fontFamily}" font-size="12" fill="${fill}">${escaped(line)}</text>`,
    );
  let [left, top, right, bottom] = [gap, gap, 0, 0];
  for (const { width, height, svg, title } of drawings) {
    if (title !== undefined) text(title, top + 12, colours.text, left);
    const below = title === undefined ? top : top + lineHeight + 4;
    parts.push(`<g transform="translate(${left} ${below})">${svg}</g>`);
    right = Math.max(right, left + width + gap);
    bottom = Math.max(bottom, below + height + gap);
    if (direction === 'across') left = right;
    else top = bottom;
  }
  const width = Math.ceil(Math.max(right, leastWidth));
  const most = Math.floor((width - 2 * gap) / charWidth);
  let y = bottom;
  for (const [index, whole] of caption.entries()) {
    for (const line of wrapped(whole, most)) {
      y += lineHeight;
      text(line, y, index === 0 ? colours.text : colours.muted);
    }
  }
  const height = Math.ceil(y + gap);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><rect width="100%" height="100%" fill="${colours.surface}"/>${parts.join('')}</svg>`;
}

/** The words of a text in lines of at most `most` characters. A longer word has a line of its own. */
function wrapped(text: string, most: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > most) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** A text that no XML takes for markup. */
export function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}
