import { Numbered } from './numbered.ts';
import type { Action } from './system.ts';

/** Interns actions by their content. */
export class Actions {
  readonly #actions = new Numbered<string, Action>();
  readonly #known: readonly Partial<Record<Action['kind'], Map<number | string, number>>>[];

  constructor(processes: number) {
    this.#known = Array.from({ length: processes }, () => ({}));
  }

  get size(): number {
    return this.#actions.size;
  }

  at(index: number): Action {
    return this.#actions.at(index);
  }

  /** The action of this kind at `process` that is about `what`: an envelope, an event, a timer. `make` says it in full. */
  intern(process: number, kind: Action['kind'], what: number | string, make: () => Action): number {
    const ofProcess = this.#known[process]!;
    ofProcess[kind] ??= new Map();
    let index = ofProcess[kind].get(what);
    if (index === undefined) {
      const action = make();
      index = this.#actions.numberOf(JSON.stringify(action), action);
      ofProcess[kind].set(what, index);
    }
    return index;
  }
}
