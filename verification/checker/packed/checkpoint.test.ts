import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Predicate } from '../model.ts';
import { exploreNaively } from '../naive.ts';
import { judgedNaimiTrehel } from '../testing/judged-naimi-trehel.ts';
import { createNaimiTrehel } from '../testing/naimi-trehel.ts';
import { randomModel, wideModel } from '../testing/random-model.ts';
import { SearchError, type SearchOptions, search } from './index.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'checkpoint-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Starts a search that saves a checkpoint after every level, and kills it some levels later. */
async function killedSearch(sites: number, workers: number): Promise<ChildProcess> {
  const program = fileURLToPath(new URL('../testing/checkpointed.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', program, `${sites}`, dir, `${workers}`], {
    stdio: 'inherit',
  });
  const ended = once(child, 'exit');
  while (child.exitCode === null && !existsSync(join(dir, 'checkpoint'))) await sleep(5);
  await sleep(100);
  child.kill('SIGKILL');
  await ended;
  return child;
}

describe('a killed search', () => {
  it.each([1, 2])('resumes and ends with the same counts (%i workers)', async (workers) => {
    const child = await killedSearch(5, workers);
    expect(child.signalCode).toBe('SIGKILL');
    const { model, predicates } = judgedNaimiTrehel(5);
    const result = await search(model, { predicates, resumeDir: dir });
    expect(result).toMatchObject({
      states: 440_120,
      transitions: 1_478_880,
      depth: 42,
      deadlocks: 0,
      complete: true,
    });
    expect(result.found.map((found) => found?.depth ?? null)).toEqual([null, null, null, null, 4]);
    expect(result.locals).toEqual([1283, 1283, 1283, 1283, 1283]);
  });
});

/** Full states, or hashes that are long enough for few states. */
const kept = fc.constantFrom({}, { hashCompaction: 64 }, { hashCompaction: 44 });

describe('a stopped search', () => {
  it('resumes from any level and ends the same', async () => {
    await fc.assert(
      fc.asyncProperty(
        randomModel(),
        fc.integer({ min: 1, max: 200 }),
        kept,
        async (make, maxStates, how) => {
          const { elapsedMs, statesPerSecond, peakMemoryBytes, bytesPerState, ...whole } = await search(
            make(),
            how,
          );
          await search(make(), { ...how, maxStates, checkpointDir: dir, checkpointEveryMs: 0 });
          if (!existsSync(join(dir, 'checkpoint'))) return;
          expect(await search(make(), { ...how, resumeDir: dir })).toMatchObject(whole);
          rmSync(dir, { recursive: true });
        },
      ),
      { numRuns: 40 },
    );
  });

  it('resumes with states on the disk', async () => {
    const spillDir = join(dir, 'spilled');
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(randomModel(), wideModel()),
        fc.integer({ min: 1, max: 200 }),
        kept,
        async (make, maxStates, how) => {
          const { states, transitions, depth, deadlocks } = exploreNaively(make());
          const spilling = { ...how, maxMemoryBytes: 1, spillDir };
          await search(make(), { ...spilling, maxStates, checkpointDir: dir, checkpointEveryMs: 0 });
          if (!existsSync(join(dir, 'checkpoint'))) return;
          await expect(search(make(), { ...how, resumeDir: dir })).rejects.toMatchObject({
            code: 'SPILL_DIR_MISSING',
          });
          const resumed = await search(make(), { ...spilling, resumeDir: dir });
          expect(resumed).toMatchObject({ states, transitions, depth, deadlocks, complete: true });
          expect(readdirSync(spillDir)).toEqual([]);
          rmSync(join(dir, 'checkpoint'));
        },
      ),
      { numRuns: 6 },
    );
  });

  it('resumes over orbits, with another number of threads', async () => {
    const source = {
      module: new URL('../testing/naimi-trehel.ts', import.meta.url).href,
      export: 'orbitsOf',
      args: 4,
    };
    const [first, second] = [createNaimiTrehel(4), createNaimiTrehel(4)];
    const both = { checkpointDir: dir, checkpointEveryMs: 0, workers: 2, awaitWorkers: true, source };
    const part = await search(first, { symmetry: first, maxStates: 300, ...both });
    expect(part).toMatchObject({ complete: false, reason: 'max-states', workers: 2 });
    const whole = await search(second, { symmetry: second, resumeDir: dir });
    expect(whole).toMatchObject({ states: 405, representedStates: 9352n, depth: 20, complete: true });
  });

  it('does not resume with another model, other properties, or no checkpoint', async () => {
    const { model, predicates } = judgedNaimiTrehel(3);
    await expect(search(model, { resumeDir: dir })).rejects.toMatchObject({ code: 'CHECKPOINT_MISSING' });
    await search(model, { predicates, checkpointDir: dir, checkpointEveryMs: 0 });
    const other = judgedNaimiTrehel(4);
    await expect(search(other.model, { predicates: other.predicates, resumeDir: dir })).rejects.toMatchObject(
      {
        code: 'CHECKPOINT_DIFFERS',
        message: expect.stringContaining('the initial states'),
      },
    );
    await expect(search(judgedNaimiTrehel(3).model, { resumeDir: dir })).rejects.toMatchObject({
      code: 'CHECKPOINT_DIFFERS',
      message: expect.stringContaining('the predicates'),
    });
  });

  const within: Predicate = { kind: 'sum', project: () => 0, judge: () => true };
  const orbits = createNaimiTrehel(3);
  it.each<{ what: string; how: SearchOptions; says: string }>([
    { what: 'hashes', how: { hashCompaction: 64 }, says: 'hash compaction (there none, here 64 bits)' },
    { what: 'orbits', how: { symmetry: orbits }, says: 'symmetry (there none, here of the processes 0,1,2)' },
    { what: 'a constraint', how: { constraint: within }, says: 'the constraint (there none, here given)' },
    { what: 'another setting', how: { identity: { net: 'bags' } }, says: 'net (there queues, here bags)' },
  ])('does not resume with $what', async ({ how, says }) => {
    const identity = { net: 'queues' };
    await search(createNaimiTrehel(3), { identity, checkpointDir: dir, checkpointEveryMs: 0 });
    const model = how.symmetry === undefined ? createNaimiTrehel(3) : orbits;
    await expect(search(model, { identity, ...how, resumeDir: dir })).rejects.toMatchObject({
      code: 'CHECKPOINT_DIFFERS',
      message: expect.stringContaining(says),
    });
  });

  it('resumes with its own model only', async () => {
    await fc.assert(
      fc.asyncProperty(randomModel(), randomModel(), async (make, another) => {
        await search(make(), { checkpointDir: dir, checkpointEveryMs: 0 });
        if (!existsSync(join(dir, 'checkpoint'))) return;
        const { states, transitions, depth, deadlocks } = exploreNaively(another());
        const resumed = await search(another(), { resumeDir: dir }).catch((error: unknown) => error);
        rmSync(dir, { recursive: true });
        if (resumed instanceof SearchError) expect(resumed.code).toBe('CHECKPOINT_DIFFERS');
        // Otherwise the other model has given the same answers so far.
        else expect(resumed).toMatchObject({ states, transitions, depth, deadlocks });
      }),
      { numRuns: 40 },
    );
  });
});
