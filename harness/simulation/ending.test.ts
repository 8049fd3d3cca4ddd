import { expect, test } from 'vitest';
import { Simulation } from './simulation.ts';

test.each([
  ['by epochs', {}],
  ['under leases', { strict: { leaseMs: 60, driftShare: 0.1 } }],
])('a site that has ended has no timer, so that it does not keep its process: %s', async (_, leases) => {
  const simulation = new Simulation({ sites: 3, seed: 1, changes: true, ...leases });
  const { clock, sites } = simulation;
  await simulation.openAll();
  await simulation.run(1_000);
  simulation.acquire('a').catch(() => undefined);
  // One site is removed and gone, which is remembered for a time, and another one is out of reach.
  const removed = sites.get('a')!.mesh.change({ remove: 'c' }, 5_000);
  await simulation.run(5_000);
  await removed;
  simulation.crash('c');
  simulation.cut('a', 'b');
  simulation.acquire('b').catch(() => undefined);
  await simulation.run(100);
  expect(clock.next).not.toBe(null);
  for (const id of ['a', 'b']) simulation.crash(id);
  // The timers that are left are for the present turn of the event loop.
  clock.advance(0);
  expect(clock.next).toBe(null);
});
