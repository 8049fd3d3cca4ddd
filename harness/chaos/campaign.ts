import { ChaosError, SitePool } from './processes.ts';
import type { ChaosRun, RunOptions } from './run.ts';
import { runChaos } from './run.ts';
import { scheduleOf } from './schedule.ts';

export interface CampaignOptions extends Omit<RunOptions, 'schedule' | 'pool'> {
  /** The seed of the first run. Each further run adds one. */
  readonly seed: number;
  readonly runs: number;
  readonly sites: number;
  readonly seconds: number;
  /** The members change too. */
  readonly members: boolean;
  /** Number of clusters that run at the same time. */
  readonly parallel: number;
  readonly onRun: (run: ChaosRun) => void;
}

/** Runs many seeds, one after the other in each lane. No process outlives it. */
export async function runCampaign(options: CampaignOptions): Promise<void> {
  const { seed, runs, sites, seconds, members, parallel, onRun, ...how } = options;
  const pool = new SitePool();
  let next = seed;
  const lane = async () => {
    while (next < seed + runs) {
      const schedule = scheduleOf({ seed: next++, sites, seconds, members });
      onRun(
        await runChaos({ ...how, schedule, pool }).catch((error: unknown) => {
          throw error instanceof ChaosError
            ? new ChaosError(`seed ${schedule.seed}: ${error.message}`)
            : error;
        }),
      );
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(parallel, runs) }, lane));
  } finally {
    await pool.end();
  }
}
