import { apply, type Model, type Symmetry } from '../model.ts';
import { concretize, createCanonicalizer } from '../symmetry/index.ts';
import { Engine } from './engine.ts';
import type { Recording } from './recording.ts';
import {
  type Found,
  type NamedPredicate,
  type Path,
  type PathStep,
  SearchError,
  type SearchOptions,
} from './types.ts';

export type TraceOptions = Pick<
  SearchOptions,
  'constraint' | 'symmetry' | 'hashCompaction' | 'signal' | 'timeoutMs'
>;

/** A state on a shortest path, and the moves from it that stay on a shortest path. */
interface Node {
  readonly state: readonly number[];
  readonly moves: Move[];
}

interface Move {
  readonly process: number;
  readonly step: number;
  readonly to: Node;
  /** The name of the process in `to`. Over orbits, processes are renamed on the way. */
  readonly named: number;
}

interface Form {
  readonly state: readonly number[];
  /** The name of each process in `state`. Valid until the next form is computed. */
  readonly names: ArrayLike<number>;
}

/**
 * Finds a shortest path to a state that `search` found. Among the shortest paths it chooses one with the
 * fewest switches between processes, and among those the first by (process, step). Returns `null` when `signal` or
 * `timeoutMs` ended it. `options` are the constraint, symmetry and hash compaction with which the state was
 * found. With symmetry the returned path consists of real states with real process names.
 *
 * The levels up to the target are explored again and kept. This is always exact, so a shorter path that hash
 * collisions had hidden is found. The levels are then traversed backwards to collect the states on shortest
 * paths, and forwards to choose one path.
 */
export async function shortestTrace(
  model: Model,
  target: Found,
  options: TraceOptions = {},
): Promise<Path | null> {
  const { hashCompaction, timeoutMs = Infinity, ...exact } = options;
  const started = performance.now();
  const isOver = () => performance.now() - started > timeoutMs || options.signal?.aborted;
  const form = formOf(model, options.symmetry);
  const recording: Recording = { depth: target.depth, levels: [] };
  let nodes = new Map<string, Node>([[target.state.join(), { state: target.state, moves: [] }]]);
  if (target.depth > 0) {
    const nearer = hashCompaction === undefined ? [] : [elsewhere(target.state)];
    const how = { ...exact, timeoutMs, predicates: nearer, stopAtFirst: true };
    const engine = new Engine(model, how, recording);
    const { reason, found } = await engine.run();
    if (reason === 'timeout' || reason === 'aborted') return null;
    recording.levels.splice(found[0]?.depth ?? target.depth);
    for (const states of engine.ancestors(target.state)) {
      if (isOver()) return null;
      const later = nodes;
      nodes = new Map(
        states.map((state) => [state.join(), { state, moves: movesTo(later, model, state, form) }]),
      );
    }
  }
  const starts = model.initial
    .map((state) => nodes.get(form(state).state.join()))
    .filter((node): node is Node => node !== undefined);
  if (starts.length === 0) {
    throw new SearchError(
      'NO_SUCH_STATE',
      `expected a state ${target.depth} steps from an initial one, but no path of that length leads to ${target.state.join()}: give the options it was found with`,
    );
  }
  const path = fewestSwitches(starts);
  if (!options.symmetry) return path;
  return concretize(model, options.symmetry, [path.initial, ...path.steps.map(({ state }) => state)]);
}

/** A predicate that `target` alone violates. */
function elsewhere(target: readonly number[]): NamedPredicate {
  const observe = (_: number, local: number) => local;
  const judge = (state: Int32Array) => target.some((local, process) => local !== state[process]);
  return { name: 'elsewhere', expect: 'always', predicate: { kind: 'tuple', observe, judge } };
}

function formOf(model: Model, symmetry: Symmetry | undefined): (state: readonly number[]) => Form {
  if (symmetry === undefined) {
    const names = Array.from({ length: model.width }, (_, process) => process);
    return (state) => ({ state, names });
  }
  const canonicalizer = createCanonicalizer(symmetry, model.width);
  return (state) => {
    const form = Int32Array.from(state);
    canonicalizer.canonicalize(form);
    return { state: [...form], names: canonicalizer.permutation };
  };
}

function movesTo(
  later: ReadonlyMap<string, Node>,
  model: Model,
  state: readonly number[],
  form: (state: readonly number[]) => Form,
): Move[] {
  const moves: Move[] = [];
  for (let process = 0; process < model.width; process++) {
    for (const [index, step] of model.steps(process, state[process]!).entries()) {
      const after = apply(model, state, process, step);
      if (after === null) continue;
      const { state: reached, names } = form(after);
      const to = later.get(reached.join());
      if (to !== undefined) moves.push({ process, step: index, to, named: names[process]! });
    }
  }
  return moves;
}

function fewestSwitches(starts: readonly Node[]): Path {
  // For each node and the process that moved before: the switches still to come, and the move that achieves
  // them.
  const best = new Map<Node, Map<number, { readonly switches: number; readonly move: Move | null }>>();
  const onward = (node: Node, before: number): { readonly switches: number; readonly move: Move | null } => {
    const known = best.get(node)?.get(before);
    if (known) return known;
    let choice: { readonly switches: number; readonly move: Move | null } = { switches: 0, move: null };
    for (const move of node.moves) {
      const switches =
        onward(move.to, move.named).switches + (before === move.process || before === -1 ? 0 : 1);
      if (choice.move === null || switches < choice.switches) choice = { switches, move };
    }
    if (!best.has(node)) best.set(node, new Map());
    best.get(node)!.set(before, choice);
    return choice;
  };
  const start = starts.reduce((a, b) => (onward(b, -1).switches < onward(a, -1).switches ? b : a));
  const steps: PathStep[] = [];
  let [node, before] = [start, -1];
  for (let { move } = onward(node, before); move !== null; { move } = onward(node, before)) {
    steps.push({ process: move.process, step: move.step, state: move.to.state });
    [node, before] = [move.to, move.named];
  }
  return { initial: start.state, steps };
}
