import { describe, expect, it } from 'vitest';
import { mutants } from '../protocols/naimi-trehel/mutants.ts';
import { naimiTrehel } from '../protocols/naimi-trehel/system.ts';
import { sourceOf } from '../protocols/systems.ts';
import { compile, replayTrace } from '../system/index.ts';
import { check, type Report } from './check.ts';
import { simulate } from './simulate.ts';

const network = { order: 'fifo' } as const;
const system = naimiTrehel({ sites: 3, network });
const broken = naimiTrehel({ sites: 5, network, machine: mutants['a busy root forgets the request'] });

describe('runs at random', () => {
  it('give no verdict `holds`, but report their size', async () => {
    const { properties, complete } = await simulate(system, { seeds: 50, depth: 60 });
    expect(complete).toBe(false);
    const always = properties.filter(({ kind }) => kind !== 'reachable');
    expect(new Set(always.map(({ verdict }) => verdict))).toEqual(new Set(['incomplete']));
    const reached = properties.filter(({ kind }) => kind === 'reachable');
    expect(reached.map(({ verdict }) => verdict)).toContain('holds');
  });

  it('find the violations of an exploration, and shrink them to nearly the shortest', async () => {
    const { properties } = await check(broken, { maxStates: 200_000 });
    const simulated = await simulate(broken, { seeds: 200, depth: 100 });
    const compiled = compile(broken);
    const violated = properties.filter(({ verdict }) => verdict === 'violated');
    expect(violated.length).toBeGreaterThan(1);
    for (const { name, trace } of violated) {
      const found = simulated.properties.find((property) => property.name === name)!;
      expect(found, name).toMatchObject({ verdict: 'violated' });
      expect(replayTrace(compiled, found.trace!)).toHaveLength(found.trace!.steps.length);
      expect(found.trace!.steps.length, name).toBeLessThanOrEqual(trace!.steps.length + 4);
    }
  });

  it('are the same for the same seed', async () => {
    const once = async (firstSeed: number) =>
      (await simulate(broken, { seeds: 20, depth: 50, firstSeed })).properties.map(
        ({ trace }) => trace?.steps.length,
      );
    expect(await once(7)).toEqual(await once(7));
  });

  it('are shared by threads, which find the same violations and keep the shortest traces', async () => {
    const source = sourceOf('naimi-trehel', { sites: 3, network });
    const how = { seeds: 41, depth: 40, source };
    const [alone, both] = [await simulate(system, how), await simulate(system, { ...how, workers: 2 })];
    expect(both).toMatchObject({ workers: 2, incomplete: alone.incomplete, states: alone.states });
    const told = ({ properties }: Report) => properties.map(({ name, verdict }) => [name, verdict]);
    expect(told(both)).toEqual(told(alone));
    await expect(simulate(system, { workers: 2 })).rejects.toMatchObject({ code: 'WORKERS_NEED_SOURCE' });
    const unknown = { ...source, export: 'nothing' };
    await expect(simulate(system, { workers: 2, source: unknown })).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
    });
  });

  it('judge the requested properties only', async () => {
    const { properties } = await simulate(system, { seeds: 1, only: ['mutual exclusion'] });
    expect(properties.map(({ name }) => name)).toEqual(['no machine fails', 'mutual exclusion']);
    const { states, properties: judged } = await check(system, { only: ['mutual exclusion'] });
    expect([states, judged.length]).toEqual([282, 2]);
    await expect(check(system, { only: ['mutual exlusion'] })).rejects.toMatchObject({
      code: 'NO_SUCH_PROPERTY',
      reason: expect.stringContaining('did you mean mutual exclusion?'),
    });
  });
});
