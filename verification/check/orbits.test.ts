import { describe, expect, it } from 'vitest';
import { mutants } from '../protocols/naimi-trehel/mutants.ts';
import { naimiTrehel } from '../protocols/naimi-trehel/system.ts';
import { sourceOf } from '../protocols/systems.ts';
import { always, compile, eventually, not, replayTrace, some } from '../system/index.ts';
import type { System } from '../system/system.ts';
import { type CheckOptions, check } from './check.ts';

const network = { order: 'fifo' } as const;
const sites3 = naimiTrehel({ sites: 3, network });
const symmetry = true;

describe('check with symmetry', () => {
  it.each([
    { sites: 2, orbits: 7, states: 14 },
    { sites: 3, orbits: 49, states: 282 },
    { sites: 4, orbits: 405, states: 9_352 },
    { sites: 5, orbits: 3_828, states: 440_120 },
  ])('explores $orbits orbits for the $states states of $sites sites, and all holds', async (counts) => {
    const { sites } = counts;
    const { properties, ...report } = await check(naimiTrehel({ sites, network }), { symmetry });
    expect(report).toMatchObject({ ...counts, complete: true });
    expect(properties.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
  });

  it('reaches the verdicts of the full exploration, and shows runs in real names', async () => {
    const machine = mutants['a busy root forgets the request'];
    const system = naimiTrehel({ sites: 3, network, machine });
    const [whole, byOrbits] = [await check(system), await check(system, { symmetry })];
    const told = (report: typeof whole) =>
      report.properties.map(({ name, verdict, trace }) => [name, verdict, trace?.steps.length]);
    expect(told(byOrbits)).toEqual(told(whole));
    expect(byOrbits.orbits).toBeLessThan(whole.states);
    const compiled = compile(system);
    const traces = byOrbits.properties.flatMap(({ trace }) => (trace === undefined ? [] : [trace]));
    expect(traces.length).toBeGreaterThan(2);
    for (const trace of traces) expect(replayTrace(compiled, trace)).toHaveLength(trace.steps.length);
  });

  const refused = (system: System, options: CheckOptions = { symmetry }) =>
    expect(check(system, options)).rejects;

  it('refuses a property, or a constraint, that tells interchangeable actors apart', async () => {
    const bEnters = some((site) => site.id === 'b' && site.in('client.inCS'));
    const code = 'SYMMETRY_BROKEN_PREDICATE';
    const property = always('b never enters', not(bEnters));
    await refused({ ...sites3, properties: [property] }).toMatchObject({
      code,
      message: expect.stringContaining('b never enters'),
    });
    await refused({ ...sites3, constraint: not(bEnters) }).toMatchObject({ code });
  });

  it('refuses to judge runs on orbits, unless they are left out', async () => {
    const runs = {
      ...sites3,
      properties: [
        eventually(
          'ends',
          some(() => false),
        ),
      ],
    };
    await refused(runs).toMatchObject({ code: 'RUNS_NEED_STATES' });
    expect(await check(runs, { symmetry, liveness: false })).toMatchObject({ orbits: 49 });
  });

  it('refuses a system without symmetry, and liveness of a system without properties of runs', async () => {
    const { symmetry: _, ...plain } = sites3;
    await refused(plain).toMatchObject({ code: 'NO_SYMMETRY' });
    await refused(sites3, { liveness: true }).toMatchObject({ code: 'NO_LIVENESS' });
  });
});

describe('check with two threads', () => {
  const options = { sites: 4, network };
  const source = sourceOf('naimi-trehel', options);
  const system = naimiTrehel(options);

  // Orbits are explored by one thread, whatever is asked for.
  it.each([
    { symmetry: false, workers: 2 },
    { symmetry: true, workers: 1 },
  ])('reports the same as with one, symmetry $symmetry', async ({ symmetry, workers }) => {
    const one = await check(system, { symmetry });
    const two = await check(system, { symmetry, workers: 2, source });
    expect(two.workers).toBe(workers);
    const counts = ({ states, orbits, transitions, depth, properties, coverage }: typeof one) => ({
      states,
      orbits,
      transitions,
      depth,
      properties,
      coverage,
    });
    expect(counts(two)).toEqual(counts(one));
  });

  it('needs a source for the system, and refuses a source without one', async () => {
    await expect(check(system, { workers: 2 })).rejects.toMatchObject({ code: 'WORKERS_NEED_SOURCE' });
    const nothing = { module: import.meta.resolve('../protocols/sites.ts'), export: 'none' };
    await expect(check(system, { workers: 2, source: nothing })).rejects.toThrow(
      /Expected `none` of .* to be a System/,
    );
  });
});
