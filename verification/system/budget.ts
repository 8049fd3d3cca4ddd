import { BLOCKED, type Send } from '../checker/model.ts';
import { SystemError } from './errors.ts';
import { Numbered } from './numbered.ts';
import type { Bound, Network } from './system.ts';

export type Fault = 'loss' | 'duplication' | 'breaks';
const faults: readonly Fault[] = ['loss', 'duplication', 'breaks'];

/** The faults that the network may still commit, as one more process: a step that commits one sends it the message. */
export class Budget {
  readonly #process: number;
  /** The faults that are counted, in the order of the messages. */
  readonly #counted: readonly Fault[];
  readonly #allowed: ReadonlySet<Fault>;
  readonly #left = new Numbered<string, readonly number[]>();

  constructor(network: Network, process: number) {
    this.#process = process;
    const bounds = faults.map((fault) => [fault, boundOf(network, fault)] as const);
    this.#counted = bounds.flatMap(([fault, bound]) => (isCounted(bound) ? [fault] : []));
    this.#allowed = new Set(bounds.flatMap(([fault, bound]) => (bound === 0 ? [] : [fault])));
    this.#intern(bounds.flatMap(([, bound]) => (isCounted(bound) ? [bound] : [])));
  }

  /** 1 if there is a counted fault, otherwise 0. */
  get processes(): number {
    return this.#counted.length === 0 ? 0 : 1;
  }

  allows(fault: Fault): boolean {
    return this.#allowed.has(fault);
  }

  spend(fault: Fault): readonly Send[] {
    const message = this.#counted.indexOf(fault);
    return message < 0 ? [] : [{ process: this.#process, message }];
  }

  receive(local: number, message: number): number {
    const left = [...this.#left.at(local)];
    if (left[message] === 0) return BLOCKED;
    left[message]!--;
    return this.#intern(left);
  }

  #intern(left: readonly number[]): number {
    return this.#left.numberOf(left.join(), left);
  }
}

function boundOf(network: Network, fault: Fault): Bound {
  const bound = network[fault] ?? 0;
  return bound === 'persistent' ? 0 : checkBound(bound, `network.${fault}`);
}

function isCounted(bound: Bound): bound is number {
  return bound !== 'unbounded' && bound > 0;
}

/** Throws `SYSTEM_INVALID` unless the bound is a whole number from 0 or `'unbounded'`. */
export function checkBound(bound: Bound, where: string): Bound {
  if (bound === 'unbounded' || (Number.isSafeInteger(bound) && bound >= 0)) return bound;
  throw new SystemError(
    'SYSTEM_INVALID',
    `${where} must be a whole number from 0 or 'unbounded', and is ${String(bound)}.`,
  );
}
