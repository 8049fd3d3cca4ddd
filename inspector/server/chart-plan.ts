import elkjs, { type ElkExtendedEdge, type ElkNode } from 'elkjs/lib/elk.bundled.js';
import type { Chart, ChartState, ChartTransition } from '../../verification/timeline/format.ts';
import {
  type ChartPlan,
  eventName,
  type LaidOut,
  type PlacedArrow,
  type PlacedState,
  type PlanLine,
  type Point,
} from '../protocol.ts';

const elk = new elkjs.default();
const known = new Map<string, Promise<ChartPlan>>();
/** More charts than this are laid out again when they come back. */
const mostKnown = 200;

/**
 * Lays a statechart out: each region of a parallel root by itself, or the whole where an arrow goes from one region to
 * another. The page arranges the regions as its panel has room. The server does this, because the library that
 * does is four times as large as the page.
 */
export function planOf(chart: Chart): Promise<ChartPlan> {
  const key = JSON.stringify(chart);
  const before = known.get(key);
  if (before !== undefined) return before;
  if (known.size >= mostKnown) known.clear();
  const plan = planned(chart);
  known.set(key, plan);
  return plan;
}

/** The plans of some charts, by the same names. */
export async function plansOf(
  charts: Readonly<Record<string, Chart>>,
): Promise<Readonly<Record<string, ChartPlan>>> {
  const entries = Object.entries(charts).map(async ([name, chart]) => [name, await planOf(chart)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

async function planned(chart: Chart): Promise<ChartPlan> {
  const { root } = chart;
  const graph = new Graph(chart, whole);
  const bareGraph = new Graph(chart, bare);
  const isSplit = root.type === 'parallel' && !graph.hasArrowsIn(root);
  const waysOf = (of: Graph, state: ChartState) =>
    Promise.all(directions.map((direction) => laidOut(of, state, direction)));
  const parts = (isSplit ? root.children : [root]).map(async (state) => ({
    id: state.id,
    ways: await waysOf(graph, state),
    bare: await waysOf(bareGraph, state),
  }));
  return { header: isSplit ? graph.header(root) : null, parts: await Promise.all(parts) };
}

type Direction = 'DOWN' | 'RIGHT';
const directions: readonly Direction[] = ['DOWN', 'RIGHT'];

async function laidOut(graph: Graph, state: ChartState, direction: Direction): Promise<LaidOut> {
  const options = { 'elk.json.edgeCoords': 'ROOT', 'elk.padding': '[top=2,left=2,bottom=2,right=2]' };
  const node: ElkNode = { id: ' ', layoutOptions: options, children: [graph.node(state, direction)] };
  const placed = await elk.layout(node);
  return {
    width: placed.width!,
    height: placed.height!,
    ...graph.placed(state, placed.children![0]!, { x: 0, y: 0 }),
  };
}

/** All transitions from one state to another. */
interface Arrow {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  readonly transitions: ChartTransition[];
}

const lineHeight = 15;
/** Width of a letter in other texts than names of states, at 11.5 px. */
const charWidth = { small: 6.3, large: 7.9 };

/** Sizes of a drawing, in pixels at scale 1. */
interface Sizes {
  readonly hasEvents: boolean;
  readonly title: number;
  /** Width of a letter in the names of states, half bold, and the room beside a name. */
  readonly letter: number;
  readonly beside: number;
  readonly leaf: { readonly width: number; readonly height: number };
  readonly padding: number;
  readonly spacing: Readonly<Record<string, string>>;
}

/** With the names of events. Names of states have 13.5 px. */
const whole: Sizes = {
  hasEvents: true,
  title: 26,
  letter: 8.6,
  beside: 40,
  leaf: { width: 84, height: 32 },
  padding: 12,
  spacing: {
    'elk.spacing.nodeNode': '22',
    'elk.spacing.edgeNode': '10',
    'elk.spacing.edgeEdge': '8',
    'elk.spacing.edgeLabel': '2',
    'elk.layered.spacing.nodeNodeBetweenLayers': '18',
    'elk.layered.spacing.edgeNodeBetweenLayers': '9',
  },
};

/** Without them. Names of states have 11.5 px. */
const bare: Sizes = {
  hasEvents: false,
  title: 18,
  letter: 6.6,
  beside: 16,
  leaf: { width: 40, height: 19 },
  padding: 5,
  spacing: {
    'elk.spacing.nodeNode': '10',
    'elk.spacing.edgeNode': '6',
    'elk.spacing.edgeEdge': '5',
    'elk.layered.spacing.nodeNodeBetweenLayers': '12',
    'elk.layered.spacing.edgeNodeBetweenLayers': '6',
    'elk.layered.spacing.edgeEdgeBetweenLayers': '5',
  },
};
/** Letters in a line beside an arrow, in a state, and in a state with others in it. */
const letters = { arrow: 18, leaf: 18, outer: 44 };

/** A statechart as the layout takes it: an arrow belongs to the innermost state that has both its ends. */
class Graph {
  readonly #arrows = new Map<string, Arrow>();
  readonly #lines = new Map<string, ChartTransition[]>();
  readonly #home = new Map<string, Arrow[]>();
  /** Transitions that differ from another of their state by the guard alone. */
  readonly #guarded: ReadonlySet<string>;
  readonly #sizes: Sizes;

  constructor({ root, transitions }: Chart, sizes: Sizes) {
    this.#sizes = sizes;
    const paths = pathsOf(root);
    this.#guarded = guardedOf(transitions);
    for (const transition of transitions) {
      const { source, targets } = transition;
      const target = targets[0];
      if (target === undefined || (target !== source && paths.get(target)!.includes(source))) {
        this.#lines.set(source, [...(this.#lines.get(source) ?? []), transition]);
      } else this.#addArrow(transition, target, paths);
    }
  }

  /** Are there arrows between its children? */
  hasArrowsIn({ id }: ChartState): boolean {
    return this.#home.has(id);
  }

  lines({ id, children }: ChartState): readonly PlanLine[] {
    if (!this.#sizes.hasEvents) return [];
    const length = children.length > 0 ? letters.outer : letters.leaf;
    return this.#linesOf(this.#lines.get(id) ?? [], this.#sizes.title + 9, length);
  }

  /** The title of a state, and the events that it takes without an arrow. */
  header(state: ChartState): NonNullable<ChartPlan['header']> {
    const lines = this.lines(state);
    return { lines, height: this.#sizes.title + lines.length * lineHeight };
  }

  node(state: ChartState, direction: Direction): ElkNode {
    const { id, key, type, children } = state;
    const { letter, beside, leaf, padding, spacing } = this.#sizes;
    const { height: header, lines } = this.header(state);
    const width = Math.max(key.length * letter + beside, widthOf(lines) + 24);
    if (children.length === 0) {
      return {
        id,
        width: Math.max(leaf.width, width),
        height: lines.length > 0 ? header + 6 : leaf.height,
      };
    }
    return {
      id,
      children: children.map((child) => this.node(child, direction)),
      edges: (this.#home.get(id) ?? []).map((arrow) => this.#edge(arrow)),
      layoutOptions: {
        ...(type === 'parallel' ? packed : { ...layered, ...spacing, 'elk.direction': direction }),
        'elk.padding': `[top=${header + (2 * padding) / 3},left=${padding},bottom=${padding},right=${padding}]`,
        'elk.nodeSize.constraints': 'MINIMUM_SIZE',
        'elk.nodeSize.minimum': `(${width}, ${header + 20})`,
      },
    };
  }

  /** The states and arrows that the layout placed for `node(state)`, which is at `at`. */
  placed(state: ChartState, node: ElkNode, at: Point): Pick<LaidOut, 'states' | 'arrows'> {
    const states: PlacedState[] = [];
    const arrows: PlacedArrow[] = [];
    const place = (one: ChartState, laid: ElkNode, from: Point): void => {
      const box = { x: from.x + laid.x!, y: from.y + laid.y!, width: laid.width!, height: laid.height! };
      states.push({ id: one.id, box, lines: this.lines(one) });
      for (const edge of laid.edges ?? []) arrows.push(...this.#placedArrow(edge));
      for (const [index, child] of one.children.entries()) place(child, laid.children![index]!, box);
    };
    place(state, node, at);
    return { states, arrows };
  }

  #edge({ id, source, target, transitions }: Arrow): ElkExtendedEdge {
    if (!this.#sizes.hasEvents) return { id, sources: [source], targets: [target] };
    const lines = this.#linesOf(transitions, 0, letters.arrow);
    const size = { width: widthOf(lines) + 6, height: lines.length * lineHeight + 2 };
    return { id, sources: [source], targets: [target], labels: [{ id: `${id} label`, text: id, ...size }] };
  }

  #placedArrow({ id, sections, labels }: ElkExtendedEdge): readonly PlacedArrow[] {
    const section = sections?.[0];
    if (section === undefined) return [];
    const { transitions } = this.#arrows.get(id)!;
    const points = [section.startPoint, ...(section.bendPoints ?? []), section.endPoint];
    const middle = points[points.length >> 1]!;
    const { x = middle.x, y = middle.y, width = 0, height = 0 } = labels?.[0] ?? {};
    const lines = this.#sizes.hasEvents ? this.#linesOf(transitions, 12, letters.arrow) : [];
    return [
      {
        id,
        transitions: transitions.map((transition) => transition.id),
        points: points.map((point) => ({ x: point.x, y: point.y })),
        label: { x, y, width, height },
        lines,
      },
    ];
  }

  /** The texts of transitions, each once, in lines of about `length` letters. Actions stand below the chart. */
  #linesOf(transitions: readonly ChartTransition[], from: number, length: number): readonly PlanLine[] {
    const byText = new Map<string, string[]>();
    for (const transition of transitions) {
      for (const text of this.#textsOf(transition)) {
        byText.set(text, [...(byText.get(text) ?? []), transition.id]);
      }
    }
    const lines: { text: string; transitions: string[] }[][] = [];
    let used = length;
    for (const [text, ids] of byText) {
      if (used + text.length > length) {
        lines.push([]);
        used = 0;
      }
      lines.at(-1)!.push({ text, transitions: ids });
      used += text.length + 2;
    }
    return lines.map((parts, index) => ({ parts, y: from + index * lineHeight }));
  }

  /** The guard stands beside the event where the event alone does not tell which arrow is taken. */
  #textsOf(transition: ChartTransition): readonly string[] {
    const name = eventName(transition.event);
    if (!this.#guarded.has(transition.id)) return [name];
    const guard = transition.guard ?? 'else';
    const text = `${name} [${guard}]`;
    // A guard made of many would be wider than a state; it stands whole below the chart.
    return [text.length <= longestText ? text : `${text.slice(0, longestText - 2)}…]`];
  }

  #addArrow(
    transition: ChartTransition,
    target: string,
    paths: ReadonlyMap<string, readonly string[]>,
  ): void {
    const id = `${transition.source} -> ${target}`;
    const before = this.#arrows.get(id);
    if (before !== undefined) {
      before.transitions.push(transition);
      return;
    }
    const arrow = { id, source: transition.source, target, transitions: [transition] };
    this.#arrows.set(id, arrow);
    const outer = paths.get(transition.source)!;
    const home = paths
      .get(target)!
      .findLast((state) => state !== target && outer.includes(state) && state !== transition.source)!;
    this.#home.set(home, [...(this.#home.get(home) ?? []), arrow]);
  }
}

const longestText = 34;

/** The transitions that share their state and event with others that go to different places. */
function guardedOf(transitions: readonly ChartTransition[]): ReadonlySet<string> {
  const byEvent = new Map<string, ChartTransition[]>();
  for (const transition of transitions) {
    const key = `${transition.source} ${transition.event}`;
    byEvent.set(key, [...(byEvent.get(key) ?? []), transition]);
  }
  const groups = [...byEvent.values()].filter(
    (group) => new Set(group.map(({ targets }) => targets.join())).size > 1,
  );
  return new Set(groups.flat().map(({ id }) => id));
}

const packed = {
  'elk.algorithm': 'rectpacking',
  'elk.spacing.nodeNode': '12',
  'elk.expandNodes': 'false',
};

const layered = {
  'elk.algorithm': 'layered',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.edgeRouting': 'POLYLINE',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
};

function widthOf(lines: readonly PlanLine[]): number {
  return Math.max(0, ...lines.map(({ parts }) => textWidth(parts.map(({ text }) => text).join(', '))));
}

function textWidth(text: string): number {
  const large = text.match(/[A-Z_]/g)?.length ?? 0;
  return large * charWidth.large + (text.length - large) * charWidth.small;
}

/** For each state, by its id: the ids of all states around it, outermost first, its own at the end. */
function pathsOf(root: ChartState): ReadonlyMap<string, readonly string[]> {
  const paths = new Map<string, readonly string[]>();
  const walk = (state: ChartState, above: readonly string[]): void => {
    const path = [...above, state.id];
    paths.set(state.id, path);
    for (const child of state.children) walk(child, path);
  };
  walk(root, []);
  return paths;
}
