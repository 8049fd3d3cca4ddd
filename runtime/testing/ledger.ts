import type { Site } from '../index.ts';

/** A resource that notices when two are at it. */
export class Ledger {
  entries = 0;
  overlaps = 0;
  #inside = false;

  async write(): Promise<void> {
    if (this.#inside) this.overlaps += 1;
    this.#inside = true;
    await new Promise(setImmediate);
    this.entries += 1;
    this.#inside = false;
  }
}

/** Each of `sites` takes the lock `times` times, one after the other, and writes. */
export const takeTurns = (sites: readonly Site[], times: number, ledger: Ledger) =>
  Promise.all(
    sites.map(async (site) => {
      for (let i = 0; i < times; i++) await site.run(() => ledger.write());
    }),
  );
