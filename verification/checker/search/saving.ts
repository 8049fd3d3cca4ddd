import { CheckpointReader, type Progressed, writeCheckpoint } from './checkpoint.ts';
import type { Core } from './core.ts';
import { partitions } from './memory.ts';
import type { Monitor } from './monitor.ts';
import type { Results } from './results.ts';
import { SearchError } from './types.ts';

const version = 2;

/** All that says which states there are, and what they are judged by. */
function identityOf({ model, options }: Core): Readonly<Record<string, string>> {
  const { identity, watches = [], constraint, symmetry, hashCompaction } = options;
  return {
    'the initial states': model.initial.join(' '),
    'the watches': watches.map(({ name, expect }) => `${expect} ${name}`).join(', '),
    'the constraint': constraint === undefined ? 'none' : 'given',
    'hash compaction': hashCompaction === undefined ? 'none' : `${hashCompaction} bits`,
    symmetry: symmetry === undefined ? 'none' : `of the cells ${symmetry.cells}`,
    ...identity,
  };
}

function refuseOther(
  dir: string,
  theirs: Readonly<Record<string, string>>,
  ours: Readonly<Record<string, string>>,
): void {
  const differing = [...new Set([...Object.keys(theirs), ...Object.keys(ours)])]
    .filter((name) => theirs[name] !== ours[name])
    .map((name) => {
      const [there, here] = [theirs[name] ?? 'none', ours[name] ?? 'none'];
      return there.length + here.length > 100 ? name : `${name} (there ${there}, here ${here})`;
    });
  if (differing.length > 0) differs(dir, `differs in ${differing.join('; ')}`);
}

function differs(dir: string, how: string): never {
  throw new SearchError(
    'CHECKPOINT_DIFFERS',
    `the checkpoint in ${dir} ${how}: give what it was written for, or begin again`,
  );
}

const keysOf = ({ arena, plan }: Core): Uint8Array[] =>
  Array.from({ length: partitions }, (_, p) => arena.keys(plan, p));

/** Saves a search between two levels. */
export function save(core: Core, monitor: Monitor, results: Results, dir: string): void {
  const { arena, tables, plan } = core;
  const frontier = core.explorer.chunks.peek('next');
  const header: Progressed = {
    version,
    identity: identityOf(core),
    plan,
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
    if (header.version !== version) differs(dir, 'is of another version of this program');
    refuseOther(dir, header.identity, identityOf(core));
    const journal = new Int32Array(header.journal);
    reader.read(new Uint8Array(journal.buffer));
    if (!tables.replay(journal) || tables.digest.value() !== header.digest) {
      differs(dir, 'is of a model that takes other steps');
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
