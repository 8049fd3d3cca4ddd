import { search } from '../checker/packed/index.ts';
import { asTuple } from '../checker/packed/predicate-evaluator.ts';
import type { StatePredicate } from '../system/system.ts';
import type { Table } from './table.ts';

/*
 * A predicate over all actors at once, as automata that another tool can run. For each actor, one automaton reads its local state
 * and what is on its way to it, and gives a number: the part that the predicate sees of the actor. Another one reads these numbers,
 * actor by actor, and the history, and gives the predicate's value. Both are filled by asking the predicate in every state that the exploration reaches.
 * In other states they may give any value, or none: the reader then reports a step that is not in the table.
 */

/** A deterministic automaton without cycles. It has read enough when it comes to an answer. */
export interface Automaton {
  /** The next node for each symbol; a node is its index, and the answer n is -1 - n. Nodes point to earlier ones. */
  readonly nodes: readonly ReadonlyMap<number, number>[];
  /** Where it begins: a node, or the answer. */
  readonly start: number;
}

export interface Reading {
  /**
   * One for each actor. It reads the number of the local state, and for each link to the actor that ever holds messages the number of
   * each message plus 1, in the link's order (of a bag: in the order of numbers), then 0.
   */
  readonly actors: readonly Automaton[];
  /** Reads an actor's number after the other, then the history's. Answers 1 where the predicate holds, and 0 where it does not. */
  readonly whole: Automaton;
}

/** Edges of all automata of a predicate. Compilers take minutes for larger tables. */
export const mostEdges = 100_000;

/** The links of the table that ever hold a message, to this actor. */
export function linksTo({ links }: Table, actor: number): readonly number[] {
  return links.flatMap(({ target, most }, link) => (target === actor && most > 0 ? [link] : []));
}

/** Explores the system again, and asks each predicate in each state. A number: that of edges, where there are too many. */
export async function readings(
  table: Table,
  predicates: readonly StatePredicate[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<StatePredicate, Reading | number>> {
  if (predicates.length === 0) return new Map();
  const { compiled } = table;
  const { model, world } = compiled;
  const { ids } = world;
  const history = world.chronicle.processes > 0 ? [ids.length + world.budget.processes] : [];
  const read = [...ids.keys(), ...history];
  const asked = predicates.map((predicate) => ({
    predicate,
    tuple: asTuple(compiled.predicateOf(predicate, { exact: true })),
    observed: new Int32Array(model.width),
    whole: new Layers(read.length),
  }));
  const visited = ids.map(() => new Set<number>());
  const judge = (locals: Int32Array): boolean => {
    for (const process of ids.keys()) visited[process]!.add(locals[process]!);
    for (const { tuple, observed, whole } of asked) {
      for (let process = 0; process < observed.length; process++)
        observed[process] = tuple.observe(process, locals[process]!);
      whole.add(
        read.map((process) => observed[process]!),
        tuple.judge(observed) ? 1 : 0,
      );
    }
    return false;
  };
  const observe = (_: number, local: number) => local;
  await search(model, {
    // Nothing satisfies it, so that it is asked in every state.
    predicates: [{ name: 'a reading', expect: 'reachable', predicate: { kind: 'tuple', observe, judge } }],
    ...(table.within === null ? {} : { constraint: compiled.predicateOf(table.system.constraint!) }),
    ...(signal === undefined ? {} : { signal }),
  });
  const words = ids.map((_, actor) => wordsOf(table, actor, [...visited[actor]!]));
  const found = new Map<StatePredicate, Reading | number>();
  for (const { predicate, tuple, whole } of asked) {
    const { automaton, classes } = whole.minimized(ids.length);
    const actors = words.map((ofActor, actor) =>
      automatonOf(
        ofActor.map(([local, word]) => [word, classes[actor]!.get(tuple.observe(actor, local) | 0)!]),
      ),
    );
    const size = [...actors, automaton].reduce((sum, { nodes }) => sum + edgesOf(nodes), 0);
    found.set(predicate, size > mostEdges ? size : { actors, whole: automaton });
  }
  return found;
}

function edgesOf(nodes: Automaton['nodes']): number {
  return nodes.reduce((count, node) => count + node.size, 0);
}

/** Each local of the model with the word by which another tool knows it. */
function wordsOf(
  table: Table,
  actor: number,
  visited: readonly number[],
): readonly (readonly [number, readonly number[]])[] {
  const { compiled, messages, links, actors } = table;
  const { locals, values } = compiled.world;
  const coreOf = new Map(actors[actor]!.locals.map(({ core }, index) => [core, index]));
  const messageOf = new Map(
    messages.map(({ message }, index) => [values.intern(message, 'a message'), index]),
  );
  const isFifo = table.system.network.order === 'fifo';
  const own = linksTo(table, actor);
  return visited.map((local) => {
    const word = [coreOf.get(locals.coreOf(actor, local))!];
    const inbox = locals.inbox(locals.inboxOf(actor, local)).map((envelope) => locals.envelope(envelope));
    for (const link of own) {
      const { source } = links[link]!;
      const on = inbox
        .filter((envelope) => source === null || envelope.source === source)
        .map(({ message }) => messageOf.get(message)! + 1);
      word.push(...(isFifo ? on : on.sort((one, other) => one - other)), 0);
    }
    return [local, word];
  });
}

/** Gives each distinct row of edges a number. */
class Nodes {
  readonly nodes: Map<number, number>[] = [];
  readonly #known = new Map<string, number>();

  /** The answer, where all edges lead to the same one: nothing more need be read. */
  of(edges: ReadonlyMap<number, number>): number {
    const [target] = edges.values();
    if (target !== undefined && target < 0 && [...edges.values()].every((to) => to === target)) return target;
    const sorted = [...edges].sort(([one], [other]) => one - other);
    const key = sorted.join(';');
    let node = this.#known.get(key);
    if (node === undefined) {
      node = this.nodes.push(new Map(sorted)) - 1;
      this.#known.set(key, node);
    }
    return node;
  }
}

interface Prefix {
  readonly next: Map<number, Prefix>;
  answer?: number;
}

/** The smallest automaton that gives each word its answer. No word is the beginning of another one. */
export function automatonOf(words: readonly (readonly [readonly number[], number])[]): Automaton {
  const root: Prefix = { next: new Map() };
  for (const [word, answer] of words) {
    let at = root;
    for (const symbol of word) {
      let next = at.next.get(symbol);
      if (next === undefined) {
        next = { next: new Map() };
        at.next.set(symbol, next);
      }
      at = next;
    }
    at.answer = answer;
  }
  const known = new Nodes();
  const numbered = ({ next, answer }: Prefix): number =>
    answer !== undefined
      ? -1 - answer
      : known.of(new Map([...next].map(([symbol, to]) => [symbol, numbered(to)])));
  const start = numbered(root);
  return { nodes: known.nodes, start };
}

/** Words of one length, letter by letter, and their answers. */
export class Layers {
  /** For each letter: the nodes before it, each with the index of the next one by the letter. */
  readonly #layers: Map<number, number>[][];

  constructor(length: number) {
    this.#layers = Array.from({ length }, () => []);
    this.#layers[0]!.push(new Map());
  }

  add(word: readonly number[], answer: number): void {
    let node = 0;
    for (const [place, layer] of this.#layers.entries()) {
      const edges = layer[node]!;
      const isLast = place === this.#layers.length - 1;
      let next = edges.get(word[place]!);
      if (next === undefined) {
        next = isLast ? -1 - answer : this.#layers[place + 1]!.push(new Map()) - 1;
        edges.set(word[place]!, next);
      }
      node = next;
    }
  }

  /**
   * The automaton over classes of letters, and for each place up to `classed` the class of each letter. Two letters are in one class if
   * no word tells them apart. Letters of later places stand for themselves.
   */
  minimized(classed: number): {
    readonly automaton: Automaton;
    readonly classes: readonly ReadonlyMap<number, number>[];
  } {
    const known = new Nodes();
    const classes: ReadonlyMap<number, number>[] = [];
    let later: readonly number[] | null = null;
    for (let place = this.#layers.length - 1; place >= 0; place--) {
      const rows = this.#layers[place]!.map(
        (edges) => new Map([...edges].map(([letter, to]) => [letter, later === null ? to : later[to]!])),
      );
      const classOf = place < classed ? merged(rows) : alone(rows);
      classes.unshift(classOf);
      later = rows.map((edges) =>
        known.of(new Map([...edges].map(([letter, to]) => [classOf.get(letter)!, to]))),
      );
    }
    return { automaton: { nodes: known.nodes, start: later![0]! }, classes };
  }
}

const alone = (rows: readonly ReadonlyMap<number, number>[]): ReadonlyMap<number, number> =>
  new Map(rows.flatMap((row) => [...row.keys()]).map((letter) => [letter, letter]));

/** Letters that lead from every node to the same one, where both are known, share a class. */
function merged(rows: readonly ReadonlyMap<number, number>[]): ReadonlyMap<number, number> {
  const distinct = new Map<string, ReadonlyMap<number, number>>();
  for (const row of rows) distinct.set([...row].sort(([one], [other]) => one - other).join(';'), row);
  const columns = new Map<number, Map<number, number>>();
  for (const [node, row] of [...distinct.values()].entries()) {
    for (const [letter, to] of row) {
      const column = columns.get(letter) ?? new Map<number, number>();
      columns.set(letter, column.set(node, to));
    }
  }
  const groups: Map<number, number>[] = [];
  const classOf = new Map<number, number>();
  for (const [letter, column] of [...columns].sort(([one], [other]) => one - other)) {
    const fits = (group: Map<number, number>) =>
      [...column].every(([node, to]) => (group.get(node) ?? to) === to);
    let index = groups.findIndex(fits);
    if (index < 0) index = groups.push(new Map()) - 1;
    for (const [node, to] of column) groups[index]!.set(node, to);
    classOf.set(letter, index);
  }
  return classOf;
}
