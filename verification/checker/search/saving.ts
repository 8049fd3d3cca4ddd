import { CheckpointReader, type Progressed, writeCheckpoint } from './checkpoint.ts';
import type { Core } from './core.ts';
import { partitions } from './memory.ts';
import type { Monitor } from './monitor.ts';
import type { Results } from './results.ts';
import { SearchError } from './types.ts';

const watchNames = ({ options }: Core): string[] =>
  (options.watches ?? []).map(({ name, expect }) => `${expect} ${name}`);

const keysOf = ({ arena, plan }: Core): Uint8Array[] =>
  Array.from({ length: partitions }, (_, p) => arena.keys(plan, p));

/** Saves a search between two levels. */
export function save(core: Core, monitor: Monitor, results: Results, dir: string): void {
  const { arena, tables, plan } = core;
  const frontier = core.explorer.chunks.peek('next');
  const header: Progressed = {
    version: 1,
    plan,
    watches: watchNames(core),
    depth: monitor.depth,
    transitions: monitor.transitions(),
    deadlocks: results.deadlocks,
    deadlock: results.deadlock,
    cut: results.cut,
    represented: results.represented,
    found: results.found,
    elapsedMs: monitor.elapsedMs,
    digest: tables.digest.value(),
    journal: tables.journal.length,
    counts: [...arena.counts],
    capacities: [...arena.capacities],
    frontier: frontier.map(({ bytes }) => bytes),
  };
  writeCheckpoint(dir, header, [
    new Uint8Array(tables.journal.slice().buffer),
    ...keysOf(core),
    ...frontier.map(({ address, bytes }) => arena.bytes.subarray(address, address + bytes)),
  ]);
}

/** Goes on where a search was saved: the model is asked the same again, and must answer the same. */
export async function resume(core: Core, monitor: Monitor, results: Results, dir: string): Promise<void> {
  const { arena, explorer, tables } = core;
  const reader = new CheckpointReader(dir);
  try {
    const { header } = reader;
    const journal = new Int32Array(header.journal);
    reader.read(new Uint8Array(journal.buffer));
    tables.replay(journal);
    if (tables.digest.value() !== header.digest || header.watches.join() !== watchNames(core).join()) {
      throw new SearchError(
        'CHECKPOINT_DIFFERS',
        `the checkpoint in ${dir} is of another model or of other properties: give what it was written for, or begin again`,
      );
    }
    await core.takeUp(header.plan);
    arena.fill(header.counts, header.capacities);
    for (const keys of keysOf(core)) reader.read(keys);
    for (const bytes of header.frontier) {
      const address = explorer.chunks.take();
      reader.read(arena.bytes.subarray(address, address + bytes));
      explorer.chunks.push('next', address, bytes);
    }
    monitor.continueFrom(header.elapsedMs, header.transitions);
    monitor.depth = header.depth;
    results.found = [...header.found];
    results.deadlock = header.deadlock;
    results.deadlocks = header.deadlocks;
    results.cut = header.cut;
    results.represented = header.represented;
    results.decide();
  } finally {
    reader.close();
  }
}
