/**
 * A transition system over integers, explored by the engine.
 *
 * A state is `width` processes, each holding a *local*: a small integer that stands for the whole state of one
 * actor, including its inbox. One transition is a step of one process, plus messages delivered to processes. Locals
 * and messages are dense: their interner counts from 0, per process, in the order of discovery.
 */
export interface Model {
  readonly width: number;
  readonly initial: readonly (readonly number[])[];
  /** The steps that `process` can take on its own while it holds `local`. Called once per pair. */
  steps(process: number, local: number): readonly Step[];
  /**
   * The local of `process` after it has received `message`. Called once per triple. `BLOCKED` when the message
   * cannot be received. Then the whole step is disabled in that state (an exhausted fault budget, a full
   * channel).
   */
  receive(process: number, local: number, message: number): number;
}

/** A step sets its own process to `to`, then delivers `sends` in order. A send may go to its own process. */
export interface Step {
  /** Index of the action, for traces and for fairness. The model defines its meaning. */
  readonly action: number;
  readonly to: number;
  readonly sends: readonly Send[];
}

export interface Send {
  readonly process: number;
  readonly message: number;
}

/** The answer of `receive` that disables the step. */
export const BLOCKED = -1;

/**
 * A predicate over states, in the two shapes that the engine can evaluate without decoding a state.
 *
 * - `sum`: each process contributes an unsigned 32-bit number that is remembered per local. The sum over the
 *   processes, modulo 2^32, is judged once per distinct sum. Suits counting and quantifying over actors.
 * - `tuple`: each process contributes an integer that is remembered per local. The tuple is judged for every new
 *   state. Suits pointers, trees and queues, and, more slowly, any predicate (observe the local itself).
 *
 * The judge must not keep or change the array that it is given.
 */
export type Predicate =
  | {
      readonly kind: 'sum';
      project(process: number, local: number): number;
      judge(sum: number): boolean;
    }
  | {
      readonly kind: 'tuple';
      observe(process: number, local: number): number;
      judge(observed: Int32Array): boolean;
      /**
       * The judge reads only these numbers and nothing in the model, so threads need not replay the model's
       * answers.
       */
      readonly pure?: boolean;
    };

/**
 * Declares that processes of a model are interchangeable: the processes of the scalar set, the places where a local
 * names them, and the local after a renaming.
 */
export interface Symmetry {
  /** The processes that may be permuted. Every other process keeps its place. */
  readonly processes: readonly number[];
  /**
   * A local as a multiset of labelled tuples of processes. `label` stands for everything that does not name a
   * process of the scalar set. `refs` are the processes it names, in a meaningful order. Two locals of processes of the
   * scalar set with equal multisets are the same local seen from different processes.
   */
  edges(process: number, local: number): readonly Edge[];
  /** The local of process `to[process]` after every process `c` is renamed to `to[c]`. */
  rename(process: number, local: number, to: readonly number[]): number;
}

export interface Edge {
  readonly label: number;
  readonly refs: readonly number[];
}

/** The state after `step` of `process`, or `null` when a receiver blocks it. */
export function apply(model: Model, state: readonly number[], process: number, step: Step): number[] | null {
  const after = [...state];
  after[process] = step.to;
  for (const send of step.sends) {
    const local = model.receive(send.process, after[send.process]!, send.message);
    if (local === BLOCKED) return null;
    after[send.process] = local;
  }
  return after;
}

/** Every enabled transition of `state`, process by process, in the order in which the model lists its steps. */
export function* successors(
  model: Model,
  state: readonly number[],
): Generator<{ readonly process: number; readonly step: Step; readonly after: number[] }> {
  for (let process = 0; process < model.width; process++) {
    for (const step of model.steps(process, state[process]!)) {
      const after = apply(model, state, process, step);
      if (after !== null) yield { process, step, after };
    }
  }
}
