import { isDeepStrictEqual } from 'node:util';
import type { NamedAction, SiteId } from '../../machines/actor.ts';
import { heardBy } from '../system/history-variable.ts';
import type { History, InFlight, Property, StateRecord } from '../system/system.ts';
import type { Judgement } from './format.ts';
import { type Circumstances, type MachineOf, Verdicts, viewOf } from './verdicts.ts';

/** A step of a site: the effects of its machine, and the message that it took, if any. */
export interface JudgedStep {
  readonly site: SiteId;
  readonly effects: readonly NamedAction[];
  readonly delivered?: InFlight | null;
}

/** Judges all properties of a run, moment by moment, and keeps their history variable. */
export class Judges {
  readonly #verdicts: readonly Verdicts[];
  readonly #history: History | undefined;
  readonly #machineOf: MachineOf;
  #past: unknown;

  /** `past` is the value of the history after all sites have started. Default: its initial value. */
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

  /** Judges the next moment. `step` is the step that led to it. */
  next(state: StateRecord, step: JudgedStep | null, circumstances: Circumstances): readonly Judgement[] {
    if (step !== null) this.tell(step);
    const view = viewOf(state, this.#machineOf, this.#past);
    return this.#verdicts.map((verdict) => verdict.next(view, circumstances));
  }

  /**
   * Judges the next moment by the states of the sites alone. A property that reads anything else is not
   * judged.
   */
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

  /** The judgements of a moment about which too little is known. */
  none(reason: string): readonly Judgement[] {
    return this.#verdicts.map(() => notJudged(reason));
  }

  /** Records a step whose moment is not judged. */
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

/** The judgements of `after` that differ from those before, by the index of their property. */
export function changes(
  before: readonly Judgement[],
  after: readonly Judgement[],
): Readonly<Record<string, Judgement>> {
  const entries = after.flatMap((now, index) =>
    isDeepStrictEqual(before[index], now) ? [] : [[String(index), now] as const],
  );
  return Object.fromEntries(entries);
}
