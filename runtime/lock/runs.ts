import { AsyncLocalStorage } from 'node:async_hooks';
import type { Granter, Holding } from './holding.ts';

/** A critical section in whose async context something runs, and those around it. */
interface Run {
  readonly holding: Holding;
  readonly outer: Run | null;
}

const runs = new AsyncLocalStorage<Run>();

/** Runs `work` as what goes on in `holding`. */
export function runIn<T>(holding: Holding, work: () => T): T {
  return runs.run({ holding, outer: lasting(runs.getStore() ?? null) }, work);
}

/** Whether this goes on in a critical section of `granter`: work that has outlived its section does not. */
export function isWithin(granter: Granter): boolean {
  const inner = runs.getStore();
  if (inner === undefined) return false;
  for (let run = lasting(inner); run !== null; run = lasting(run.outer)) {
    if (run.holding.isOf(granter)) return true;
  }
  return false;
}

/** The innermost that is not over: what has escaped from section after section must not keep them all. */
function lasting(run: Run | null): Run | null {
  let lasts = run;
  while (lasts?.holding.isOver) lasts = lasts.outer;
  return lasts;
}
