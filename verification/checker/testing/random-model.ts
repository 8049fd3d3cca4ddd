import fc from 'fast-check';
import { BLOCKED, type Model, type Step } from '../model.ts';

/**
 * Small random models with arbitrary steps, letters to the own and to other cells, and receptions that block.
 * A cell's locals are numbered in the order in which they are met, as `Model` requires.
 */
export function randomModel(): fc.Arbitrary<() => Model> {
  return fc
    .record({
      width: fc.integer({ min: 1, max: 7 }),
      values: fc.integer({ min: 1, max: 6 }),
      letters: fc.integer({ min: 1, max: 3 }),
      seed: fc.integer(),
    })
    .map((shape) => () => new RandomModel(shape));
}

/**
 * Random models whose cells lie among up to 70 cells that never change. A state then takes several words, and
 * the changing cells can lie anywhere in them.
 */
export function wideModel(): fc.Arbitrary<() => Model> {
  return fc.record({ make: randomModel(), gaps: fc.array(fc.nat(10), { minLength: 7, maxLength: 7 }) }).map(
    ({ make, gaps }) =>
      () =>
        spreadOut(make(), gaps),
  );
}

/** `model` with `gaps[cell]` idle cells before each of its own. */
export function spreadOut(model: Model, gaps: readonly number[]): Model {
  const at = Array.from({ length: model.width }, (_, cell) =>
    gaps.slice(0, cell + 1).reduce((sum, gap) => sum + gap, cell),
  );
  const width = at.at(-1)! + 1;
  const spread = (state: readonly number[]) => {
    const wide = new Array<number>(width).fill(0);
    for (const [cell, local] of state.entries()) wide[at[cell]!] = local;
    return wide;
  };
  return {
    width,
    initial: model.initial.map(spread),
    steps: (cell, local) =>
      !at.includes(cell)
        ? []
        : model.steps(at.indexOf(cell), local).map((step) => ({
            ...step,
            sends: step.sends.map((send) => ({ ...send, cell: at[send.cell]! })),
          })),
    receive: (cell, local, letter) => model.receive(at.indexOf(cell), local, letter),
  };
}

interface Shape {
  readonly width: number;
  readonly values: number;
  readonly letters: number;
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
    this.initial = [Array.from({ length: shape.width }, (_, cell) => this.intern(cell, 0))];
  }

  steps(cell: number, local: number): readonly Step[] {
    const value = this.values[cell]![local]!;
    const draw = this.draws(1, cell, value);
    return Array.from({ length: Math.max(0, draw(4) - 1) }, (_, action) => {
      const to = this.intern(cell, draw(this.shape.values));
      const sends = Array.from({ length: Math.max(0, draw(5) - 2) }, () => ({
        cell: draw(this.width),
        letter: draw(this.shape.letters),
      }));
      return { action, to, sends };
    });
  }

  receive(cell: number, local: number, letter: number): number {
    const draw = this.draws(2, cell, this.values[cell]![local]!, letter);
    return draw(5) === 0 ? BLOCKED : this.intern(cell, draw(this.shape.values));
  }

  private intern(cell: number, value: number): number {
    const known = this.values[cell]!;
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
