import type { ElkExtendedEdge, ElkNode } from 'elkjs/lib/elk.bundled.js';
import type { Chart, ChartState, ChartTransition } from '../../verification/timeline/format.ts';
import { type Line, lineHeight, linesOf, widthOf } from './chart-labels.ts';

export interface PlacedPart {
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
  /** Of transitions that need no arrow: they stay, or go from a state to one within it. */
  readonly lines: readonly Line[];
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

export type Direction = 'DOWN' | 'RIGHT';

interface Arrow {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  readonly transitions: ChartTransition[];
}

const titleHeight = 26;
/** Of the names of states, at 13.5 px, half bold. */
const nameWidth = 8;
/** Letters in a line beside an arrow, in a state, and in a state with others in it. */
const letters = { arrow: 16, leaf: 16, outer: 44 };

/** A statechart as the layout takes it: an arrow belongs to the innermost state that has both its ends. */
export class Graph {
  readonly #arrows = new Map<string, Arrow>();
  readonly #lines = new Map<string, ChartTransition[]>();
  readonly #home = new Map<string, Arrow[]>();

  constructor({ root, transitions }: Chart) {
    const paths = pathsOf(root);
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

  lines({ id, children }: ChartState): readonly Line[] {
    return linesOf(
      this.#lines.get(id) ?? [],
      titleHeight + 9,
      children.length > 0 ? letters.outer : letters.leaf,
    );
  }

  node(state: ChartState, direction: Direction): ElkNode {
    const { id, key, type, children } = state;
    const { height: header, lines } = headerOf(state, this);
    const width = Math.max(key.length * nameWidth + 34, widthOf(lines) + 24);
    if (children.length === 0) {
      return { id, width: Math.max(84, width), height: lines.length > 0 ? header + 6 : 32 };
    }
    return {
      id,
      children: children.map((child) => this.node(child, direction)),
      edges: (this.#home.get(id) ?? []).map(edgeOf),
      layoutOptions: {
        ...(type === 'parallel' ? packed : { ...layered, 'elk.direction': direction }),
        'elk.padding': `[top=${header + 8},left=12,bottom=12,right=12]`,
        'elk.nodeSize.constraints': 'MINIMUM_SIZE',
        'elk.nodeSize.minimum': `(${width}, ${header + 20})`,
      },
    };
  }

  /** What the layout has made of `node(state)`, which is at `at`. */
  placed(state: ChartState, node: ElkNode, at: Point): PlacedPart {
    const states: PlacedState[] = [];
    const arrows: PlacedArrow[] = [];
    const place = (one: ChartState, laid: ElkNode, from: Point, parent: ChartState | null): void => {
      const box = { x: from.x + laid.x!, y: from.y + laid.y!, width: laid.width!, height: laid.height! };
      const isInitial = parent?.type === 'compound' && parent.initial === one.key;
      const isRegion = parent?.type === 'parallel';
      states.push({ state: one, box, isInitial, isRegion, lines: this.lines(one) });
      for (const edge of laid.edges ?? []) arrows.push(...arrowOf(edge, this.#arrows.get(edge.id)!));
      for (const [index, child] of one.children.entries()) place(child, laid.children![index]!, box, one);
    };
    place(state, node, at, null);
    return { states, arrows };
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

/** The title of a state, and what it takes without an arrow. */
export function headerOf(state: ChartState, graph: Graph) {
  const lines = graph.lines(state);
  return { lines, height: titleHeight + lines.length * lineHeight };
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
  'elk.spacing.nodeNode': '22',
  'elk.spacing.edgeNode': '10',
  'elk.spacing.edgeEdge': '8',
  'elk.spacing.edgeLabel': '2',
  'elk.layered.spacing.nodeNodeBetweenLayers': '18',
  'elk.layered.spacing.edgeNodeBetweenLayers': '9',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
};

function edgeOf({ id, source, target, transitions }: Arrow): ElkExtendedEdge {
  const lines = linesOf(transitions, 0, letters.arrow);
  const label = {
    id: `${id} label`,
    text: id,
    width: widthOf(lines) + 6,
    height: lines.length * lineHeight + 2,
  };
  return { id, sources: [source], targets: [target], labels: [label] };
}

function arrowOf({ id, sections, labels }: ElkExtendedEdge, { transitions }: Arrow): readonly PlacedArrow[] {
  const section = sections?.[0];
  if (section === undefined) return [];
  const points = [section.startPoint, ...(section.bendPoints ?? []), section.endPoint];
  const { x = 0, y = 0, width = 0, height = 0 } = labels?.[0] ?? {};
  const lines = linesOf(transitions, 12, letters.arrow);
  return [{ id, transitions, points, label: { x, y, width, height }, lines }];
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
