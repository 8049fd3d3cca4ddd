import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type Cluster, compareFences, type Fence } from './index.ts';
import { expectMembers, openFittingFleet } from './testing/fitting-fleet.ts';

/** Every process enters one critical section after the other, until it is stopped. */
class Load {
  overlaps = 0;
  falls = 0;
  grants = 0;
  worstMs = 0;
  readonly failures = new Set<string>();
  readonly generations = new Set<number>();
  readonly #waitingSince = new Map<Cluster, number>();
  readonly #stopped = new Set<Cluster>();
  #inside: AbortSignal | null = null;
  #last: Fence | null = null;

  begin(cluster: Cluster): void {
    void (async () => {
      while (!this.#stopped.has(cluster)) {
        this.#waitingSince.set(cluster, performance.now());
        await cluster
          .lock('main')
          .run((held) => this.#section(held, cluster))
          .catch(({ code = 'unknown' }: { readonly code?: string }) => {
            if (!this.#stopped.has(cluster) && code !== 'LOCK_LOST') this.failures.add(code);
          });
        await sleep(10);
      }
      this.#waitingSince.delete(cluster);
    })();
  }

  end(cluster: Cluster): void {
    this.#stopped.add(cluster);
  }

  async #section(
    { fence, signal }: { readonly fence: Fence; readonly signal: AbortSignal },
    cluster: Cluster,
  ) {
    if (this.#inside && !this.#inside.aborted) this.overlaps += 1;
    if (this.#last !== null && compareFences(fence, this.#last) <= 0) this.falls += 1;
    this.#inside = signal;
    this.#last = fence;
    this.grants += 1;
    this.generations.add(fence.generation);
    this.worstMs = Math.max(this.worstMs, performance.now() - this.#waitingSince.get(cluster)!);
    await sleep(1);
    if (this.#inside === signal) this.#inside = null;
  }
}

test.each(['one after the other', 'all at once'])(
  'one process grows to forty, and thirty-nine end %s under load',
  async (how) => {
    const fleet = openFittingFleet({ heartbeatMs: 250, failureTimeoutMs: 3_000 });
    const load = new Load();
    const begin = async (count: number) => {
      for (const cluster of await fleet.start(count)) load.begin(cluster);
    };
    const end = (cluster: Cluster) => {
      load.end(cluster);
      return fleet.stop(cluster);
    };
    await begin(1);
    await expectMembers(fleet, 1);
    await begin(39);
    await expectMembers(fleet, 3);
    const all = [...fleet.running.keys()];
    // One that has met no member yet finds none where all others are shown no more.
    await Promise.all(all.map((one) => one.ready({ timeoutMs: 60_000 })));
    const last = all.find((one) => !fleet.members.includes(one))!;
    const ending = all.filter((one) => one !== last);
    if (how === 'all at once') await Promise.all(ending.map(end));
    else for (const cluster of ending) await end(cluster);
    await expectMembers(fleet, 1);
    const { fence } = await last.lock('main').acquire({ timeoutMs: 20_000 });
    const { grants, worstMs } = load;
    console.log(`${how}: ${grants} grants, at most ${worstMs.toFixed(0)} ms of waiting`);
    expect([...load.generations, fence.generation]).toEqual([fence.generation, fence.generation]);
    expect(load).toMatchObject({ overlaps: 0, falls: 0, failures: new Set() });
  },
  180_000,
);
