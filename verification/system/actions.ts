import type { Action } from './system.ts';

/** Interns actions: by what an actor knows them by, and by what they are. */
export class Actions {
  readonly #actions: Action[] = [];
  readonly #byText = new Map<string, number>();
  readonly #known: readonly Partial<Record<Action['kind'], Map<number | string, number>>>[];

  constructor(cells: number) {
    this.#known = Array.from({ length: cells }, () => ({}));
  }

  get size(): number {
    return this.#actions.length;
  }

  at(index: number): Action {
    return this.#actions[index]!;
  }

  /** The action of this kind at `cell` that is about `what`: a letter, an event, a timer. `make` says it in full. */
  intern(cell: number, kind: Action['kind'], what: number | string, make: () => Action): number {
    const ofCell = this.#known[cell]!;
    ofCell[kind] ??= new Map();
    let index = ofCell[kind].get(what);
    if (index === undefined) {
      index = this.#internText(make());
      ofCell[kind].set(what, index);
    }
    return index;
  }

  #internText(action: Action): number {
    const text = JSON.stringify(action);
    let index = this.#byText.get(text);
    if (index === undefined) {
      index = this.#actions.push(action) - 1;
      this.#byText.set(text, index);
    }
    return index;
  }
}
