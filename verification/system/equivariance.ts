import { SystemError } from './errors.ts';
import type { Moves } from './moves.ts';
import type { Outcome, Reactor } from './react.ts';
import type { Renamer } from './renamer.ts';
import type { World } from './world.ts';

/**
 * Number of inboxes of a core with which the conditions of the environment are tried: few of them read the
 * inbox.
 */
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
  /** For each process, how often each core or envelope has been tried. */
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
    this.#same = world.ids.map((_, process) => process);
  }

  take(process: number, from: number, event: number, outcome: Outcome): void {
    for (const to of this.#trials) {
      const image = this.#renamer.core(process, from, to);
      const other = this.#reactors[to[process]!]!.answer(image, this.#world.values.rename(event, to));
      if (this.#under(process, outcome, to) !== this.#text(other)) {
        const of = this.#world.values.text(event);
        throw this.#broken(`What machine '${this.#world.specs[process]!.machine.id}' makes of ${of}`, to);
      }
    }
  }

  restart(process: number, core: number, outcome: Outcome): void {
    if (!isNew(this.#restarted[process]!, core, 1)) return;
    for (const to of this.#trials) {
      const other = this.#moves[to[process]!]!.startAgain(this.#renamer.core(process, core, to));
      if (this.#under(process, outcome, to) !== this.#text(other)) throw this.#broken('The restart', to);
    }
  }

  deliver(process: number, envelope: number, event: number): void {
    if (!isNew(this.#delivered[process]!, envelope, 1)) return;
    for (const to of this.#trials) {
      const other = this.#moves[to[process]!]!.eventOf(this.#renamer.envelope(envelope, to));
      if (this.#world.values.rename(event, to) !== other)
        throw this.#broken('What deliver makes of a message', to);
    }
  }

  /** `enabled`: the events that the environment offers to the actor with this core and inbox. */
  environment(process: number, core: number, inbox: number, enabled: readonly number[]): void {
    if (!isNew(this.#offered[process]!, core, inboxesTried)) return;
    for (const to of this.#trials) {
      const image = this.#renamer.core(process, core, to);
      const others = this.#moves[to[process]!]!.offered(image, this.#renamer.inbox(inbox, to));
      const renamed = enabled.map((event) => this.#world.values.rename(event, to));
      if (renamed.sort().join() !== [...others].sort().join()) {
        throw this.#broken(`What the environment offers '${this.#world.ids[process]}'`, to);
      }
    }
  }

  /** Returns the outcome under other names. Sends to different targets may come in any order. */
  #under(process: number, { core, sends }: Outcome, to: readonly number[]): string {
    if (this.#world.locals.core(core).fault !== null) return 'fault';
    const sent = sends.map(({ process: target, message: envelope }) => {
      const arrival = this.#world.arrivals[target]!;
      const renamed = this.#renamer.envelope(arrival.first(envelope), to);
      return { target: to[target]!, text: `${renamed} ${arrival.second(envelope)}` };
    });
    sent.sort((left, right) => left.target - right.target);
    return `${this.#renamer.core(process, core, to)} ${sent.map(({ target, text }) => `${target}<${text}`)}`;
  }

  #text(outcome: Outcome): string {
    return this.#under(0, outcome, this.#same);
  }

  #broken(what: string, to: readonly number[]): SystemError {
    const { ids } = this.#world;
    const renamed = ids.flatMap((id, process) =>
      to[process] === process ? [] : [`${id} is called ${ids[to[process]!]}`],
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

/**
 * Returns renamings, as the new place of each process: a swap, a rotation, and the reversed order. All other
 * processes stay.
 */
function trials(movable: readonly boolean[]): readonly (readonly number[])[] {
  const processes = movable.flatMap((isMovable, process) => (isMovable ? [process] : []));
  const { length } = processes;
  if (length < 2) return [];
  const images: readonly ((index: number) => number)[] = [
    (index) => (index < 2 ? 1 - index : index),
    (index) => (index + 1) % length,
    (index) => length - 1 - index,
  ];
  const found = images.map((image) => {
    const to = movable.map((_, process) => process);
    for (const [index, process] of processes.entries()) to[process] = processes[image(index)]!;
    return to;
  });
  return found.filter((to, index) => found.findIndex((other) => other.join() === to.join()) === index);
}
