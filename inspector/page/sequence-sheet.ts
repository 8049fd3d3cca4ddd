import type { Axis } from './axis.ts';
import type { Filter } from './filter.ts';
import type { Moments } from './moments.ts';
import type { Pen } from './pen.ts';
import type { Pin } from './pins.ts';

export interface Palette {
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly surface: string;
  readonly message: string;
  readonly token: string;
  readonly inside: string;
  readonly violated: string;
  readonly accent: string;
}

/** The part of the time in view: the place at the left edge, and pixels per unit of the axis. */
export interface View {
  readonly width: number;
  /** Height of all lines, of which a part may be in view. */
  readonly height: number;
  /** The part of the height above the view: the numbers of the steps stand below it. */
  readonly top: number;
  readonly from: number;
  readonly scale: number;
  /** Room for the names of the sites, at the left. */
  readonly gutter: number;
  readonly axis: Axis;
  readonly pins: readonly Pin[];
  readonly filter: Filter;
  /** The first moment at which the run beside this one differs. `null`: there is none. */
  readonly differsAt: number | null;
}

/** Width of the longest name. */
export function gutterOf({ timeline }: Moments, pins: readonly Pin[]): number {
  const longest = Math.max(
    ...timeline.sites.map(({ id }) => id.length * 8),
    ...pins.map(({ text }) => text.length * 6.4),
  );
  return Math.min(180, Math.max(56, longest + 30));
}

/** Room above and below the lines of the sites. */
export const margin = { top: 26, bottom: 12 };
const pinHeight = 24;
/** Distance of two lines at which the names of their sites and steps do not cover each other. */
export const leastLane = 28;

/** The least height at which every line has room. */
export function leastHeight({ timeline }: Moments, pins: readonly Pin[]): number {
  return margin.top + margin.bottom + timeline.sites.length * leastLane + pins.length * pinHeight;
}

/** The area of a part of the sequence chart, with the coordinates of its moments and sites. */
export class Sheet {
  readonly pen: Pen;
  readonly moments: Moments;
  readonly view: View;
  readonly colours: Palette;
  /** The moments that are in view, and one more at either side. */
  readonly first: number;
  readonly last: number;
  /** Pixels per moment, on average. */
  readonly spacing: number;
  /** Distance of each site's line from the top. */
  readonly lanes: ReadonlyMap<string, number>;
  /** Distance of each pinned expression's line from the top. */
  readonly pinLanes: readonly number[];

  constructor(pen: Pen, moments: Moments, view: View, colours: Palette) {
    const { width, height, from, scale, gutter, axis, pins } = view;
    const { sites } = moments.timeline;
    this.pen = pen;
    this.moments = moments;
    this.view = view;
    this.colours = colours;
    this.first = Math.max(0, axis.momentAt(from) - 1);
    this.last = Math.min(moments.last, axis.momentAt(from + (width - gutter) / scale) + 1);
    const shown = Math.max(1, axis.at(this.last) - axis.at(this.first));
    this.spacing = (shown * scale) / Math.max(1, this.last - this.first);
    const pinned = pins.length * pinHeight;
    const room = (height - margin.top - margin.bottom - pinned) / sites.length;
    this.lanes = new Map(sites.map(({ id }, index) => [id, margin.top + room * (index + 0.5)]));
    this.pinLanes = pins.map((_, index) => height - margin.bottom - pinned + pinHeight * (index + 0.5));
  }

  x(moment: number): number {
    const { from, scale, gutter, axis } = this.view;
    return gutter + (axis.at(moment) - from) * scale;
  }
}
