/**
 * A transition system over integers, explored by the engine.
 *
 * A state is `width` cells, each holding a *local*: a small integer that stands for the whole state of one
 * actor, including its inbox. One transition is a step of one cell, plus letters delivered to cells. Locals
 * and letters are dense: their interner counts from 0, per cell, in the order of discovery.
 */
export interface Model {
  readonly width: number;
  readonly initial: readonly (readonly number[])[];
  /** The steps that `cell` can take on its own while it holds `local`. Called once per pair. */
  steps(cell: number, local: number): readonly Step[];
  /**
   * The local of `cell` after it has received `letter`. Called once per triple. `BLOCKED` when the letter
   * cannot be received. Then the whole step is disabled in that state (an exhausted fault budget, a full
   * channel).
   */
  receive(cell: number, local: number, letter: number): number;
}

/** A step sets its own cell to `to`, then delivers `sends` in order. A send may go to its own cell. */
export interface Step {
  /** Index of the action, for traces and for fairness. The model defines its meaning. */
  readonly action: number;
  readonly to: number;
  readonly sends: readonly Send[];
}

export interface Send {
  readonly cell: number;
  readonly letter: number;
}

/** The answer of `receive` that disables the step. */
export const BLOCKED = -1;

/**
 * A predicate over states, in the two shapes that the engine can evaluate without decoding a state.
 *
 * - `sum`: each cell contributes an unsigned 32-bit number that is remembered per local. The sum over the
 *   cells, modulo 2^32, is judged once per distinct sum. Suits counting and quantifying over actors.
 * - `tuple`: each cell contributes an integer that is remembered per local. The tuple is judged for every new
 *   state. Suits pointers, trees and queues, and, more slowly, any predicate (observe the local itself).
 *
 * The judge must not keep or change the array that it is given.
 */
export type Predicate =
  | {
      readonly kind: 'sum';
      weigh(cell: number, local: number): number;
      judge(sum: number): boolean;
    }
  | {
      readonly kind: 'tuple';
      observe(cell: number, local: number): number;
      judge(observed: Int32Array): boolean;
      /**
       * The judge reads only these numbers and nothing in the model, so threads need not replay the model's
       * answers.
       */
      readonly pure?: boolean;
    };

/**
 * Declares that cells of a model are interchangeable: the cells of the scalar set, the places where a local
 * names them, and the local after a renaming.
 */
export interface Symmetry {
  /** The cells that may be permuted. Every other cell keeps its place. */
  readonly cells: readonly number[];
  /**
   * A local as a multiset of labelled tuples of cells. `label` stands for everything that does not name a
   * cell of the scalar set. `refs` are the cells it names, in a meaningful order. Two locals of cells of the
   * scalar set with equal multisets are the same local seen from different cells.
   */
  edges(cell: number, local: number): readonly Edge[];
  /** The local of cell `to[cell]` after every cell `c` is renamed to `to[c]`. */
  rename(cell: number, local: number, to: readonly number[]): number;
}

export interface Edge {
  readonly label: number;
  readonly refs: readonly number[];
}

/** The state after `step` of `cell`, or `null` when a receiver blocks it. */
export function apply(model: Model, state: readonly number[], cell: number, step: Step): number[] | null {
  const after = [...state];
  after[cell] = step.to;
  for (const send of step.sends) {
    const local = model.receive(send.cell, after[send.cell]!, send.letter);
    if (local === BLOCKED) return null;
    after[send.cell] = local;
  }
  return after;
}

/** Every enabled transition of `state`, cell by cell, in the order in which the model lists its steps. */
export function* successors(
  model: Model,
  state: readonly number[],
): Generator<{ readonly cell: number; readonly step: Step; readonly after: number[] }> {
  for (let cell = 0; cell < model.width; cell++) {
    for (const step of model.steps(cell, state[cell]!)) {
      const after = apply(model, state, cell, step);
      if (after !== null) yield { cell, step, after };
    }
  }
}
