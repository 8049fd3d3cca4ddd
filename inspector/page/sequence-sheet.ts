import type { Moments } from './moments.ts';
import type { Pen } from './pen.ts';

export interface Palette {
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly surface: string;
  readonly letter: string;
  readonly token: string;
  readonly inside: string;
  readonly violated: string;
  readonly accent: string;
}

/** Which part of the time is seen: the moment at the left edge, and pixels for each moment. */
export interface View {
  readonly width: number;
  readonly height: number;
  readonly from: number;
  readonly scale: number;
  /** Room for the names of the sites, at the left. */
  readonly gutter: number;
}

/** As wide as the longest name needs. */
export function gutterOf({ timeline }: Moments): number {
  const longest = Math.max(...timeline.sites.map(({ id }) => id.length));
  return Math.min(180, Math.max(56, longest * 8 + 30));
}

/** Room above and below the lines of the sites. */
export const margin = { top: 26, bottom: 12 };

/** What a part of the sequence chart is drawn on: where its moments and its sites are. */
export class Sheet {
  readonly pen: Pen;
  readonly moments: Moments;
  readonly view: View;
  readonly colours: Palette;
  /** The moments that are in view, and one more at either side. */
  readonly first: number;
  readonly last: number;
  /** Where the line of each site is, from the top. */
  readonly lanes: ReadonlyMap<string, number>;

  constructor(pen: Pen, moments: Moments, view: View, colours: Palette) {
    const { width, height, from, scale, gutter } = view;
    const { sites } = moments.timeline;
    this.pen = pen;
    this.moments = moments;
    this.view = view;
    this.colours = colours;
    this.first = Math.max(0, Math.floor(from - 1));
    this.last = Math.min(moments.last, Math.ceil(from + (width - gutter) / scale));
    const room = (height - margin.top - margin.bottom) / sites.length;
    this.lanes = new Map(sites.map(({ id }, index) => [id, margin.top + room * (index + 0.5)]));
  }

  x(moment: number): number {
    const { from, scale, gutter } = this.view;
    return gutter + (moment - from) * scale;
  }
}
