import type { Member } from '../../runtime/testing/cluster.ts';

/** A resource that detects overlapping uses. */
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

/** Each of `members` takes the lock `times` times, one after the other, and writes. */
export const takeTurns = (members: readonly Pick<Member, 'lock'>[], times: number, ledger: Ledger) =>
  Promise.all(
    members.map(async ({ lock }) => {
      for (let i = 0; i < times; i++) await lock.run(() => ledger.write());
    }),
  );
