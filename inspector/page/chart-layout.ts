import type { Chart, ChartState } from '../../verification/timeline/format.ts';
import type { Box, ChartPart, ChartPlan, LaidOut, PlacedArrow, PlacedState, Point } from '../protocol.ts';

/** A statechart with coordinates: all in one coordinate system, in pixels at scale 1. */
export interface ChartLayout extends LaidOut {
  /** Regions that are folded to their title, by id. */
  readonly folded: ReadonlySet<string>;
  /** Without the names of events, and with smaller names of states. */
  readonly isBare: boolean;
}

interface Room {
  readonly width: number;
  readonly height: number;
}

/** The room between regions, and the title of a folded one, of a drawing with the names of events and of one without. */
const whole = { gap: 10, folded: { height: 30, letter: 8, beside: 46 } };
const bare = { gap: 5, folded: { height: 20, letter: 6.8, beside: 36 } };
type Sizes = typeof whole;

/**
 * With more regions than this, all are laid out in the same direction, because there are too many
 * combinations.
 */
const mostCombined = 5;
/** At this scale the smallest text, of 11.5 px, is 11 px high. */
export const leastScale = 11 / 11.5;
export const largestScale = 1.25;

/** The chart as it is drawn in `room`: without the names of events if it fits only so. `null`: it does not fit at all. */
export function fittedIn(
  plan: ChartPlan,
  chart: Chart,
  room: Room,
  folded: ReadonlySet<string>,
): ChartLayout | null {
  const fits = (layout: ChartLayout) => scaleIn(room, layout) >= leastScale;
  return [false, true].map((isBare) => arrangedIn(plan, chart, room, folded, isBare)).find(fits) ?? null;
}

/**
 * The arrangement of the regions that is drawn largest in `room`, or the one that needs the least scrolling.
 */
export function arrangedIn(
  { header: texts, parts }: ChartPlan,
  chart: Chart,
  room: Room,
  folded: ReadonlySet<string>,
  isBare = false,
): ChartLayout {
  const waysOf = (part: ChartPart) => (isBare ? part.bare : part.ways);
  if (texts === null) return { ...best(waysOf(parts[0]!), room), folded, isBare };
  const sizes = isBare ? bare : whole;
  const { gap } = sizes;
  // A drawing without the names of events stands below the name of its site, and needs no other title.
  const header = isBare ? { height: gap, lines: [] } : texts;
  const open = parts.filter(({ id }) => !folded.has(id)).map(waysOf);
  const titles = parts.filter(({ id }) => folded.has(id)).map(({ id }) => titleOnly(id, chart, sizes));
  const rows = inRows(titles, room.width / leastScale - gap, gap);
  const below = rows.length * (sizes.folded.height + gap);
  const isMany = open.length > mostCombined;
  const uniform = [0, 1].map((way) => open.map((both) => both[way]!));
  const choices = (isMany ? uniform : combinations(open)).flatMap((regions) =>
    groupings(regions, isMany).flatMap((groups) => [
      arranged(groups, true, header.height, gap),
      arranged(groups, false, header.height, gap),
    ]),
  );
  const chosen = best(choices, { width: room.width, height: Math.max(1, room.height - below) });
  const width = Math.max(chosen.width, ...rows.map((row) => lengthOf(row, gap)));
  const height = chosen.height + below;
  const root = { id: chart.root.id, box: { x: 1, y: 1, width, height }, lines: header.lines };
  const folds = rows.flatMap((row, index) =>
    row.map((title, at) => {
      const y = chosen.height + index * (sizes.folded.height + gap);
      return moved(title, { x: lengthOf(row.slice(0, at), gap), y });
    }),
  );
  const placed = [...regionsOf({ ...chosen, width }, header.height, gap), ...folds];
  return {
    width: width + 2,
    height: height + 2,
    states: [...(isBare ? [] : [root]), ...placed.flatMap(({ states }) => states)],
    arrows: placed.flatMap(({ arrows }) => arrows),
    folded,
    isBare,
  };
}

/** The scale at which the whole drawing fits. */
export function scaleIn(room: Room, { width, height }: Room): number {
  return Math.max(0.01, Math.min(room.width / width, room.height / height));
}

/** The size that is drawn largest. If none fits at a readable scale, the size that shows the largest part. */
function best<Size extends Room>(sizes: readonly Size[], room: Room): Size {
  const worth = (size: Size): number => {
    const scale = scaleIn(room, size);
    if (scale >= leastScale) return 10 + Math.min(largestScale, scale);
    const seen = (outer: number, inner: number) => Math.min(1, outer / (inner * leastScale));
    // Scrolling in one direction is easier than in two.
    return seen(room.width, size.width) ** 2 * seen(room.height, size.height);
  };
  return sizes.reduce((left, right) => (worth(right) > worth(left) ? right : left));
}

function titleOnly(id: string, chart: Chart, { folded: { height, letter, beside } }: Sizes): LaidOut {
  const width = keyOf(id, chart).length * letter + beside;
  return {
    width,
    height,
    states: [{ id, box: { x: 0, y: 0, width, height }, lines: [] }],
    arrows: [],
  };
}

/** The titles in their order, in rows that are no longer than `length` where that is possible. */
function inRows(titles: readonly LaidOut[], length: number, gap: number): readonly (readonly LaidOut[])[] {
  const rows: LaidOut[][] = [];
  for (const title of titles) {
    const row = rows.at(-1);
    if (row === undefined || lengthOf([...row, title], gap) > length) rows.push([title]);
    else row.push(title);
  }
  return rows;
}

/** The length of a row with a gap before it, between its items, and after it. */
function lengthOf(row: readonly LaidOut[], gap: number): number {
  return row.reduce((sum, { width }) => sum + width + gap, gap);
}

function keyOf(id: string, { root }: Chart): string {
  return root.children.find((child) => child.id === id)?.key ?? id;
}

/** Regions in rows or in columns, and the whole with `header` above. */
interface Arrangement extends Room {
  readonly groups: readonly (readonly LaidOut[])[];
  readonly isRows: boolean;
}

function arranged(groups: Arrangement['groups'], isRows: boolean, header: number, gap: number): Arrangement {
  const along = (group: readonly LaidOut[], of: 'width' | 'height') =>
    group.reduce((sum, one) => sum + one[of] + gap, gap);
  const across = (group: readonly LaidOut[], of: 'width' | 'height') =>
    Math.max(...group.map((one) => one[of]));
  const [length, breadth] = isRows ? (['width', 'height'] as const) : (['height', 'width'] as const);
  const size = {
    [length]: Math.max(...groups.map((group) => along(group, length))),
    [breadth]: groups.reduce((sum, group) => sum + across(group, breadth) + gap, gap),
  } as Record<'width' | 'height', number>;
  return { groups, isRows, width: size.width, height: size.height + header - gap };
}

/** Places the regions. Spare room goes to all regions of a row or column alike. */
function regionsOf(
  { groups, isRows, width, height }: Arrangement,
  header: number,
  gap: number,
): readonly Pick<LaidOut, 'states' | 'arrows'>[] {
  const parts: Pick<LaidOut, 'states' | 'arrows'>[] = [];
  const inner = isRows ? width : height - header + gap;
  let across = isRows ? header : gap;
  for (const group of groups) {
    const used = group.reduce((sum, one) => sum + (isRows ? one.width : one.height) + gap, gap);
    const spare = (inner - used) / group.length;
    const breadth = Math.max(...group.map((one) => (isRows ? one.height : one.width)));
    let along = isRows ? gap : header;
    for (const region of group) {
      const length = (isRows ? region.width : region.height) + spare;
      const box: Box = isRows
        ? { x: along, y: across, width: length, height: breadth }
        : { x: across, y: along, width: breadth, height: length };
      const { states, arrows } = moved(region, { x: box.x + (box.width - region.width) / 2, y: box.y });
      const [outer, ...within] = states;
      parts.push({ states: [{ ...outer!, box }, ...within], arrows });
      along += length + gap;
    }
    across += breadth + gap;
  }
  return parts;
}

function moved(
  { states, arrows }: LaidOut,
  by: Point,
): { readonly states: readonly PlacedState[]; readonly arrows: readonly PlacedArrow[] } {
  const shift = <Place extends Point>(point: Place): Place => ({
    ...point,
    x: point.x + by.x,
    y: point.y + by.y,
  });
  return {
    states: states.map((placed) => ({ ...placed, box: shift(placed.box) })),
    arrows: arrows.map((arrow) => ({ ...arrow, points: arrow.points.map(shift), label: shift(arrow.label) })),
  };
}

/** Every selection of one item from each list. */
function combinations<Item>(choices: readonly (readonly Item[])[]): readonly (readonly Item[])[] {
  return choices.reduce<readonly (readonly Item[])[]>(
    (all, items) => all.flatMap((some) => items.map((item) => [...some, item])),
    [[]],
  );
}

/** Every way to divide the items into groups, in order. `isEven`: all groups have one size. */
function groupings<Item>(items: readonly Item[], isEven: boolean): readonly (readonly (readonly Item[])[])[] {
  if (isEven) {
    return items.map((_, index) => {
      const size = index + 1;
      return Array.from({ length: Math.ceil(items.length / size) }, (__, group) =>
        items.slice(group * size, (group + 1) * size),
      );
    });
  }
  const [first, ...rest] = items;
  if (first === undefined) return [[[]]];
  if (rest.length === 0) return [[[first]]];
  return groupings(rest, false).flatMap(([group, ...groups]) => [
    [[first, ...group!], ...groups],
    [[first], group!, ...groups],
  ]);
}

/** The states of a chart by id, each with its parent. */
export function statesById({ root }: Chart): ReadonlyMap<string, readonly [ChartState, ChartState | null]> {
  const states = new Map<string, readonly [ChartState, ChartState | null]>();
  const add = (state: ChartState, parent: ChartState | null): void => {
    states.set(state.id, [state, parent]);
    for (const child of state.children) add(child, state);
  };
  add(root, null);
  return states;
}
