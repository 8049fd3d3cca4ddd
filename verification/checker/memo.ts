import { CodedError } from '../../machines/errors.ts';
import { BLOCKED, type Model } from './model.ts';

/**
 * A model whose answers are remembered. Every step of every local has a number, in the order of discovery.
 */
export class Memo {
  /**
   * For each step number: its process, its index in `model.steps`, its action, and the new local of its process.
   */
  readonly process: number[] = [];
  readonly index: number[] = [];
  readonly action: number[] = [];
  readonly to: number[] = [];
  /**
   * For each step number: the start of its sends in `sendProcess` and `sendMessage`. They end where those of the
   * next step begin.
   */
  readonly sends: number[] = [0];
  readonly sendProcess: number[] = [];
  readonly sendMessage: number[] = [];
  readonly #model: Model;
  /** For each process and local: the number of its first step, and the number of its steps. */
  readonly #first: number[][];
  readonly #count: number[][];
  /** The answers of `receive`, by process, message and local. */
  readonly #received: number[][][];

  constructor(model: Model) {
    this.#model = model;
    const processes = Array.from({ length: model.width });
    this.#first = processes.map(() => []);
    this.#count = processes.map(() => []);
    this.#received = processes.map(() => []);
  }

  get size(): number {
    return this.action.length;
  }

  /** For each process: the number of locals that have been asked about. */
  get locals(): readonly number[] {
    return this.#count.map((counts) => counts.length);
  }

  /** The number of the first step of `local`. The others follow it, `count(process, local)` in all. */
  first(process: number, local: number): number {
    const known = this.#first[process]!;
    while (known.length <= local) known.push(-1);
    const first = known[local]!;
    return first >= 0 ? first : this.#list(process, local);
  }

  /** The number of steps of `local`. May be called only after `first`. */
  count(process: number, local: number): number {
    return this.#count[process]![local]!;
  }

  receive(process: number, local: number, message: number): number {
    const messages = this.#received[process]!;
    while (messages.length <= message) messages.push([]);
    const known = messages[message]!;
    while (known.length <= local) known.push(UNKNOWN);
    let after = known[local]!;
    if (after === UNKNOWN) {
      after = this.#model.receive(process, local, message);
      if (after !== BLOCKED) wholeNumber(after, `receive(${process}, ${local}, ${message})`);
      known[local] = after;
    }
    return after;
  }

  /**
   * Applies `step` to `state`, in place. Returns false when a receiver blocks the step; `state` is then
   * invalid.
   */
  apply(step: number, state: Int32Array): boolean {
    state[this.process[step]!] = this.to[step]!;
    for (let send = this.sends[step]!; send < this.sends[step + 1]!; send++) {
      const target = this.sendProcess[send]!;
      const after = this.receive(target, state[target]!, this.sendMessage[send]!);
      if (after === BLOCKED) return false;
      state[target] = after;
    }
    return true;
  }

  #list(process: number, local: number): number {
    const first = this.size;
    const steps = this.#model.steps(process, local);
    for (const [index, { action, to, sends }] of steps.entries()) {
      const what = `steps(${process}, ${local})[${index}]`;
      this.process.push(process);
      this.index.push(index);
      this.action.push(action);
      this.to.push(wholeNumber(to, `${what}.to`));
      for (const send of sends) {
        if (!(send.process in this.#first))
          throw malformed(`${what} sends to process ${send.process}`, 'a process of the model');
        this.sendProcess.push(send.process);
        this.sendMessage.push(wholeNumber(send.message, `a message of ${what}`));
      }
      this.sends.push(this.sendProcess.length);
    }
    this.#first[process]![local] = first;
    const counts = this.#count[process]!;
    while (counts.length <= local) counts.push(0);
    counts[local] = steps.length;
    return first;
  }
}

/** The model answered with a value that is not a valid state, step or message. */
export class ModelError extends CodedError<'MODEL_MALFORMED'> {}

const UNKNOWN = -2;

export function wholeNumber(value: number, what: string): number {
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 31) return value;
  throw malformed(`${what} is ${value}`, 'a whole number from 0 that fits 31 bits');
}

export function malformed(found: string, expected: string): ModelError {
  return new ModelError('MODEL_MALFORMED', `The model is malformed: ${found}, expected ${expected}.`);
}
