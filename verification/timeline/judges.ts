import type { NamedAction, SiteId } from '../../machines/actor.ts';
import { heardBy } from '../system/history-variable.ts';
import type { History, InFlight, Property, StateRecord } from '../system/system.ts';
import type { Judgement } from './format.ts';
import { sorted } from './taken.ts';
import { type Circumstances, type MachineOf, Verdicts, viewOf } from './verdicts.ts';

/** A step of a site: what its machine asked for, and the message that it took, if it took one. */
export interface JudgedStep {
  readonly site: SiteId;
  readonly effects: readonly NamedAction[];
  readonly delivered?: InFlight | null;
}

/** Judges all properties of a run, moment by moment, and remembers what their history variable must know. */
export class Judges {
  readonly #verdicts: readonly Verdicts[];
  readonly #history: History | undefined;
  readonly #machineOf: MachineOf;
  #past: unknown;

  /** `past`: what the history is once all have started. Default: as it is before. */
  constructor(
    properties: readonly Property[],
    machineOf: MachineOf,
    history: History | undefined,
    past: unknown = history?.initial,
  ) {
    this.#machineOf = machineOf;
    this.#verdicts = properties.map((property) => new Verdicts(property));
    this.#history = history;
    this.#past = past;
  }

  /** The next moment; `step`: what led there. */
  next(state: StateRecord, step: JudgedStep | null, circumstances: Circumstances): readonly Judgement[] {
    if (step !== null) this.tell(step);
    const view = viewOf(state, this.#machineOf, this.#past);
    return this.#verdicts.map((verdict) => verdict.next(view, circumstances));
  }

  /** The next moment, of which no more is known than how the sites are: who looks at more is not judged. */
  nextBySites(state: StateRecord): readonly Judgement[] {
    let hasLooked = false;
    const view = viewOf(state, this.#machineOf, this.#past, () => {
      hasLooked = true;
    });
    return this.#verdicts.map((verdict) => {
      hasLooked = false;
      const judgement = verdict.next(view, { stuck: null, loop: null });
      return hasLooked ? notJudged('what is under way, or was before, was not all seen') : judgement;
    });
  }

  /** A moment of which too little is known. */
  none(reason: string): readonly Judgement[] {
    return this.#verdicts.map(() => notJudged(reason));
  }

  /** A step whose moment is not judged. */
  tell({ site, effects, delivered = null }: JudgedStep): void {
    const history = this.#history;
    if (history === undefined) return;
    const heard = heardBy(history, effects, delivered);
    if (heard !== null) this.#past = history.after(this.#past, site, heard.effects, heard.delivered);
  }
}

function notJudged(reason: string): Judgement {
  return { verdict: 'open', reason: `not judged: ${reason}` };
}

/** The judgements of `after` that are others than before, by the index of their property. */
export function changes(
  before: readonly Judgement[],
  after: readonly Judgement[],
): Readonly<Record<string, Judgement>> {
  const entries = after.flatMap((now, index) =>
    sorted(before[index]) === sorted(now) ? [] : [[String(index), now] as const],
  );
  return Object.fromEntries(entries);
}
