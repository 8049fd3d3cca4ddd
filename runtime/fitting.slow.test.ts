import { test } from 'vitest';
import { expectGrants, expectMembers, openFittingFleet } from './testing/fitting-fleet.ts';

test('two processes grow to six and shrink to two', async () => {
  const fleet = openFittingFleet();
  await fleet.start(2);
  await expectMembers(fleet, 2);
  let fence = await expectGrants(fleet);
  await fleet.start(4);
  await expectMembers(fleet, 3);
  fence = await expectGrants(fleet, fence);
  for (const cluster of [...fleet.members, ...fleet.running.keys()].slice(0, 4)) {
    if (fleet.running.has(cluster)) await fleet.stop(cluster);
  }
  while (fleet.running.size > 2) await fleet.stop([...fleet.running.keys()][0]!);
  await expectMembers(fleet, 2);
  await expectGrants(fleet, fence);
}, 60_000);
