/**
 * What the engine explores: a transition system over integers.
 *
 * A state is `width` cells, each holding a *local*: a small integer that stands for everything one
 * actor is, its inbox included. One transition is a step of one cell, and a letter put into others.
 * Locals and letters are dense: whoever interns them counts from 0, per cell, in the order of discovery.
 */
export interface Model {
  readonly width: number;
  readonly initial: readonly (readonly number[])[];
  /** Every step that `cell` can take on its own account while it holds `local`; asked once per pair. */
  steps(cell: number, local: number): readonly Step[];
  /**
   * What `cell` holds once `letter` has reached it; asked once per triple. `BLOCKED` when it cannot be
   * taken: then the whole step is disabled in that state (a spent budget of faults, a full channel).
   */
  receive(cell: number, local: number, letter: number): number;
}

/** A step sets its own cell to `to`, then delivers `sends` in order (to its own cell too, if it says so). */
export interface Step {
  /** Index of the action, for traces and for fairness; its meaning belongs to the model. */
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
 * - `sum`: each cell contributes an unsigned 32-bit number that is remembered per local; the sum over
 *   the cells, modulo 2^32, is judged, once per distinct sum. Counting and quantifying over actors.
 * - `tuple`: each cell contributes an integer that is remembered per local; the tuple is judged for
 *   every new state. Pointers, trees, queues; and, slower, anything at all (observe the local itself).
 *
 * Judging must not keep or change the array it is given.
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
      /** The judge looks at these numbers alone and at nothing in the model: threads need not follow it. */
      readonly pure?: boolean;
    };

/**
 * How a model whose cells are interchangeable says so: which cells form the scalar set, where a local
 * names them, and what it becomes when they are renamed.
 */
export interface Symmetry {
  /** The cells that may be permuted; every other cell stays where it is. */
  readonly cells: readonly number[];
  /**
   * A local as a multiset of labelled tuples of cells: `label` stands for all that does not name a cell
   * of the scalar set, `refs` are the cells it names, in an order that means something. Two locals with
   * equal multisets, of cells of the scalar set, are the same local seen from another cell.
   */
  edges(cell: number, local: number): readonly Edge[];
  /** The local that cell `to[cell]` holds once every cell `c` is called `to[c]`. */
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
