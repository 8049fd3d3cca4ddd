import type { Predicate } from '../model.ts';
import { type Formula, parseFormula } from './ltl.ts';

/**
 * What must hold on every fair run.
 *
 * A *run* starts in an initial state and takes enabled transitions, one by one, for ever; or, from some
 * state on, it stays there for ever (*stutters*, as in TLA+): a deadlock is such an end. Stuttering is a
 * run's end only, so `X` speaks of the state after the next transition, or of the same state when the
 * run stays. A formula without `X` cannot tell the difference (L. Lamport, "What good is temporal
 * logic?", 1983).
 *
 * A class of actions is *enabled* in a state when some transition of the class leaves it; one that leads
 * back to the same state counts, enabled and taken; a step that a receiver blocks does not. A run is
 * *fair* to a class
 * - weakly: when the class is not enabled from some point on without a break, or is taken again and again;
 * - strongly: when the class is enabled only finitely often, or is taken again and again.
 *
 * So a fair run may stay in a state for ever exactly if no class, weak or strong, is enabled there;
 * without fairness it may stay anywhere.
 */
export type LivenessProperty = {
  readonly name: string;
  /** Default: none. Properties that share one object share what is computed from it. */
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

/** Gives an action (`Step.action`) the number of its class, from 0, or -1 when it is in none. Asked once per action. */
export type ActionClass = (action: number) => number;

/** Weak and strong classes are numbered apart: class 0 of the one has nothing to do with class 0 of the other. */
export interface ActionFairness {
  readonly weak?: ActionClass;
  readonly strong?: ActionClass;
}

/** `step` indexes `model.steps(cell, local)` of the local that `cell` holds before. */
export interface Move {
  readonly cell: number;
  readonly step: number;
}

/**
 * A run that breaks the property: `stem` from `initial`, then `loop` for ever, which ends in the state
 * where it starts. An empty `loop` is stuttering: the run stays in the state that the stem ends in.
 */
export interface Lasso {
  readonly initial: readonly number[];
  readonly stem: readonly Move[];
  readonly loop: readonly Move[];
}

/** Why something was left out. `constraint`: states outside it were not explored further; else a limit of the options. */
export type Limit = 'constraint' | 'max-states' | 'max-memory' | 'timeout' | 'aborted';

/** `incomplete`: no violation in what was explored, and that was not everything. */
export type LivenessVerdict =
  | { readonly name: string; readonly verdict: 'holds' }
  | { readonly name: string; readonly verdict: 'violated'; readonly lasso: Lasso }
  | { readonly name: string; readonly verdict: 'incomplete'; readonly limit: Limit };

export interface LivenessOptions {
  /** States outside it are counted, judged, and not explored further. */
  readonly constraint?: Predicate;
  /** Default: 2^31 - 1. */
  readonly maxStates?: number;
  /**
   * For all tables together, of which the graph may take half; what the model itself remembers is not
   * counted. Default: 8 GiB. Reached as well when states times states of the automaton are 2^31 or more.
   */
  readonly maxMemoryBytes?: number;
  /** For everything together. Default: none. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Called about every `progressMs` (default 200). */
  readonly onProgress?: (progress: LivenessProgress) => void;
  readonly progressMs?: number;
  /** Milliseconds since any moment. Default: the process's monotonic clock. */
  readonly now?: () => number;
}

export interface LivenessProgress {
  /** The property in work; `null` while the graph is built. */
  readonly property: string | null;
  /** Of the graph. */
  readonly states: number;
  readonly transitions: number;
  /** Found and not expanded yet. */
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
  /** The first limit that left states of the graph unexplored; `null`: all were explored. */
  readonly cut: Limit | null;
  /** States that the constraint kept from being explored. */
  readonly cutStates: number;
  /** The most that the tables took at any time. */
  readonly peakMemoryBytes: number;
}

/**
 * What a property says, as a formula over numbered atoms.
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
