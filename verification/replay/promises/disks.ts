import type { NamedAction, SiteId } from '../../../machines/actor.ts';
import type { Disk } from '../../../machines/epoch/messages.ts';
import type { SiteInput } from '../../../machines/epoch/site.ts';
import { eventsPerLife } from '../../../machines/record.ts';
import { same } from '../steps.ts';
import { effectsOf } from './epochs.ts';
import type { GlobalPromise, JudgedStep, LifeStart } from './promises.ts';

interface Kept {
  readonly disk: Disk;
  /** The event that asked for it. */
  readonly seq: number;
}

interface Ledger {
  /** What this life may have put on the disk, oldest first; the first was there before anything was shown. */
  kept: Kept[];
  /** The last event that somebody else knows of: a peer had its message, or the client its grant. */
  shown: number;
  /** Of earlier lives, the events (`from` up to `to`) of which the disk knows nothing: nobody may. */
  readonly forgotten: { readonly from: number; readonly to: number }[];
}

/**
 * R7: a life begins with what the life before had put on the disk, and that covers all that anybody was shown.
 * R8: whose disk is gone does not begin as one that never ran.
 */
export class KeptPromises implements GlobalPromise {
  readonly #ledgers = new Map<SiteId, Ledger>();

  start({ site, life, input, effects, refuse }: LifeStart): void {
    const { disk } = input as SiteInput;
    const before = this.#ledgers.get(site);
    if ((disk === 'none') !== (life === 0) && disk !== 'lost') {
      const ran = life === 0 ? 'never ran' : `ran ${life} times`;
      refuse('REPLAY_DISK', `a site that ${ran} before starts with disk ${JSON.stringify(disk)} (R8)`);
    }
    const from = life * eventsPerLife;
    const forgotten = [...(before?.forgotten ?? [])];
    if (before !== undefined && typeof disk !== 'string') {
      const index = before.kept.findLastIndex((kept) => same(kept.disk, disk));
      if (index < 0) {
        const kept = before.kept.map((one) => JSON.stringify(one.disk)).join(' or ') || 'nothing';
        refuse(
          'REPLAY_DISK',
          `it starts with ${JSON.stringify(disk)}; the life before had kept ${kept} (R7)`,
        );
      }
      const next = before.kept[index + 1];
      if (next !== undefined) forgotten.push({ from: next.seq, to: from });
    }
    const kept = typeof disk === 'string' ? persisted(effects, from) : [{ disk, seq: from }];
    this.#ledgers.set(site, { kept, shown: from, forgotten });
  }

  step({ site, seq, cause, effects, refuse }: JudgedStep): void {
    if (cause !== null) {
      const sender = this.#ledgers.get(cause.site)!;
      if (sender.forgotten.some(({ from, to }) => cause.seq >= from && cause.seq < to)) {
        const what = `event ${cause.seq} of ${cause.site}`;
        refuse('REPLAY_DISK', `it shows ${what}, of which the disk of ${cause.site} knew nothing later (R7)`);
      }
      show(sender, cause.seq);
    }
    const own = this.#ledgers.get(site)!;
    own.kept.push(...persisted(effects, seq));
    if (effects.some(({ type }) => type === 'grant' || type === 'lost' || type === 'elected')) show(own, seq);
  }
}

function persisted(effects: readonly NamedAction[], seq: number): Kept[] {
  return effectsOf(effects, 'persist').map(({ type: _, ...disk }) => ({ disk, seq }));
}

/** What was on the disk when `seq` was shown, or later, is what the next life can begin with. */
function show(ledger: Ledger, seq: number): void {
  if (seq <= ledger.shown) return;
  ledger.shown = seq;
  const current = ledger.kept.findLastIndex((kept) => kept.seq <= seq);
  ledger.kept.splice(0, current);
}
