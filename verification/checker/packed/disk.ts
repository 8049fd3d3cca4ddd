import type { Core } from './core.ts';
import { chunkBytes, partitions } from './memory.ts';
import { Spill } from './spill.ts';
import type { StopReason } from './types.ts';

/** Moves keys and the next level to files. From here on this thread works alone. */
export async function startSpilling(core: Core, dir: string): Promise<void> {
  await core.crew?.dismiss();
  core.crew = null;
  const spill = new Spill(dir);
  for (let p = 0; p < partitions; p++) spill.write(`keys-${p}`, core.arena.keys(core.plan, p));
  core.spill = spill;
  core.explorer.spill = spill;
  core.shape = { ...core.shape, shared: false, spill: true };
  core.explorer.load(core.shape);
  spillNext(core, spill);
}

/** Expands the states in chunks, then the states in the frontier's file. */
export async function expandSpilled(
  { arena, explorer, plan }: Core,
  spill: Spill,
  pause: () => Promise<StopReason | null>,
): Promise<StopReason | null> {
  const { chunks } = explorer;
  for (const _ of explorer.work()) {
    const reason = await pause();
    if (reason !== null) return reason;
  }
  const chunk = chunks.take();
  const whole = Math.floor(chunkBytes / plan.stateBytes) * plan.stateBytes;
  for (const bytes of spill.take('frontier', arena.bytes.subarray(chunk, chunk + whole))) {
    explorer.kernel.expand(chunk, chunk + bytes);
    const reason = await pause();
    if (reason !== null) return reason;
  }
  chunks.push('free', chunk, 0);
  return null;
}

/** Inserts the candidates in files into the keys in files, one partition in memory at a time. */
export function mergeSpilled(core: Core, spill: Spill): void {
  const { arena, explorer, plan } = core;
  for (let p = 0; p < partitions; p++) {
    if (!spill.has(`candidates-${p}`)) continue;
    const keys = arena.keys(plan, p, true);
    keys.fill(0);
    for (const _ of spill.take(`keys-${p}`, keys)); // One read: `keys` is as long as the partition's file.
    explorer.insertCandidates(p);
    explorer.finish();
    spill.write(`keys-${p}`, arena.keys(plan, p, true));
    spillNext(core, spill);
  }
}

function spillNext({ arena, explorer }: Core, spill: Spill): void {
  for (const { address, bytes } of explorer.chunks.drain('next')) {
    spill.append('next', arena.bytes.subarray(address, address + bytes));
    explorer.chunks.push('free', address, 0);
  }
}
