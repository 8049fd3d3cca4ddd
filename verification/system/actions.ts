import { Numbered } from './numbered.ts';
import type { Action } from './system.ts';

/** Interns actions: by what an actor knows them by, and by what they are. */
export class Actions {
  readonly #actions = new Numbered<string, Action>();
  readonly #known: readonly Partial<Record<Action['kind'], Map<number | string, number>>>[];

  constructor(cells: number) {
    this.#known = Array.from({ length: cells }, () => ({}));
  }

  get size(): number {
    return this.#actions.size;
  }

  at(index: number): Action {
    return this.#actions.at(index);
  }

  /** The action of this kind at `cell` that is about `what`: a letter, an event, a timer. `make` says it in full. */
  intern(cell: number, kind: Action['kind'], what: number | string, make: () => Action): number {
    const ofCell = this.#known[cell]!;
    ofCell[kind] ??= new Map();
    let index = ofCell[kind].get(what);
    if (index === undefined) {
      const action = make();
      index = this.#actions.numberOf(JSON.stringify(action), action);
      ofCell[kind].set(what, index);
    }
    return index;
  }
}
