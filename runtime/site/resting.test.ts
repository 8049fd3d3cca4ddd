import { afterEach, describe, expect, test, vi } from 'vitest';
import { ordeal } from '../../harness/simulation/ordeal.ts';
import type { SimulationOptions } from '../../harness/simulation/simulation.ts';
import { LeaseClock } from '../election/lease-clock.ts';
import { VoteCollector } from '../election/vote-collector.ts';
import { WaitQueue } from '../lock/wait-queue.ts';

afterEach(() => void vi.restoreAllMocks());

/** All that the sites of an ordeal did. */
async function told(options: SimulationOptions): Promise<string[]> {
  const lines: string[] = [];
  await ordeal({ ...options, witness: (line) => lines.push(JSON.stringify(line)) }, 3_000).catch(
    (error: Error) => lines.push(error.message),
  );
  return lines;
}

/** How many of `runs` runs are the same, whether locks rest whenever they are idle or never. */
async function alike(options: Omit<SimulationOptions, 'seed'>, runs: number): Promise<number> {
  let same = 0;
  for (let seed = 1; seed <= runs; seed++) {
    const [always, whenUsed] = [
      await told({ ...options, seed }),
      await told({ ...options, seed, rests: true }),
    ];
    expect(always.length).toBeGreaterThan(500);
    if (always.join('\n') === whenUsed.join('\n')) same += 1;
  }
  return same;
}

interface Forgotten {
  readonly idle: boolean;
  stop?(): void;
}

const strict = { leaseMs: 60, driftShare: 0.1 };

describe('a lock that is awake only while it is used', () => {
  test.each<[string, Omit<SimulationOptions, 'seed'>]>([
    ['by epochs', { sites: 3 }],
    ['by more sites', { sites: 5 }],
    ['under leases', { sites: 3, strict }],
  ])('does exactly what it would do otherwise: %s', async (_, options) => {
    expect(await alike(options, 6)).toBe(6);
  });

  test.each<[string, Forgotten, Omit<SimulationOptions, 'seed'>]>([
    ['that forgets its callers', WaitQueue.prototype, { sites: 3 }],
    ['that forgets the votes it waits for', VoteCollector.prototype, { sites: 3 }],
    ['that forgets its leases', LeaseClock.prototype, { sites: 3, strict }],
  ])('%s does something else', async (_, prototype, options) => {
    vi.spyOn(prototype, 'idle', 'get').mockImplementation(function (this: Forgotten) {
      this.stop?.();
      return true;
    });
    expect(await alike(options, 2)).toBeLessThan(2);
  });
});
