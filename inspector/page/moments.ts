import type { Judgement, SiteState, Timeline } from '../../verification/timeline/format.ts';
import { Spans } from './spans.ts';

/** Random access to the moments of a timeline. A site's state is found by binary search, not by walking. */
export class Moments {
  readonly timeline: Timeline;
  readonly #sites: ReadonlyMap<string, History<SiteState>>;
  readonly #verdicts: readonly History<Judgement>[];
  /** Does some step have a time? */
  readonly isTimed: boolean;
  readonly #spans = new Spans();

  constructor(timeline: Timeline) {
    this.timeline = timeline;
    const { sites, start, steps, properties } = timeline;
    this.#sites = new Map(sites.map(({ id }) => [id, new History(start.sites[id]!)]));
    this.#verdicts = properties.map((_, index) => new History(start.verdicts[index] ?? { verdict: 'open' }));
    this.isTimed = steps.some(({ at }) => at !== undefined);
    for (const [index, step] of steps.entries()) {
      for (const [id, state] of Object.entries(step.sites)) this.#sites.get(id)?.add(index + 1, state);
      for (const [of, judgement] of Object.entries(step.verdicts)) {
        this.#verdicts[Number(of)]?.add(index + 1, judgement);
      }
    }
    for (const [index, { sent, ended }] of timeline.messages.entries()) {
      this.#spans.add(index, sent, ended ?? this.last);
    }
  }

  get last(): number {
    return this.timeline.steps.length;
  }

  /** The number of the step before a moment, also counted over the steps that are no longer kept. */
  numberOf(moment: number): number {
    return moment + (this.timeline.forgotten ?? 0);
  }

  site(id: string, moment: number): SiteState {
    return this.#sites.get(id)!.at(moment);
  }

  /** The moments at which the site changed, and its state from each on. */
  siteHistory(id: string): History<SiteState> {
    return this.#sites.get(id)!;
  }

  verdict(property: number, moment: number): Judgement {
    return this.#verdicts[property]!.at(moment);
  }

  /** The first moment at which the property is violated, if any. */
  brokenSince(property: number): number | null {
    const history = this.#verdicts[property]!;
    const index = history.values.findIndex(({ verdict }) => verdict === 'violated');
    return index < 0 ? null : history.moments[index]!;
  }

  /** The moment since which the property has been violated without a break until `moment`, at which it is. */
  violatedUntil(property: number, moment: number): number {
    const history = this.#verdicts[property]!;
    let index = history.indexAt(moment);
    while (history.values[index - 1]?.verdict === 'violated') index--;
    return history.moments[index]!;
  }

  /** Indices of the messages that are on their way at `moment`. */
  underWay(moment: number): readonly number[] {
    return this.messages(moment, moment).filter((index) => {
      const { sent, ended } = this.timeline.messages[index]!;
      return sent <= moment && (ended === null || ended > moment);
    });
  }

  /**
   * Indices of the messages that are on their way at some moment from `from` to `to`, inclusive. The list may
   * contain others.
   */
  messages(from: number, to: number): readonly number[] {
    return this.#spans.within(Math.max(0, from), Math.min(this.last, to));
  }
}

/** A value that changes at some moments. */
export class History<Value> {
  readonly moments: number[] = [0];
  readonly values: Value[];

  constructor(first: Value) {
    this.values = [first];
  }

  add(moment: number, value: Value): void {
    this.moments.push(moment);
    this.values.push(value);
  }

  at(moment: number): Value {
    return this.values[this.indexAt(moment)]!;
  }

  indexAt(moment: number): number {
    let low = 0;
    let high = this.moments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.moments[middle]! <= moment) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
