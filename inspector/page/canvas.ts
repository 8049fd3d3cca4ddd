import type { Palette } from './sequence-sheet.ts';

/** Sets the canvas to the size of its place, in pixels of the screen. */
export function resized(element: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const ratio = window.devicePixelRatio;
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  const context = element.getContext('2d')!;
  if (element.width !== wide || element.height !== high) {
    element.width = wide;
    element.height = high;
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.globalAlpha = 1;
  context.clearRect(0, 0, width, height);
  return context;
}

const known = new Map<string | undefined, Palette>();

/** The colours of the theme. They are read once: each reading makes the browser compute the styles of the page. */
export function paletteOf(element: Element): Palette {
  const theme = document.documentElement.dataset['theme'];
  const before = known.get(theme);
  if (before !== undefined) return before;
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const palette = {
    text: colour('text'),
    muted: colour('muted'),
    line: colour('line'),
    surface: colour('surface'),
    message: colour('message'),
    token: colour('token-strong'),
    inside: colour('inside'),
    violated: colour('violated'),
    accent: colour('accent'),
  };
  known.set(theme, palette);
  return palette;
}
