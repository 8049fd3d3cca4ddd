import { everyStep, type Filter, isFiltering, matches } from './filter.ts';
import type { Moments } from './moments.ts';
import { isCritical } from './values.ts';

interface Sums {
  /** For each moment: the number of steps of the site up to it. */
  readonly steps: Uint32Array;
  /**
   * For each moment: the number of moments before it at which the site was in its critical section, or was
   * not seen.
   */
  readonly inside: Uint32Array;
  readonly unseen: Uint32Array;
}

const known = new WeakMap<Moments, { readonly key: string; readonly density: Density }>();
const sought = new WeakMap<Moments, { readonly key: string; readonly density: Density }>();

/** The density of happenings in any part of a run, of the steps that a filter includes, found by two look-ups whatever the length of the part. */
export class Density {
  readonly #sums = new Map<string, Sums>();

  constructor(moments: Moments, filter: Filter = everyStep) {
    const { timeline, last } = moments;
    for (const { id } of timeline.sites) {
      const [steps, inside, unseen] = [0, 1, 2].map(() => new Uint32Array(last + 2));
      const history = moments.siteHistory(id);
      for (const [index, from] of history.moments.entries()) {
        const state = history.values[index]!;
        const to = history.moments[index + 1] ?? last + 1;
        if (isCritical(timeline, state)) inside!.fill(1, from + 1, to + 1);
        if (state.unseen) unseen!.fill(1, from + 1, to + 1);
      }
      this.#sums.set(id, { steps: steps!, inside: inside!, unseen: unseen! });
    }
    for (const [index, { site }] of timeline.steps.entries()) {
      const sums = this.#sums.get(site);
      if (sums !== undefined && (!isFiltering(filter) || matches(moments, index + 1, filter)))
        sums.steps[index + 2] = 1;
    }
    for (const sums of this.#sums.values())
      for (const one of Object.values(sums) as Uint32Array[]) accumulate(one);
  }

  /** The density of all steps is kept, and that of the last filter. */
  static of(moments: Moments, filter: Filter = everyStep): Density {
    const kept = isFiltering(filter) ? sought : known;
    const key = JSON.stringify(filter);
    const found = kept.get(moments);
    if (found !== undefined && (kept === known || found.key === key)) return found.density;
    const density = new Density(moments, filter);
    kept.set(moments, { key, density });
    return density;
  }

  /** The counts of the moments from `from` up to, but excluding, `to`. */
  in(
    site: string,
    from: number,
    to: number,
  ): { readonly steps: number; readonly inside: number; readonly unseen: number } {
    const { steps, inside, unseen } = this.#sums.get(site)!;
    return {
      steps: steps[to]! - steps[from]!,
      inside: inside[to]! - inside[from]!,
      unseen: unseen[to]! - unseen[from]!,
    };
  }
}

function accumulate(sums: Uint32Array): void {
  for (let index = 1; index < sums.length; index++) sums[index]! += sums[index - 1]!;
}
