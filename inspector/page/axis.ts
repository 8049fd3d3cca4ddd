import type { Moments } from './moments.ts';

/** The places of moments on the time line: one unit for each step, or by their clocks. */
export interface Axis {
  readonly kind: 'steps' | 'time';
  /** From 0, the start, to the number of the last moment. Also defined between two moments. */
  at(moment: number): number;
  /** The last moment that lies at or before `place`. */
  momentAt(place: number): number;
}

export function stepAxis({ last }: Moments): Axis {
  return {
    kind: 'steps',
    at: (moment) => moment,
    momentAt: (place) => Math.min(last, Math.max(0, Math.floor(place))),
  };
}

export interface TimeAxis extends Axis {
  readonly kind: 'time';
  /** Milliseconds since 1970. */
  timeAt(place: number): number;
}

/**
 * Returns `null` if the steps have no times. Clocks of two sites may differ, so a moment is never placed
 * before the previous one.
 */
export function timeAxis({ timeline, last }: Moments): TimeAxis | null {
  const first = timeline.steps.find(({ at }) => at !== undefined)?.at;
  if (first === undefined) return null;
  const times = new Float64Array(last + 1).fill(first);
  for (const [index, { at }] of timeline.steps.entries()) {
    times[index + 1] = Math.max(times[index]!, at ?? times[index]!);
  }
  const length = Math.max(1, times[last]! - first);
  const unit = Math.max(1, last) / length;
  const place = (moment: number) => (times[moment]! - first) * unit;
  return {
    kind: 'time',
    at: (moment) => {
      const below = Math.min(last, Math.max(0, Math.floor(moment)));
      const above = Math.min(last, below + 1);
      return place(below) + (moment - below) * (above === below ? 1 : place(above) - place(below));
    },
    momentAt: (wanted) => {
      let low = 0;
      let high = last;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (place(middle) <= wanted) low = middle;
        else high = middle - 1;
      }
      return low;
    },
    timeAt: (wanted) => first + wanted / unit,
  };
}
