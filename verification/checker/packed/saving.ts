import { CheckpointReader, type Progressed, writeCheckpoint } from './checkpoint.ts';
import type { Core } from './core.ts';
import { chunkBytes, partitions } from './memory.ts';
import type { Monitor } from './monitor.ts';
import type { Results } from './results.ts';
import { Spill } from './spill.ts';
import { SearchError } from './types.ts';

const version = 2;

/** Everything that determines the set of states and how they are judged. */
function identityOf({ model, options }: Core): Readonly<Record<string, string>> {
  const { identity, predicates = [], constraint, symmetry, hashCompaction } = options;
  return {
    'the initial states': model.initial.join(' '),
    'the predicates': predicates.map(({ name, expect }) => `${expect} ${name}`).join(', '),
    'the constraint': constraint === undefined ? 'none' : 'given',
    'hash compaction': hashCompaction === undefined ? 'none' : `${hashCompaction} bits`,
    symmetry: symmetry === undefined ? 'none' : `of the processes ${symmetry.processes}`,
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
    `the checkpoint in ${dir} ${how}: give the system and options for which it was written, or begin again`,
  );
}

/** Saves a search between two levels. */
export function save(core: Core, monitor: Monitor, results: Results, dir: string): void {
  const { arena, tables, plan } = core;
  const { pieces, contents } = savedStates(core);
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
    frontier: pieces,
    spilled: core.spill !== null,
  };
  writeCheckpoint(dir, header, [new Uint8Array(tables.journal.slice().buffer)], contents);
}

/** Resumes a saved search. The model is asked the same questions again, and must give the same answers. */
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
    if (header.spilled) core.spill = explorer.spill = spillAgain(dir, core.options.spillDir);
    await core.takeUp(header.plan);
    arena.fill(header.counts, header.capacities);
    restoreStates(core, header.frontier, reader);
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

function spillAgain(dir: string, spillDir: string | undefined): Spill {
  if (spillDir !== undefined) return new Spill(spillDir);
  throw new SearchError(
    'SPILL_DIR_MISSING',
    `the checkpoint in ${dir} is of a search whose states had gone to the disk: give a spill directory for them, too`,
  );
}

/**
 * The keys and the waiting states, piece by piece, from memory or from files. `pieces` are the sizes in bytes
 * of the pieces of waiting states.
 */
function savedStates({ arena, explorer, plan, spill }: Core) {
  const chunks = explorer.chunks.peek('next');
  const whole = Math.floor(chunkBytes / plan.stateBytes) * plan.stateBytes;
  const inFile = spill?.size('next') ?? 0;
  const pieces = chunks.map(({ bytes }) => bytes);
  for (let left = inFile; left > 0; left -= whole) pieces.push(Math.min(whole, left));
  function* contents(): Generator<Uint8Array> {
    for (let p = 0; p < partitions; p++) {
      const keys = arena.keys(plan, p, spill !== null);
      if (spill !== null) for (const _ of spill.read(`keys-${p}`, keys)); // In one piece.
      yield keys;
    }
    for (const { address, bytes } of chunks) yield arena.bytes.subarray(address, address + bytes);
    if (spill === null) return;
    const piece = new Uint8Array(whole);
    for (const bytes of spill.read('next', piece)) yield piece.subarray(0, bytes);
  }
  return { pieces, contents: contents() };
}

function restoreStates(
  { arena, explorer, plan, spill }: Core,
  pieces: readonly number[],
  reader: CheckpointReader,
) {
  for (let p = 0; p < partitions; p++) {
    const keys = arena.keys(plan, p, spill !== null);
    reader.read(keys);
    spill?.write(`keys-${p}`, keys);
  }
  for (const bytes of pieces) {
    const address = explorer.chunks.take();
    const states = arena.bytes.subarray(address, address + bytes);
    reader.read(states);
    spill?.append('next', states);
    explorer.chunks.push(spill === null ? 'next' : 'free', address, bytes);
  }
}
