import type { SiteId } from '../../../machines/actor.ts';
import type { DurableState } from '../../../machines/epoch/messages.ts';
import type { SiteInput } from '../../../machines/epoch/site.ts';
import type { StartLine } from '../../../machines/record.ts';
import type { SiteRecord } from '../site-record.ts';
import { same } from '../steps.ts';
import { contextOf, effectsOf } from './epochs.ts';
import type { GlobalPromise, JudgedStep, LifeStart } from './promises.ts';

/**
 * R7: a run begins with the state that the run before had on the disk, and no other site knows of later
 * events of that run. R8: a site whose disk is gone does not begin as one that never ran.
 */
export class KeptPromises implements GlobalPromise {
  /** The state that each site persisted last; `null` when its disk was gone. */
  readonly #kept = new Map<SiteId, DurableState | null>();

  start({ site, life, input, snapshot, refuse }: LifeStart): void {
    const { disk } = input as SiteInput;
    if (disk !== 'lost' && (disk === 'none') !== (life === 0)) {
      const ran = life === 0 ? 'never ran' : `ran ${life} times`;
      refuse('REPLAY_DISK', `a site that ${ran} before starts with disk ${show(disk)} (R8)`);
    }
    const before = this.#kept.get(site);
    if (before !== undefined && typeof disk !== 'string' && !same(before, disk)) {
      refuse('REPLAY_DISK', `it starts with ${show(disk)}; the life before had kept ${show(before)} (R7)`);
    }
    const { promised, epoch, root } = contextOf(snapshot);
    this.#kept.set(site, disk === 'lost' ? null : { promised, epoch, root });
  }

  step({ site, effects }: JudgedStep): void {
    for (const { type: _, ...disk } of effectsOf(effects, 'persist')) this.#kept.set(site, disk);
  }
}

/**
 * The first event that persisted more than `next` begins with; `never` when there is none. A process may be
 * killed between an event and its disk write. Then no other site has heard of that event or of any later one.
 * A client that had heard, for example of a grant, shows that the disk has less than it must have.
 */
export function forgottenFrom(record: SiteRecord, next: StartLine): number {
  const { disk } = next.input as SiteInput;
  const never = Number.POSITIVE_INFINITY;
  if (typeof disk === 'string') return never;
  const { promised, epoch, root } = contextOf(record.start.snapshot);
  let isKept = same({ promised, epoch, root }, disk);
  let from = never;
  let told = never;
  let last = 0;
  for (const { seq, effects } of record.events()) {
    for (const { type: _, ...kept } of effectsOf(effects, 'persist')) {
      if (same(kept, disk)) [isKept, from, told] = [true, never, never];
      else if (isKept && from === never) from = seq;
    }
    const tells = effects.some(({ type }) => type === 'grant' || type === 'lost' || type === 'elected');
    if (from < never && told === never && tells) told = seq;
    last = seq;
  }
  // The last event of a run may be missing from the record.
  return told < last ? never : from;
}

function show(disk: DurableState | string | null): string {
  return JSON.stringify(disk);
}
