import type { Core } from './core.ts';
import { chunkBytes } from './memory.ts';
import type { Results } from './results.ts';

/**
 * Judges the states that are found but not expanded when a limit ends a search in level `depth`. A violation
 * in one of them is thus reported. A deadlock is not, because it is not known whether the state has steps.
 * Returns true if there are states of the level after `depth`.
 */
export function judgeUnexpanded(core: Core, results: Results, depth: number): boolean {
  core.explorer.load({ ...core.shape, shared: false, predicatesOnly: true });
  for (const list of ['frontier', 'deferred'] as const) judge(core, results, list);
  results.conclude(depth);
  const isDeeper = core.hasNext();
  judge(core, results, 'next');
  results.conclude(depth + 1);
  return isDeeper;
}

function judge(
  { arena, explorer, plan, spill, judge }: Core,
  results: Results,
  list: 'frontier' | 'deferred' | 'next',
) {
  const { chunks, kernel } = explorer;
  for (const { address, bytes } of chunks.drain(list)) {
    kernel.expand(address, address + bytes);
    chunks.push('free', address, 0);
  }
  if (spill !== null && list !== 'deferred') {
    const address = chunks.take();
    const whole = Math.floor(chunkBytes / plan.stateBytes) * plan.stateBytes;
    for (const bytes of spill.take(list, arena.bytes.subarray(address, address + whole))) {
      kernel.expand(address, address + bytes);
    }
    chunks.push('free', address, 0);
  }
  explorer.finish();
  results.add(judge.report());
}
