import { CodedError } from '../../machines/errors.ts';
import { BLOCKED, type Model } from './model.ts';

/**
 * A model whose answers are remembered. Every step of every local has a number, in the order of discovery.
 */
export class Memo {
  /**
   * For each step number: its cell, its index in `model.steps`, its action, and the new local of its cell.
   */
  readonly cell: number[] = [];
  readonly index: number[] = [];
  readonly action: number[] = [];
  readonly to: number[] = [];
  /**
   * For each step number: the start of its sends in `sendCell` and `sendLetter`. They end where those of the
   * next step begin.
   */
  readonly sends: number[] = [0];
  readonly sendCell: number[] = [];
  readonly sendLetter: number[] = [];
  readonly #model: Model;
  /** For each cell and local: the number of its first step, and the number of its steps. */
  readonly #first: number[][];
  readonly #count: number[][];
  /** The answers of `receive`, by cell, letter and local. */
  readonly #received: number[][][];

  constructor(model: Model) {
    this.#model = model;
    const cells = Array.from({ length: model.width });
    this.#first = cells.map(() => []);
    this.#count = cells.map(() => []);
    this.#received = cells.map(() => []);
  }

  get size(): number {
    return this.action.length;
  }

  /** For each cell: the number of locals that have been asked about. */
  get locals(): readonly number[] {
    return this.#count.map((counts) => counts.length);
  }

  /** The number of the first step of `local`. The others follow it, `count(cell, local)` in all. */
  first(cell: number, local: number): number {
    const known = this.#first[cell]!;
    while (known.length <= local) known.push(-1);
    const first = known[local]!;
    return first >= 0 ? first : this.#list(cell, local);
  }

  /** The number of steps of `local`. May be called only after `first`. */
  count(cell: number, local: number): number {
    return this.#count[cell]![local]!;
  }

  receive(cell: number, local: number, letter: number): number {
    const letters = this.#received[cell]!;
    while (letters.length <= letter) letters.push([]);
    const known = letters[letter]!;
    while (known.length <= local) known.push(UNKNOWN);
    let after = known[local]!;
    if (after === UNKNOWN) {
      after = this.#model.receive(cell, local, letter);
      if (after !== BLOCKED) wholeNumber(after, `receive(${cell}, ${local}, ${letter})`);
      known[local] = after;
    }
    return after;
  }

  /**
   * Applies `step` to `state`, in place. Returns false when a receiver blocks the step; `state` is then
   * invalid.
   */
  apply(step: number, state: Int32Array): boolean {
    state[this.cell[step]!] = this.to[step]!;
    for (let send = this.sends[step]!; send < this.sends[step + 1]!; send++) {
      const target = this.sendCell[send]!;
      const after = this.receive(target, state[target]!, this.sendLetter[send]!);
      if (after === BLOCKED) return false;
      state[target] = after;
    }
    return true;
  }

  #list(cell: number, local: number): number {
    const first = this.size;
    const steps = this.#model.steps(cell, local);
    for (const [index, { action, to, sends }] of steps.entries()) {
      const what = `steps(${cell}, ${local})[${index}]`;
      this.cell.push(cell);
      this.index.push(index);
      this.action.push(action);
      this.to.push(wholeNumber(to, `${what}.to`));
      for (const send of sends) {
        if (!(send.cell in this.#first))
          throw malformed(`${what} sends to cell ${send.cell}`, 'a cell of the model');
        this.sendCell.push(send.cell);
        this.sendLetter.push(wholeNumber(send.letter, `a letter of ${what}`));
      }
      this.sends.push(this.sendCell.length);
    }
    this.#first[cell]![local] = first;
    const counts = this.#count[cell]!;
    while (counts.length <= local) counts.push(0);
    counts[local] = steps.length;
    return first;
  }
}

/** The model answered with a value that is not a valid state, step or letter. */
export class ModelError extends CodedError<'MODEL_MALFORMED'> {}

const UNKNOWN = -2;

export function wholeNumber(value: number, what: string): number {
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 31) return value;
  throw malformed(`${what} is ${value}`, 'a whole number from 0 that fits 31 bits');
}

export function malformed(found: string, expected: string): ModelError {
  return new ModelError('MODEL_MALFORMED', `The model is malformed: ${found}, expected ${expected}.`);
}
