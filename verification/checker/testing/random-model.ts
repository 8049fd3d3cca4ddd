import fc from 'fast-check';
import { BLOCKED, type Model, type Step } from '../model.ts';

/**
 * Small random models with arbitrary steps, messages to the own and to other processes, and receptions that block.
 * A process's locals are numbered in the order in which they are met, as `Model` requires.
 */
export function randomModel(): fc.Arbitrary<() => Model> {
  return fc
    .record({
      width: fc.integer({ min: 1, max: 7 }),
      values: fc.integer({ min: 1, max: 6 }),
      messages: fc.integer({ min: 1, max: 3 }),
      seed: fc.integer(),
    })
    .map((shape) => () => new RandomModel(shape));
}

/**
 * Random models whose processes lie among up to 70 processes that never change. A state then takes several words, and
 * the changing processes can lie anywhere in them.
 */
export function wideModel(): fc.Arbitrary<() => Model> {
  return fc.record({ make: randomModel(), gaps: fc.array(fc.nat(10), { minLength: 7, maxLength: 7 }) }).map(
    ({ make, gaps }) =>
      () =>
        spreadOut(make(), gaps),
  );
}

/** `model` with `gaps[process]` idle processes before each of its own. */
export function spreadOut(model: Model, gaps: readonly number[]): Model {
  const at = Array.from({ length: model.width }, (_, process) =>
    gaps.slice(0, process + 1).reduce((sum, gap) => sum + gap, process),
  );
  const width = at.at(-1)! + 1;
  const spread = (state: readonly number[]) => {
    const wide = new Array<number>(width).fill(0);
    for (const [process, local] of state.entries()) wide[at[process]!] = local;
    return wide;
  };
  return {
    width,
    initial: model.initial.map(spread),
    steps: (process, local) =>
      !at.includes(process)
        ? []
        : model.steps(at.indexOf(process), local).map((step) => ({
            ...step,
            sends: step.sends.map((send) => ({ ...send, process: at[send.process]! })),
          })),
    receive: (process, local, message) => model.receive(at.indexOf(process), local, message),
  };
}

interface Shape {
  readonly width: number;
  readonly values: number;
  readonly messages: number;
  readonly seed: number;
}

class RandomModel implements Model {
  readonly width: number;
  readonly initial: readonly (readonly number[])[];
  private readonly shape: Shape;
  private readonly values: number[][];

  constructor(shape: Shape) {
    this.shape = shape;
    this.width = shape.width;
    this.values = Array.from({ length: shape.width }, () => []);
    this.initial = [Array.from({ length: shape.width }, (_, process) => this.intern(process, 0))];
  }

  steps(process: number, local: number): readonly Step[] {
    const value = this.values[process]![local]!;
    const draw = this.draws(1, process, value);
    return Array.from({ length: Math.max(0, draw(4) - 1) }, (_, action) => {
      const to = this.intern(process, draw(this.shape.values));
      const sends = Array.from({ length: Math.max(0, draw(5) - 2) }, () => ({
        process: draw(this.width),
        message: draw(this.shape.messages),
      }));
      return { action, to, sends };
    });
  }

  receive(process: number, local: number, message: number): number {
    const draw = this.draws(2, process, this.values[process]![local]!, message);
    return draw(5) === 0 ? BLOCKED : this.intern(process, draw(this.shape.values));
  }

  private intern(process: number, value: number): number {
    const known = this.values[process]!;
    const index = known.indexOf(value);
    return index === -1 ? known.push(value) - 1 : index;
  }

  /** Numbers below a bound that depend only on the seed and on `what`. */
  private draws(...what: number[]): (bound: number) => number {
    let state = what.reduce(
      (hash, number) => Math.imul(hash ^ number, 0x9e3779b1) ^ (hash >>> 15),
      this.shape.seed | 1,
    );
    return (bound) => {
      state = Math.imul(state ^ (state >>> 15), 0x85ebca6b) + 0x6d2b79f5;
      return ((state ^ (state >>> 13)) >>> 0) % bound;
    };
  }
}
