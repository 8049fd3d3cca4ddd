import { describe, expect, test } from 'vitest';
import type { SiteId } from '../../machines/actor.ts';
import { changing } from './changing.ts';
import { findMutant, simulatedMutants } from './mutants.ts';
import { Simulation } from './simulation.ts';

/* A majority of the voters is lost for good, and the cluster is founded anew with one that is left (M9). */

test.each([
  ['', {}],
  ['and the founders first start apart', { founds: true }],
  ['and machines fail', { machines: true }],
  ['under leases', { strict: { leaseMs: 60, driftShare: 0.1 } }],
])(
  'the cluster that is founded anew serves all, and those of the one before are refused: %s',
  async (_, more) => {
    let grants = 0;
    let generations = 0;
    for (const seed of [1, 2, 3, 4]) {
      const simulation = await changing({ sites: 3, seed, anew: true, ...more }, 1_000);
      grants += simulation.granted.length;
      generations += simulation.generations;
    }
    expect(grants).toBeGreaterThan(100);
    expect(generations).toBeGreaterThan(3);
  },
);

/** `a` has founded anew the cluster of `a` and the `others`, and no process runs. */
async function foundedAnew(others: readonly SiteId[]): Promise<Simulation> {
  const simulation = new Simulation({ sites: 1 + others.length, seed: 1, changes: true });
  await simulation.openAll();
  await simulation.run(1_000);
  for (const id of ['a', ...others]) simulation.crash(id);
  simulation.foundAnew('a', 1);
  return simulation;
}

test('a site that is told so, and crashes at once, takes no part afterwards, though it meets nobody', async () => {
  const simulation = await foundedAnew(['b']);
  await simulation.open('b');
  await simulation.open('a');
  while (!simulation.isRefused('b')) simulation.hub.deliver({ source: 'a', target: 'b' });
  simulation.crash('b');
  simulation.crash('a');
  await simulation.open('b');
  simulation.check();
  expect(simulation.isRefused('b')).toBe(true);
});

test('a site with an empty disk is added to the later cluster, though it is told of the one before after that', async () => {
  const simulation = await foundedAnew(['b', 'c']);
  simulation.empty('c');
  await simulation.open('c');
  await simulation.open('b');
  simulation.cut('a', 'b');
  await simulation.open('a');
  for (const source of ['a', 'b']) simulation.hub.deliver({ source, target: 'c' });
  await simulation.run(2_000);
  const { voter, founding } = simulation.sites.get('c')!.mesh;
  expect(founding?.generation).toBe(simulation.sites.get('a')!.mesh.founding!.generation);
  expect(simulation.sites.get('a')!.mesh.configuration!.voters).toHaveProperty([voter]);
});

describe('each mutant of M9 is seen', () => {
  const ofAnew = [...simulatedMutants.keys()].filter((name) => name.startsWith('members/M9'));

  test.each(ofAnew)('%s', async (name) => {
    const { what } = await findMutant(simulatedMutants.get(name)!, 60);
    expect(what).not.toBeNull();
  });

  test('there are five', () => expect(ofAnew).toHaveLength(5));
});
