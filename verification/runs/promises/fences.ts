import type { SiteId } from '../../../machines/actor.ts';
import type { Fence } from '../../../machines/epoch/messages.ts';
import { eventsPerLife } from '../../../machines/record.ts';
import { EarlierRuns } from './earlier-runs.ts';
import { contextOf, effectsOf, type OneWinner } from './epochs.ts';
import type { GlobalPromise, JudgedStep, LifeStart } from './promises.ts';

/**
 * S3, S5: within an epoch every grant has a higher fence than all before it, since the one token leads from each
 * to the next; and at one site they rise across epochs and lives. So no two are equal.
 */
export class RisingFences implements GlobalPromise {
  /** The highest fence of each epoch, and the site that it was granted to. */
  readonly #highest = new Map<number, { readonly site: SiteId; readonly k: number }>();
  readonly #last = new Map<SiteId, Fence>();

  step({ site, effects, refuse }: JudgedStep): void {
    for (const { fence } of effectsOf(effects, 'grant')) {
      const highest = this.#highest.get(fence.epoch);
      if (highest !== undefined && fence.k <= highest.k) {
        const before = text({ epoch: fence.epoch, k: highest.k });
        refuse('REPLAY_FENCE', `fence ${text(fence)} is granted after ${before} at ${highest.site} (S3, S5)`);
      }
      const last = this.#last.get(site);
      if (last !== undefined && !isBelow(last, fence)) {
        refuse('REPLAY_FENCE', `fence ${text(fence)} is granted after ${text(last)} at this site (S5)`);
      }
      this.#highest.set(fence.epoch, { site, k: fence.k });
      this.#last.set(site, fence);
    }
  }
}

interface Section {
  readonly fence: Fence;
  /** `seq` of the event with which it is over; above all others while it is not. */
  end: number;
}

/**
 * S4: for any two critical sections, either a chain of messages leads from the end of the one with the lower fence to
 * the begin of the other, or its site took no part in an election between their epochs. A crash ends a critical
 * section; later runs of its site come after, with all that the earlier ones had received.
 *
 * Only the last critical section of each site is kept: an election or a chain of messages that excuses or orders it
 * does the same for those before it.
 */
export class ExcusedOverlaps implements GlobalPromise {
  readonly #elections: OneWinner;
  readonly #runs = new EarlierRuns();
  readonly #sections = new Map<SiteId, Section>();
  /** The sites with a grant in each epoch. */
  readonly #granted = new Map<number, Set<SiteId>>();
  #highestEpoch = 0;
  /** The elections between may be still to come: the winner of a lower epoch can hear of it later. */
  readonly #unexcused: (() => void)[] = [];

  constructor(elections: OneWinner) {
    this.#elections = elections;
  }

  start({ site, life }: LifeStart): void {
    this.#runs.start(site, life);
    const section = this.#sections.get(site);
    if (section !== undefined) section.end = Math.min(section.end, life * eventsPerLife);
  }

  step(step: JudgedStep): void {
    const { site, seq, clock, before, after, effects } = step;
    this.#runs.step(site, clock);
    if (contextOf(before).fence !== null && contextOf(after).fence === null)
      this.#sections.get(site)!.end = seq;
    for (const { fence } of effectsOf(effects, 'grant')) {
      this.#judge(step, fence);
      this.#sections.set(site, { fence, end: Number.POSITIVE_INFINITY });
      const sites = this.#granted.get(fence.epoch) ?? new Set();
      this.#granted.set(fence.epoch, sites.add(site));
      this.#highestEpoch = Math.max(this.#highestEpoch, fence.epoch);
    }
  }

  end(): void {
    for (const judge of this.#unexcused) judge();
  }

  #judge({ site, clock, refuse }: JudgedStep, fence: Fence): void {
    for (const [other, { fence: lower, end }] of this.#sections) {
      if (other === site || !isBelow(lower, fence) || this.#runs.lastOf(other, clock) >= end) continue;
      this.#excuse(other, lower.epoch, fence.epoch, () =>
        refuse(
          'REPLAY_OVERLAP',
          `no chain of messages puts it after the critical section of ${other} under fence ${text(lower)}`,
        ),
      );
    }
    if (fence.epoch >= this.#highestEpoch) return;
    const later = [...this.#granted].filter(([epoch, sites]) => epoch > fence.epoch && !isOnly(site, sites));
    if (later.length === 0) return;
    const next = Math.min(...later.map(([epoch]) => epoch));
    this.#excuse(site, fence.epoch, next, () =>
      refuse('REPLAY_OVERLAP', `no chain of messages puts it before the critical sections of epoch ${next}`),
    );
  }

  #excuse(older: SiteId, from: number, to: number, refuse: () => never): void {
    const judge = () => {
      if (!this.#elections.wasAbsent(older, from, to)) refuse();
    };
    // Within one epoch no overlap is excused.
    if (from === to) refuse();
    else if (!this.#elections.wasAbsent(older, from, to)) this.#unexcused.push(judge);
  }
}

function isOnly(site: SiteId, sites: ReadonlySet<SiteId>): boolean {
  return sites.size === 1 && sites.has(site);
}

function isBelow(left: Fence, right: Fence): boolean {
  return left.epoch < right.epoch || (left.epoch === right.epoch && left.k < right.k);
}

const text = ({ epoch, k }: Fence) => `(${epoch}, ${k})`;
