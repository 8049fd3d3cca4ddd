import type { Model, Predicate } from '../model.ts';
import { PropertyMonitor } from '../property-monitor.ts';
import { type Automaton, automatonOf } from './buchi.ts';
import { Budget, LimitReached } from './budget.ts';
import { type Conditions, conditionsOf } from './conditions.ts';
import { LivenessError } from './errors.ts';
import { findFairComponent } from './fair.ts';
import { buildGraph, type Graph } from './graph.ts';
import { loopOf } from './lasso.ts';
import { Normalizer } from './normal.ts';
import { exploreProduct, type Labels, wayTo } from './product.ts';
import {
  type ActionFairness,
  formulaOf,
  type Lasso,
  type LivenessOptions,
  type LivenessProperty,
  type LivenessResult,
  type LivenessVerdict,
} from './property.ts';
import { neverTriggered } from './vacuity.ts';
import { validateLasso } from './validate.ts';

/**
 * Checks whether every fair run of `model` satisfies each property. It searches the product of the model and
 * the automaton of the negated formula for a fair run that this automaton accepts (M. Vardi, P. Wolper, "An
 * automata-theoretic approach to automatic program verification", LICS 1986). The graph is built once for all
 * properties, and the data of one fairness once for all properties that share it.
 *
 * On a graph that a limit or the constraint cut off, a violation is still a violation, because it runs
 * through explored states only. No property gets the verdict `holds` there.
 *
 * Not sound on orbits: do not pass a model that is reduced by symmetry.
 *
 * @throws LivenessError
 *
 * @throws ModelError `MODEL_MALFORMED`.
 *
 * @throws BrokenLassoError when a counterexample does not pass `validateLasso`.
 */
export async function checkLiveness(
  model: Model,
  properties: readonly LivenessProperty[],
  options: LivenessOptions = {},
): Promise<LivenessResult> {
  const negations = properties.map((property) => automatonOfNegation(property));
  const budget = new Budget(options);
  const graph = await buildGraph(model, options, budget);
  const shared = new Shared(graph, budget);
  const verdicts: LivenessVerdict[] = [];
  for (const [i, property] of properties.entries()) {
    const { name } = property;
    const { automaton, atoms } = negations[i]!;
    try {
      await budget.breathe({ property: name, states: graph.states, transitions: graph.edges, frontier: 0 });
      const truths = atoms.map((atom) => shared.truth(atom));
      const conditions = shared.conditions(property.fairness ?? UNFAIR);
      const lasso = await budget.within(() => findLasso(graph, automaton, truths, conditions, budget));
      if (lasso !== null) {
        validateLasso(model, property, lasso);
        verdicts.push({ name, verdict: 'violated', lasso });
      } else if (graph.cut !== null) {
        verdicts.push({ name, verdict: 'incomplete', limit: graph.cut });
      } else {
        const vacuous = neverTriggered(property, (atom) => shared.truth(atom), graph.states);
        verdicts.push({ name, verdict: 'holds', ...(vacuous === null ? {} : { vacuous }) });
      }
    } catch (error) {
      if (!(error instanceof LimitReached)) throw error;
      verdicts.push({ name, verdict: 'incomplete', limit: error.limit });
    }
  }
  return {
    verdicts,
    states: graph.states,
    transitions: graph.edges,
    cut: graph.cut,
    cutStates: graph.cutStates,
    peakMemoryBytes: budget.peakMemoryBytes,
  };
}

const UNFAIR: ActionFairness = {};

function automatonOfNegation(property: LivenessProperty): {
  automaton: Automaton;
  atoms: readonly Predicate[];
} {
  const { formula, names, atoms } = formulaOf(property);
  if (atoms.length > 31) {
    throw new LivenessError(
      'FORMULA_TOO_LARGE',
      `Property "${property.name}" has ${atoms.length} atoms, and 31 at most can be told apart: leave out those that its formula does not name.`,
    );
  }
  return { automaton: automatonOf(new Normalizer(names).normal(formula, true)), atoms };
}

async function findLasso(
  graph: Graph,
  automaton: Automaton,
  truths: readonly Uint8Array[],
  conditions: Conditions,
  budget: Budget,
): Promise<Lasso | null> {
  const { acceptance } = automaton;
  const labels = labelsOf(truths, graph.states, budget);
  const product = await exploreProduct(graph, automaton, labels, conditions, budget);
  const lasso = (node: number, approach: readonly number[], loop: readonly number[]): Lasso => {
    const { from, edges } = wayTo(graph, automaton, product, node);
    const [stem, around] = rolledUp([...edges, ...approach], loop);
    const move = (edge: number) => {
      const step = graph.steps[edge]!;
      return { process: graph.memo.process[step]!, step: graph.memo.index[step]! };
    };
    return {
      initial: [...graph.locals.subarray(from * graph.width, (from + 1) * graph.width)],
      stem: stem.map(move),
      loop: around.map(move),
    };
  };
  const { core, stutter } = product;
  const staying = stutter < 0 ? null : lasso(stutter, [], []);
  let bound = 0;
  while (bound < core.size && (stutter < 0 || core.nodes[bound]! < stutter)) bound++;
  if (bound === 0) return staying;
  const component = await findFairComponent(graph, core, conditions, acceptance, bound, budget);
  if (component === null) return staying;
  budget.claim(9 * core.size);
  const { approach, loop } = loopOf(graph, core, conditions, acceptance, component);
  const moving = lasso(core.nodes[component[0]!]!, approach, loop);
  return staying !== null && lengthOf(staying) <= lengthOf(moving) ? staying : moving;
}

/**
 * Returns the same run with a shorter stem: the end of the stem that repeats the loop moves into the loop.
 */
function rolledUp(stem: readonly number[], loop: readonly number[]): [readonly number[], readonly number[]] {
  if (loop.length === 0) return [stem, loop];
  let shared = 0;
  while (shared < stem.length && stem.at(-1 - shared) === loop.at(-1 - (shared % loop.length))) shared++;
  const turn = loop.length - (shared % loop.length);
  return [stem.slice(0, stem.length - shared), [...loop.slice(turn), ...loop.slice(0, turn)]];
}

const lengthOf = ({ stem, loop }: Lasso) => stem.length + loop.length;

function labelsOf(truths: readonly Uint8Array[], states: number, budget: Budget): Labels {
  budget.claim(4 * states);
  const of = new Int32Array(states);
  const numbers = new Map<number, number>();
  for (let state = 0; state < states; state++) {
    let letter = 0;
    for (let atom = 0; atom < truths.length; atom++) letter |= truths[atom]![state]! << atom;
    let number = numbers.get(letter);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(letter, number);
    }
    of[state] = number;
  }
  return { of, letters: [...numbers.keys()] };
}

/** Data that several properties need from one graph. Each is computed on first use. */
class Shared {
  readonly #graph: Graph;
  readonly #budget: Budget;
  readonly #truths = new Map<Predicate, Uint8Array>();
  readonly #conditions = new Map<ActionFairness, Conditions>();

  constructor(graph: Graph, budget: Budget) {
    this.#graph = graph;
    this.#budget = budget;
  }

  conditions(fairness: ActionFairness): Conditions {
    let found = this.#conditions.get(fairness);
    if (found === undefined) {
      found = conditionsOf(this.#graph, fairness, this.#budget);
      this.#conditions.set(fairness, found);
    }
    return found;
  }

  /** For each state: 1 where `atom` is true. */
  truth(atom: Predicate): Uint8Array {
    let found = this.#truths.get(atom);
    if (found === undefined) {
      const { states, width, locals } = this.#graph;
      this.#budget.claim(states);
      found = new Uint8Array(states);
      const judge = new PropertyMonitor(atom, width);
      for (let state = 0; state < states; state++) found[state] = judge.holds(locals, state * width) ? 1 : 0;
      this.#truths.set(atom, found);
    }
    return found;
  }
}
