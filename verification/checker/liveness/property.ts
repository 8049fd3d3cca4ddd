import type { Predicate } from '../model.ts';
import { type Formula, parseFormula } from './ltl.ts';

/**
 * A property that must hold on every fair run.
 *
 * A *run* starts in an initial state and takes enabled transitions, one by one, for ever. Or it stays in some
 * state for ever (*stutters*, as in TLA+); a deadlock is such an end. Stuttering occurs only at the end of a
 * run. So `X` refers to the state after the next transition, or to the same state when the run stays. A
 * formula without `X` cannot tell the difference (L. Lamport, "What good is temporal logic?", 1983).
 *
 * A class of actions is *enabled* in a state when some transition of the class leads from it to another state. A
 * transition back to the same state does not count, neither as enabled nor as taken: fairness is that of `<A>_vars` in
 * TLA+. Nor does a step that a receiver blocks. A run is *fair* to a class
 *
 * - weakly: when the class is not enabled without a break from some point on, or is taken infinitely often;
 * - strongly: when the class is enabled only finitely often, or is taken infinitely often.
 *
 * So a fair run may stay in a state for ever exactly if no class, weak or strong, is enabled there. Without
 * fairness it may stay anywhere.
 */
export type LivenessProperty = {
  readonly name: string;
  /** Default: none. Properties that share one object share the data computed from it. */
  readonly fairness?: ActionFairness;
} & (
  | {
      readonly kind: 'ltl';
      /** `! & | -> <-> X F G U R W true false`, also `&& || [] <>`, over the keys of `atoms`. */
      readonly formula: string;
      readonly atoms: Readonly<Record<string, Predicate>>;
    }
  /** `G (from -> F to)` */
  | { readonly kind: 'leadsTo'; readonly from: Predicate; readonly to: Predicate }
  /** `F is` */
  | { readonly kind: 'eventually'; readonly is: Predicate }
);

/**
 * Maps an action (`Step.action`) to the number of its class, from 0, or -1 when it is in none. Called once
 * per action.
 */
export type ActionClass = (action: number) => number;

/** Weak and strong classes are numbered separately: weak class 0 and strong class 0 are not related. */
export interface ActionFairness {
  readonly weak?: ActionClass;
  readonly strong?: ActionClass;
}

/** `step` indexes `model.steps(process, local)`, where `local` is the local state of `process` before the step. */
export interface Move {
  readonly process: number;
  readonly step: number;
}

/**
 * A run that breaks the property: `stem` from `initial`, then `loop` for ever. `loop` ends in the state where
 * it starts. An empty `loop` is stuttering: the run stays in the state in which the stem ends.
 */
export interface Lasso {
  readonly initial: readonly number[];
  readonly stem: readonly Move[];
  readonly loop: readonly Move[];
}

/**
 * The reason why something was left out. `constraint`: states outside it were not explored further. The
 * others are limits of the options.
 */
export type Limit = 'constraint' | 'max-states' | 'max-memory' | 'timeout' | 'aborted';

/** `incomplete`: the explored part has no violation, and some part was not explored. */
export type LivenessVerdict =
  | {
      readonly name: string;
      readonly verdict: 'holds';
      /** The trigger, as a formula, that is true in no state. The property holds vacuously. */
      readonly vacuous?: string;
    }
  | { readonly name: string; readonly verdict: 'violated'; readonly lasso: Lasso }
  | { readonly name: string; readonly verdict: 'incomplete'; readonly limit: Limit };

export interface LivenessOptions {
  /** States outside it are counted and judged, but not explored further. */
  readonly constraint?: Predicate;
  /** Default: 2^31 - 1. */
  readonly maxStates?: number;
  /**
   * Maximum number of bytes for all tables together. The graph may take half. Memory of the model itself is
   * not counted. Default: 8 GiB. The limit is also reached when the number of states times the number of
   * automaton states is 2^31 or more.
   */
  readonly maxMemoryBytes?: number;
  /** Maximum time in milliseconds for everything together. Default: none. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Called about every `progressMs` milliseconds (default 200). */
  readonly onProgress?: (progress: LivenessProgress) => void;
  readonly progressMs?: number;
  /** Milliseconds since an arbitrary moment. Default: the monotonic clock of the process. */
  readonly now?: () => number;
}

export interface LivenessProgress {
  /** The property being checked. `null` while the graph is built. */
  readonly property: string | null;
  /** States of the graph. */
  readonly states: number;
  readonly transitions: number;
  /** States that are found and not expanded yet. */
  readonly frontier: number;
  /** Nodes of the product of graph and automaton, so far. */
  readonly productStates: number;
  readonly memoryBytes: number;
  readonly elapsedMs: number;
}

export interface LivenessResult {
  /** In the order of the properties. */
  readonly verdicts: readonly LivenessVerdict[];
  readonly states: number;
  readonly transitions: number;
  /** The first limit that left states of the graph unexplored. `null`: all were explored. */
  readonly cut: Limit | null;
  /** Number of states that the constraint kept from being explored. */
  readonly cutStates: number;
  /** The most memory that the tables used at any time. */
  readonly peakMemoryBytes: number;
}

/**
 * Returns the meaning of a property as a formula over numbered atoms.
 *
 * @throws LivenessError `FORMULA_SYNTAX`.
 */
export function formulaOf(property: LivenessProperty): {
  readonly formula: Formula;
  readonly names: readonly string[];
  readonly atoms: readonly Predicate[];
} {
  const over = (text: string, atoms: Readonly<Record<string, Predicate>>) => ({
    formula: parseFormula(text),
    names: Object.keys(atoms),
    atoms: Object.values(atoms),
  });
  switch (property.kind) {
    case 'ltl':
      return over(property.formula, property.atoms);
    case 'leadsTo':
      return over('G (from -> F to)', { from: property.from, to: property.to });
    case 'eventually':
      return over('F is', { is: property.is });
  }
}
