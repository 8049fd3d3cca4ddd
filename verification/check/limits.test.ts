import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { mutants } from '../protocols/naimi-trehel/mutants.ts';
import { naimiTrehel } from '../protocols/naimi-trehel/system.ts';
import { always, reachable, some } from '../system/index.ts';
import type { System } from '../system/system.ts';
import { type CheckOptions, check, type Report } from './check.ts';

const network = { order: 'fifo' } as const;
const sites4 = naimiTrehel({ sites: 4, network });
const folder = mkdtempSync(join(tmpdir(), 'check-'));
afterAll(() => rmSync(folder, { recursive: true }));

const results = ({ states, orbits, transitions, depth, complete, properties, coverage }: Report) => ({
  states,
  orbits,
  transitions,
  depth,
  complete,
  properties,
  coverage,
});
const verdicts = ({ properties }: Report) => new Set(properties.map(({ verdict }) => verdict));

describe('a check within limits', () => {
  it.each([false, true])(
    'resumes from its checkpoint with the same report, symmetry %s',
    async (symmetry) => {
      const checkpointDir = mkdtempSync(join(folder, 'saved-'));
      const maxStates = symmetry ? 200 : 5000;
      const cut = await check(sites4, { symmetry, maxStates, checkpointDir, checkpointEveryMs: 0 });
      expect(cut).toMatchObject({
        complete: false,
        incomplete: `the limit of ${maxStates} states was reached`,
      });
      const resumed = await check(sites4, { symmetry, resumeDir: checkpointDir });
      expect(results(resumed)).toEqual(results(await check(sites4, { symmetry })));
    },
  );

  it('refuses to resume with another system', async () => {
    const checkpointDir = mkdtempSync(join(folder, 'saved-'));
    await check(sites4, { maxStates: 5000, checkpointDir, checkpointEveryMs: 0 });
    const other = naimiTrehel({ sites: 4, network, machine: mutants['a busy root forgets the request'] });
    await expect(check(other, { resumeDir: checkpointDir })).rejects.toMatchObject({
      code: 'CHECKPOINT_DIFFERS',
    });
  });

  it.each<{ what: string; other: System; asked: CheckOptions }>([
    { what: 'symmetry', other: sites4, asked: { symmetry: true } },
    { what: 'hash compaction', other: sites4, asked: { hashCompaction: 64 } },
    { what: 'the network', other: naimiTrehel({ sites: 4, network: { order: 'unordered' } }), asked: {} },
    { what: 'the constraint', other: { ...sites4, constraint: some(() => true) }, asked: {} },
    { what: "'mutual exclusion'", other: { ...sites4, properties: [] }, asked: {} },
    {
      what: "'mutual exclusion'",
      other: {
        ...sites4,
        properties: [
          always(
            'mutual exclusion',
            some(() => true),
          ),
        ],
      },
      asked: {},
    },
  ])('refuses to go on with another setting, and says which: $what', async ({ what, other, asked }) => {
    const checkpointDir = mkdtempSync(join(folder, 'saved-'));
    await check(sites4, { maxStates: 5000, checkpointDir, checkpointEveryMs: 0 });
    await expect(check(other, { ...asked, resumeDir: checkpointDir })).rejects.toMatchObject({
      code: 'CHECKPOINT_DIFFERS',
      message: expect.stringContaining(what),
    });
  });

  it('ends at the memory limit, or goes on on the disk', async () => {
    const spillDir = mkdtempSync(join(folder, 'spilled-'));
    const maxMemoryBytes = 24e6;
    const ended = await check(sites4, { maxMemoryBytes });
    expect(ended.incomplete).toBe('the limit of 24000000 bytes of memory was reached');
    expect(verdicts(ended)).toContain('incomplete');
    expect(verdicts(ended)).not.toContain('violated');
    const spilled = await check(sites4, { maxMemoryBytes, spillDir });
    expect(spilled).toMatchObject({ states: 9_352, transitions: 26_464, complete: true });
    expect(verdicts(spilled)).toEqual(new Set(['holds']));
    expect(readdirSync(spillDir)).toEqual([]);
  });

  it('keeps hashes, and reports the omission probability with each verdict `holds`', async () => {
    const hashed = await check(sites4, { hashCompaction: 64 });
    const { properties, ...counts } = results(hashed);
    const { properties: sure, ...exact } = results(await check(sites4));
    expect(counts).toEqual(exact);
    const omissionProbability = -Math.expm1((-9_352 * 9_351) / 2 ** 65);
    expect(hashed.hashCompaction).toEqual({ bits: 64, omissionProbability });
    // A verdict that a trace shows is as sure as without hash compaction.
    const unless = sure.map((property) => (property.trace ? property : { ...property, omissionProbability }));
    expect(properties).toEqual(unless);
    expect(properties.some(({ trace }) => trace === undefined)).toBe(true);
  });

  it('finds real, shortest traces for states found by hashes', async () => {
    const machine = mutants['the token is sent twice on release'];
    const system = naimiTrehel({ sites: 3, network, machine });
    const options: CheckOptions = { maxStates: 30_000, stopAtFirst: true };
    const violated = ({ properties }: Report) => properties.filter(({ verdict }) => verdict === 'violated');
    const hashed = violated(await check(system, { ...options, hashCompaction: 64 }));
    expect(hashed).toEqual(violated(await check(system, options)));
    expect(hashed[0]?.trace?.steps).toHaveLength(4);
  });

  it('does not report a state as unreachable that hashes may have hidden', async () => {
    const system = {
      ...sites4,
      properties: [
        reachable(
          'never',
          some(() => false),
        ),
      ],
    };
    const { properties } = await check(system, { hashCompaction: 64 });
    expect(properties[1]).toMatchObject({
      verdict: 'incomplete',
      reason: expect.stringContaining('omitted'),
    });
  });

  it('does not judge runs on hashes', async () => {
    const system = naimiTrehel({ sites: 3, network, liveness: true });
    await expect(check(system, { hashCompaction: 64 })).rejects.toMatchObject({ code: 'RUNS_NEED_STATES' });
    expect((await check(system, { hashCompaction: 64, liveness: false })).states).toBe(282);
  });

  it('ends at the first violation with stopAtFirst', async () => {
    const machine = mutants['the token is sent twice on release'];
    const options: CheckOptions = { maxStates: 30_000 };
    const whole = await check(naimiTrehel({ sites: 3, network, machine }), options);
    const first = await check(naimiTrehel({ sites: 3, network, machine }), { ...options, stopAtFirst: true });
    expect(first.incomplete).toBe('it was to end at the first violation');
    expect(first.depth).toBeLessThan(whole.depth);
    const broken = ({ properties }: Report) =>
      properties.flatMap(({ name, verdict, trace }) =>
        verdict === 'violated' ? [[name, trace?.steps.length]] : [],
      );
    expect(broken(first)).toEqual(broken(whole).filter(([, steps]) => steps === 4));
  });
});
