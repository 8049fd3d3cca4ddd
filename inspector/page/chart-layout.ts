import ELK, { type ElkNode } from 'elkjs/lib/elk.bundled.js';
import type { Chart, ChartState } from '../../verification/timeline/format.ts';
import { type Direction, Graph, headerOf, type PlacedPart } from './chart-graph.ts';

/** A statechart with places: all in one coordinate system, in pixels at scale 1. */
export interface ChartLayout extends PlacedPart {
  readonly width: number;
  readonly height: number;
}

const elk = new ELK();
const known = new WeakMap<Chart, Promise<ChartLayout>>();

/** Laid out once for each chart. */
export function layoutOf(chart: Chart): Promise<ChartLayout> {
  const before = known.get(chart);
  if (before !== undefined) return before;
  const layout = best(chart);
  known.set(chart, layout);
  return layout;
}

/** How wide the place for a chart is, when it is 1 high. */
const aspect = 1.3;
const gap = 10;
const directions: readonly Direction[] = ['DOWN', 'RIGHT'];

async function best(chart: Chart): Promise<ChartLayout> {
  const { root } = chart;
  const graph = new Graph(chart);
  // Regions are laid out one by one, unless an arrow goes from one to another.
  if (root.type === 'parallel' && !graph.hasArrowsIn(root)) return stacked(graph, root);
  return largest(await Promise.all(directions.map((direction) => laidOut(graph, root, direction))));
}

async function laidOut(graph: Graph, state: ChartState, direction: Direction): Promise<ChartLayout> {
  const options = { 'elk.json.edgeCoords': 'ROOT', 'elk.padding': '[top=2,left=2,bottom=2,right=2]' };
  const node: ElkNode = { id: ' ', layoutOptions: options, children: [graph.node(state, direction)] };
  const placed = await elk.layout(node);
  return {
    width: placed.width!,
    height: placed.height!,
    ...graph.placed(state, placed.children![0]!, { x: 0, y: 0 }),
  };
}

/** How large it can be drawn. */
function scaleOf({ width, height }: Pick<ChartLayout, 'width' | 'height'>): number {
  return Math.min(aspect / width, 1 / height);
}

function largest<Size extends Pick<ChartLayout, 'width' | 'height'>>(sizes: readonly Size[]): Size {
  return sizes.reduce((left, right) => (scaleOf(right) > scaleOf(left) ? right : left));
}

/** Regions in rows, or in columns; the whole of it with `header` above. */
interface Arrangement {
  readonly groups: readonly (readonly ChartLayout[])[];
  readonly isRows: boolean;
  readonly width: number;
  readonly height: number;
}

/** The regions in rows or columns, each in the direction, that let the whole be largest. */
async function stacked(graph: Graph, root: ChartState): Promise<ChartLayout> {
  const ways = await Promise.all(
    root.children.map((region) => Promise.all(directions.map((one) => laidOut(graph, region, one)))),
  );
  const { height: header, lines } = headerOf(root, graph);
  const choices = combinations(ways).flatMap((regions) =>
    groupings(regions).flatMap((groups) => [arranged(groups, true, header), arranged(groups, false, header)]),
  );
  const chosen = largest(choices);
  const { width, height } = chosen;
  const box = { x: 1, y: 1, width, height };
  const whole = { state: root, box, isInitial: false, isRegion: false, lines };
  const parts = regionsOf(chosen, header);
  return {
    width: width + 2,
    height: height + 2,
    states: [whole, ...parts.flatMap(({ states }) => states)],
    arrows: parts.flatMap(({ arrows }) => arrows),
  };
}

function arranged(groups: Arrangement['groups'], isRows: boolean, header: number): Arrangement {
  const along = (group: readonly ChartLayout[], of: 'width' | 'height') =>
    group.reduce((sum, one) => sum + one[of] + gap, gap);
  const across = (group: readonly ChartLayout[], of: 'width' | 'height') =>
    Math.max(...group.map((one) => one[of]));
  const [length, breadth] = isRows ? (['width', 'height'] as const) : (['height', 'width'] as const);
  const size = {
    [length]: Math.max(...groups.map((group) => along(group, length))),
    [breadth]: groups.reduce((sum, group) => sum + across(group, breadth) + gap, gap),
  } as Record<'width' | 'height', number>;
  return { groups, isRows, width: size.width, height: size.height + header - gap };
}

/** Where each region is: what is over goes to all of its row, or column, alike. */
function regionsOf({ groups, isRows, width, height }: Arrangement, header: number): readonly PlacedPart[] {
  const parts: PlacedPart[] = [];
  const inner = isRows ? width : height - header + gap;
  let across = isRows ? header : gap;
  for (const group of groups) {
    const used = group.reduce((sum, one) => sum + (isRows ? one.width : one.height) + gap, gap);
    const spare = (inner - used) / group.length;
    const breadth = Math.max(...group.map((one) => (isRows ? one.height : one.width)));
    let along = isRows ? gap : header;
    for (const region of group) {
      const length = (isRows ? region.width : region.height) + spare;
      const box = isRows
        ? { x: along, y: across, width: length, height: breadth }
        : { x: across, y: along, width: breadth, height: length };
      const { states, arrows } = moved(region, { x: box.x + (box.width - region.width) / 2, y: box.y });
      const [outer, ...within] = states;
      parts.push({ states: [{ ...outer!, box, isRegion: true }, ...within], arrows });
      along += length + gap;
    }
    across += breadth + gap;
  }
  return parts;
}

function moved({ states, arrows }: PlacedPart, by: { readonly x: number; readonly y: number }): PlacedPart {
  const shift = <Point extends { readonly x: number; readonly y: number }>(point: Point): Point => ({
    ...point,
    x: point.x + by.x,
    y: point.y + by.y,
  });
  return {
    states: states.map((placed) => ({ ...placed, box: shift(placed.box) })),
    arrows: arrows.map((arrow) => ({ ...arrow, points: arrow.points.map(shift), label: shift(arrow.label) })),
  };
}

/** One of each. */
function combinations<Item>(choices: readonly (readonly Item[])[]): readonly (readonly Item[])[] {
  return choices.reduce<readonly (readonly Item[])[]>(
    (all, items) => all.flatMap((some) => items.map((item) => [...some, item])),
    [[]],
  );
}

/** Every way to cut them into groups, in their order. */
function groupings<Item>(items: readonly Item[]): readonly (readonly (readonly Item[])[])[] {
  const [first, ...rest] = items;
  if (first === undefined) return [[]];
  if (rest.length === 0) return [[[first]]];
  return groupings(rest).flatMap(([group, ...groups]) => [
    [[first, ...group!], ...groups],
    [[first], group!, ...groups],
  ]);
}
