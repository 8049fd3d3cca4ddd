import { SystemError } from '../errors.ts';
import { withoutClockAndChance } from '../purity.ts';

/** The values that the clock and chance may give, by name. Each call may give each value. */
export type Chance = Readonly<Partial<Record<ChanceDoor, readonly unknown[]>>>;

/** `Date.now` stands for `new Date()` too. */
export type ChanceDoor =
  | 'Math.random'
  | 'Date.now'
  | 'performance.now'
  | 'crypto.randomUUID'
  | 'crypto.getRandomValues';

/** A step with more ways than this is refused. */
const mostWays = 1_000;

/** The values that chance gives in one run of a step: the first one at each call, unless a script says otherwise. */
export class Draws {
  /** The number of the value at each call, and the number of possible values. */
  readonly script: number[] = [];
  readonly drawn: unknown[] = [];
  readonly #chance: Chance;
  readonly #wanted: readonly number[];
  readonly #options: number[] = [];

  constructor(chance: Chance, wanted: readonly number[] = []) {
    this.#chance = chance;
    this.#wanted = [...wanted];
  }

  /** Runs `step` in every possible way. Throws `MACHINE_IMPURE` if there are over a thousand. */
  static all<Result>(chance: Chance, step: (draws: Draws) => Result): readonly Result[] {
    const results: Result[] = [];
    for (let next: readonly number[] | null = []; next !== null; ) {
      if (results.length === mostWays) {
        throw new SystemError(
          'MACHINE_IMPURE',
          `A step calls for chance so often that it can go in over ${mostWays} ways. Declare fewer values for it.`,
        );
      }
      const draws: Draws = new Draws(chance, next);
      results.push(step(draws));
      next = draws.#following();
    }
    return results;
  }

  /** Runs a step of `who`. `where` describes the step in the error about an undeclared source. */
  during<Result>(who: string, where: () => string, step: () => Result): Result {
    this.script.length = 0;
    this.drawn.length = 0;
    this.#options.length = 0;
    const refuse = (door: string) =>
      new SystemError(
        'MACHINE_IMPURE',
        `${who} reads ${door} ${where()}, so that one event has many outcomes. Pass time and random values in as an event ` +
          `or as input, or declare the values that it may give, beside the machine: chance: { ${JSON.stringify(nameOf(door))}: [...] }.`,
      );
    return withoutClockAndChance(step, refuse, (door) => this.#draw(door as ChanceDoor));
  }

  #draw(door: ChanceDoor): { readonly value: unknown } | undefined {
    const values = this.#chance[door];
    if (values === undefined || values.length === 0) return undefined;
    const number = this.#wanted[this.script.length] ?? 0;
    this.script.push(number);
    this.#options.push(values.length);
    const value = values[number];
    this.drawn.push(value);
    return { value };
  }

  /** The script after this one, `null` after the last. */
  #following(): readonly number[] | null {
    const last = this.script.findLastIndex((number, call) => number + 1 < this.#options[call]!);
    return last < 0 ? null : [...this.script.slice(0, last), this.script[last]! + 1];
  }
}

function nameOf(door: string): string {
  return /Date/.test(door) ? 'Date.now' : door;
}
