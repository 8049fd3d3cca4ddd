import ELK, { type ElkExtendedEdge, type ElkNode } from 'elkjs/lib/elk.bundled.js';
import type { Chart, ChartState, ChartTransition } from '../timeline.ts';

/** A statechart with places: all in one coordinate system, in pixels at scale 1. */
export interface ChartLayout {
  readonly width: number;
  readonly height: number;
  /** Outer ones before inner ones. */
  readonly states: readonly PlacedState[];
  readonly arrows: readonly PlacedArrow[];
}

export interface PlacedState {
  readonly state: ChartState;
  readonly box: Box;
  /** Is it the one that its parent starts in? */
  readonly isInitial: boolean;
  readonly isRegion: boolean;
  /** Transitions that need no arrow: they stay, or go from a state to one within it. */
  readonly lines: readonly Line[];
}

/** A text about one transition; `y`: of its base line, below the top of what it stands in. */
export interface Line {
  readonly transition: ChartTransition;
  readonly text: string;
  readonly y: number;
}

/** All transitions from one state to another. */
export interface PlacedArrow {
  readonly id: string;
  readonly transitions: readonly ChartTransition[];
  readonly points: readonly Point[];
  readonly label: Box;
  readonly lines: readonly Line[];
}

export interface Box extends Point {
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

const titleHeight = 26;
const lineHeight = 14;
/** Of the texts of transitions, at 11 px. */
const charWidth = 5.9;
/** Of the names of states, at 13 px, half bold. */
const nameWidth = 7.6;
const longestLine = 28;

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
const aspect = 1.25;

async function best(chart: Chart): Promise<ChartLayout> {
  const layouts = await Promise.all(
    (['DOWN', 'RIGHT'] as const).map((direction) => laidOut(chart, direction)),
  );
  const scaleOf = ({ width, height }: ChartLayout) => Math.min(aspect / width, 1 / height);
  return layouts.reduce((left, right) => (scaleOf(right) > scaleOf(left) ? right : left));
}

interface Arrow {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  readonly transitions: ChartTransition[];
}

async function laidOut(chart: Chart, direction: 'DOWN' | 'RIGHT'): Promise<ChartLayout> {
  const parts = new Parts(chart, direction);
  const root = parts.node(chart.root);
  const graph: ElkNode = {
    id: ' ',
    layoutOptions: { 'elk.json.edgeCoords': 'ROOT', 'elk.padding': '[top=2,left=2,bottom=2,right=2]' },
    children: [root],
  };
  const placed = await elk.layout(graph);
  const states: PlacedState[] = [];
  const arrows: PlacedArrow[] = [];
  const place = (state: ChartState, node: ElkNode, at: Point, parent: ChartState | null): void => {
    const box = { x: at.x + node.x!, y: at.y + node.y!, width: node.width!, height: node.height! };
    const isInitial = parent?.type === 'compound' && parent.initial === state.key;
    states.push({ state, box, isInitial, isRegion: parent?.type === 'parallel', lines: parts.lines(state) });
    for (const edge of node.edges ?? []) arrows.push(...arrowOf(edge, parts.arrows.get(edge.id)!));
    for (const [index, child] of state.children.entries()) place(child, node.children![index]!, box, state);
  };
  place(chart.root, placed.children![0]!, { x: 0, y: 0 }, null);
  return { width: placed.width!, height: placed.height!, states, arrows };
}

/** A chart as the layout takes it: an arrow belongs to the innermost state that has both its ends. */
class Parts {
  readonly arrows = new Map<string, Arrow>();
  readonly #direction: string;
  readonly #lines = new Map<string, ChartTransition[]>();
  readonly #home = new Map<string, Arrow[]>();

  constructor({ root, transitions }: Chart, direction: string) {
    this.#direction = direction;
    const paths = pathsOf(root);
    for (const transition of transitions) {
      const { source, targets } = transition;
      const target = targets[0];
      if (target === undefined || (target !== source && paths.get(target)!.includes(source))) {
        this.#lines.set(source, [...(this.#lines.get(source) ?? []), transition]);
      } else this.#addArrow(transition, target, paths);
    }
  }

  lines(state: ChartState): readonly Line[] {
    return linesOf(this.#lines.get(state.id) ?? [], titleHeight + 9);
  }

  node(state: ChartState): ElkNode {
    const { id, key, type, children } = state;
    const lines = this.lines(state);
    const header = titleHeight + lines.length * lineHeight;
    const width = Math.max(key.length * nameWidth + 34, widest(lines) + 22);
    if (children.length === 0) {
      return { id, width: Math.max(84, width), height: lines.length > 0 ? header + 8 : 32 };
    }
    const padding = `[top=${header + 10},left=14,bottom=14,right=14]`;
    return {
      id,
      children: children.map((child) => this.node(child)),
      edges: (this.#home.get(id) ?? []).map(edgeOf),
      layoutOptions: {
        ...(type === 'parallel' ? packed : { ...layered, 'elk.direction': this.#direction }),
        'elk.padding': padding,
        'elk.nodeSize.constraints': 'MINIMUM_SIZE',
        'elk.nodeSize.minimum': `(${width}, ${header + 20})`,
      },
    };
  }

  #addArrow(
    transition: ChartTransition,
    target: string,
    paths: ReadonlyMap<string, readonly string[]>,
  ): void {
    const id = `${transition.source} -> ${target}`;
    const before = this.arrows.get(id);
    if (before !== undefined) {
      before.transitions.push(transition);
      return;
    }
    const arrow = { id, source: transition.source, target, transitions: [transition] };
    this.arrows.set(id, arrow);
    const outer = paths.get(transition.source)!;
    const home = paths
      .get(target)!
      .findLast((state) => state !== target && outer.includes(state) && state !== transition.source)!;
    this.#home.set(home, [...(this.#home.get(home) ?? []), arrow]);
  }
}

/** Regions side by side, or one above the other, as they fit. */
const packed = {
  'elk.algorithm': 'rectpacking',
  'elk.aspectRatio': String(aspect),
  'elk.spacing.nodeNode': '12',
  'elk.expandNodes': 'false',
};

const layered = {
  'elk.algorithm': 'layered',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.edgeRouting': 'POLYLINE',
  'elk.spacing.nodeNode': '24',
  'elk.spacing.edgeNode': '12',
  'elk.spacing.edgeEdge': '10',
  'elk.spacing.edgeLabel': '3',
  'elk.layered.spacing.nodeNodeBetweenLayers': '22',
  'elk.layered.spacing.edgeNodeBetweenLayers': '12',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
};

function edgeOf({ id, source, target, transitions }: Arrow): ElkExtendedEdge {
  const lines = linesOf(transitions, 0);
  const label = {
    id: `${id} label`,
    text: id,
    width: widest(lines) + 8,
    height: lines.length * lineHeight + 2,
  };
  return { id, sources: [source], targets: [target], labels: [label] };
}

function arrowOf({ id, sections, labels }: ElkExtendedEdge, { transitions }: Arrow): readonly PlacedArrow[] {
  const section = sections?.[0];
  if (section === undefined) return [];
  const points = [section.startPoint, ...(section.bendPoints ?? []), section.endPoint];
  const { x = 0, y = 0, width = 0, height = 0 } = labels?.[0] ?? {};
  return [{ id, transitions, points, label: { x, y, width, height }, lines: linesOf(transitions, 11) }];
}

/** By id: the ids of all states around a state, outermost first, its own at the end. */
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

function linesOf(transitions: readonly ChartTransition[], from: number): readonly Line[] {
  const lines = transitions.flatMap((transition) =>
    wrapped(transition).map((text) => ({ transition, text })),
  );
  return lines.map((line, index) => ({ ...line, y: from + index * lineHeight }));
}

/** `REQUEST [current and idle]`, in lines that are not too long. */
function wrapped({ event, guard, source, targets }: ChartTransition): readonly string[] {
  const inner = targets[0]?.startsWith(`${source}.`) ? ` → ${targets[0].slice(source.length + 1)}` : '';
  const words = `${event === '' ? 'always' : event}${guard === null ? '' : ` [${guard}]`}${inner}`.split(' ');
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    if (line !== '' && line.length + word.length >= longestLine) {
      lines.push(line);
      line = `  ${word}`;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function widest(lines: readonly Line[]): number {
  return Math.max(0, ...lines.map(({ text }) => text.length * charWidth));
}
