import { SystemError } from './errors.ts';
import type { Moves } from './moves.ts';
import type { Outcome, Reactor } from './react.ts';
import type { Renamer } from './renamer.ts';
import type { World } from './world.ts';

/** How many inboxes of a core the environment's conditions are tried with: few of them look into the inbox. */
const inboxesTried = 4;

/**
 * Compares the behaviour of interchangeable actors with their behaviour under other names. Each distinct step,
 * delivery, restart and condition of the environment is tried under permutations that together generate all; one of
 * them reverses the order of the ids. `SYMMETRY_BROKEN` at the first difference.
 */
export class Equivariance {
  readonly #world: World;
  readonly #renamer: Renamer;
  readonly #reactors: readonly Reactor[];
  readonly #moves: readonly Moves[];
  readonly #trials: readonly (readonly number[])[];
  readonly #same: readonly number[];
  /** For each cell, how often each core or letter has been tried. */
  readonly #restarted: readonly number[][];
  readonly #delivered: readonly number[][];
  readonly #offered: readonly number[][];

  /** `reactors` and `moves` may be filled later. */
  constructor(world: World, renamer: Renamer, reactors: readonly Reactor[], moves: readonly Moves[]) {
    this.#world = world;
    this.#renamer = renamer;
    this.#reactors = reactors;
    this.#moves = moves;
    this.#trials = trials(world.movable);
    this.#restarted = world.ids.map(() => []);
    this.#delivered = world.ids.map(() => []);
    this.#offered = world.ids.map(() => []);
    this.#same = world.ids.map((_, cell) => cell);
  }

  take(cell: number, from: number, event: number, outcome: Outcome): void {
    for (const to of this.#trials) {
      const image = this.#renamer.core(cell, from, to);
      const other = this.#reactors[to[cell]!]!.answer(image, this.#world.values.rename(event, to));
      if (this.#under(cell, outcome, to) !== this.#text(other)) {
        const of = this.#world.values.text(event);
        throw this.#broken(`What machine '${this.#world.specs[cell]!.machine.id}' makes of ${of}`, to);
      }
    }
  }

  restart(cell: number, core: number, outcome: Outcome): void {
    if (!isNew(this.#restarted[cell]!, core, 1)) return;
    for (const to of this.#trials) {
      const other = this.#moves[to[cell]!]!.startAgain(this.#renamer.core(cell, core, to));
      if (this.#under(cell, outcome, to) !== this.#text(other)) throw this.#broken('The restart', to);
    }
  }

  deliver(cell: number, letter: number, event: number): void {
    if (!isNew(this.#delivered[cell]!, letter, 1)) return;
    for (const to of this.#trials) {
      const other = this.#moves[to[cell]!]!.eventOf(this.#renamer.letter(letter, to));
      if (this.#world.values.rename(event, to) !== other)
        throw this.#broken('What deliver makes of a message', to);
    }
  }

  /** `enabled`: the events that the environment offers the actor with this core and inbox. */
  environment(cell: number, core: number, inbox: number, enabled: readonly number[]): void {
    if (!isNew(this.#offered[cell]!, core, inboxesTried)) return;
    for (const to of this.#trials) {
      const image = this.#renamer.core(cell, core, to);
      const others = this.#moves[to[cell]!]!.offered(image, this.#renamer.inbox(inbox, to));
      const renamed = enabled.map((event) => this.#world.values.rename(event, to));
      if (renamed.sort().join() !== [...others].sort().join()) {
        throw this.#broken(`What the environment offers '${this.#world.ids[cell]}'`, to);
      }
    }
  }

  /** The outcome as it must be under other names. Sends to different targets may come in any order. */
  #under(cell: number, { core, sends }: Outcome, to: readonly number[]): string {
    if (this.#world.locals.core(core).fault !== null) return 'fault';
    const sent = sends.map(({ cell: target, letter }) => {
      const arrival = this.#world.arrivals[target]!;
      const renamed = this.#renamer.letter(arrival.first(letter), to);
      return { target: to[target]!, text: `${renamed} ${arrival.second(letter)}` };
    });
    sent.sort((left, right) => left.target - right.target);
    return `${this.#renamer.core(cell, core, to)} ${sent.map(({ target, text }) => `${target}<${text}`)}`;
  }

  #text(outcome: Outcome): string {
    return this.#under(0, outcome, this.#same);
  }

  #broken(what: string, to: readonly number[]): SystemError {
    const { ids } = this.#world;
    const renamed = ids.flatMap((id, cell) =>
      to[cell] === cell ? [] : [`${id} is called ${ids[to[cell]!]}`],
    );
    return new SystemError(
      'SYMMETRY_BROKEN',
      `${what} is something else when ${renamed.join(', ')}. Interchangeable actors may compare ids for equality ` +
        'only: no order, no sorting, no ids inside longer texts, no numbers instead of ids. Or leave out symmetry.',
    );
  }
}

function isNew(tried: number[], what: number, times: number): boolean {
  const before = tried[what] ?? 0;
  tried[what] = before + 1;
  return before < times;
}

/** For each cell, its new place: a swap, a rotation, and the order turned round; all others stay. */
function trials(movable: readonly boolean[]): readonly (readonly number[])[] {
  const cells = movable.flatMap((isMovable, cell) => (isMovable ? [cell] : []));
  const { length } = cells;
  if (length < 2) return [];
  const images: readonly ((index: number) => number)[] = [
    (index) => (index < 2 ? 1 - index : index),
    (index) => (index + 1) % length,
    (index) => length - 1 - index,
  ];
  const found = images.map((image) => {
    const to = movable.map((_, cell) => cell);
    for (const [index, cell] of cells.entries()) to[cell] = cells[image(index)]!;
    return to;
  });
  return found.filter((to, index) => found.findIndex((other) => other.join() === to.join()) === index);
}
