import type { Bound, Network } from '../system/system.ts';
import type { Table, TableActor } from './table.ts';

/** The kinds of faults of the network, by the variables that count them. */
export type Fault = 'lost' | 'duplicated' | 'broken';
export const faults: readonly Fault[] = ['lost', 'duplicated', 'broken'];

/** The facts of a table that more than one part of its text rests on, in Promela or TLA+. */
export class Layout {
  readonly table: Table;
  readonly network: Network;
  readonly isFifo: boolean;
  readonly capacity: number | null;
  /** Links that ever hold a message. Each is a channel: SPIN knows it by its index here. */
  readonly links: readonly number[];
  /** Whether the initial state is chosen by a step: there are several, or messages are sent in it. */
  readonly hasFirstStep: boolean;
  /** How many faults of each kind there may be. */
  readonly faults: Readonly<Record<Fault, Bound | 'persistent'>>;

  constructor(table: Table) {
    this.table = table;
    this.network = table.system.network;
    this.isFifo = this.network.order === 'fifo';
    this.capacity = this.network.capacity === 'unbounded' ? null : (this.network.capacity ?? null);
    this.links = table.links.flatMap(({ most }, link) => (most > 0 ? [link] : []));
    const { loss = 0, duplication = 0, breaks = 0 } = this.network;
    this.faults = { lost: loss, duplicated: duplication, broken: breaks };
    this.hasFirstStep = table.starts.length > 1 || table.starts.some(({ sent }) => sent.length > 0);
  }

  /** The channels to an actor. */
  linksTo(actorIndex: number): readonly number[] {
    return this.links.filter((link) => this.table.links[link]!.target === actorIndex);
  }

  /** How many faults of a kind there may be; `null`: none, or without bound. */
  bound(fault: Fault): number | null {
    const bound = this.faults[fault];
    return typeof bound === 'number' && bound > 0 ? bound : null;
  }

  #linkTo(actorIndex: number): number {
    return this.table.links.findIndex(({ target }) => target === actorIndex);
  }

  drops(actorIndex: number, local: number, message: number, toAll: boolean): boolean {
    return this.table.actors[actorIndex]!.drops(local, this.#linkTo(actorIndex), message, toAll);
  }

  purges(actorIndex: number, local: number, message: number): boolean {
    return this.table.actors[actorIndex]!.purges(local, this.#linkTo(actorIndex), message);
  }

  readonly #dropping = new Map<number, boolean>();
  everDrops(actorIndex: number): boolean {
    let known = this.#dropping.get(actorIndex);
    if (known === undefined) {
      known = this.table.actors[actorIndex]!.locals.some((_, local) =>
        this.table.messages.some(
          (__, message) =>
            this.drops(actorIndex, local, message, true) || this.drops(actorIndex, local, message, false),
        ),
      );
      this.#dropping.set(actorIndex, known);
    }
    return known;
  }

  everPurges(actorIndex: number): boolean {
    return this.table.compiled.world.specs[actorIndex]!.dead !== undefined;
  }

  /** SPIN takes no inline of more text. */
  isLarge({ rows }: TableActor): boolean {
    return rows.length > 150;
  }
}
