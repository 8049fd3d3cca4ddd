export interface Place {
  readonly x: number;
  readonly y: number;
}

const column = { widest: 88, narrowest: 46 };
const row = { highest: 84, lowest: 40 };
/** Room at both sides of the outer discs, and above and below them. */
export const around = { sides: 38, ends: 52 };

/**
 * A place for each site: in its own column, at its distance from the root. Columns and rows share the room. Every second
 * column is lower, so that a straight arrow past a neighbour has room, and narrow columns do not overlap.
 */
export function columnsOf(
  depths: readonly number[],
  room: { readonly width: number; readonly height: number },
): readonly Place[] {
  const shared = (room.width - 2 * around.sides) / Math.max(1, depths.length - 1);
  const wide = Math.min(column.widest, Math.max(column.narrowest, shared));
  const stagger = 34 + 0.3 * (column.widest - wide);
  const sharedDown = (room.height - 2 * around.ends - stagger) / Math.max(1, ...depths);
  const high = Math.min(row.highest, Math.max(row.lowest, sharedDown));
  return depths.map((depth, index) => ({
    x: around.sides + index * wide,
    y: around.ends + depth * high + (index % 2) * stagger,
  }));
}

/** Least distance between an arrow and a disc, in pixels. */
const clearance = 5;
const samples = 24;
const stepPx = 12;
const mostSteps = 30;

/**
 * The bend at which an arrow passes every disc in `others`. It is the nearest to `usual` that does, or the
 * one with the largest clearance.
 */
export function bendPast(
  from: Place,
  to: Place,
  others: readonly Place[],
  radius: number,
  usual: number,
): number {
  const wanted = radius + clearance;
  let best = usual;
  let most = Number.NEGATIVE_INFINITY;
  for (let step = 0; step <= mostSteps; step++) {
    for (const bend of step === 0 ? [usual] : [usual + step * stepPx, usual - step * stepPx]) {
      const distance = nearest(from, to, bend, others);
      if (distance >= wanted) return bend;
      if (distance <= most) continue;
      best = bend;
      most = distance;
    }
  }
  return best;
}

/** The distance from the arrow to the centre of the nearest disc. */
function nearest(from: Place, to: Place, bend: number, others: readonly Place[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (let sample = 1; sample < samples; sample++) {
    const { x, y } = onCurve(from, to, bend, sample / samples);
    for (const other of others) least = Math.min(least, Math.hypot(other.x - x, other.y - y));
  }
  return least;
}

/** A place on the arrow from centre to centre. `share` is the fraction of the way, from 0 to 1. */
export function onCurve(from: Place, to: Place, bend: number, share: number): Place {
  const { x, y } = control(from, to, 2 * bend);
  const [a, b, c] = [(1 - share) ** 2, 2 * share * (1 - share), share ** 2];
  return { x: a * from.x + b * x + c * to.x, y: a * from.y + b * y + c * to.y };
}

/** A place beside the middle of the straight line. */
export function control(from: Place, to: Place, bend: number): Place {
  const distance = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  return {
    x: (from.x + to.x) / 2 - ((to.y - from.y) / distance) * bend,
    y: (from.y + to.y) / 2 + ((to.x - from.x) / distance) * bend,
  };
}
