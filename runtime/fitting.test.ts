import { expect, test } from 'vitest';
import { Authority } from './testing/credentials.ts';
import { expectGrants, expectMembers, openFittingFleet } from './testing/fitting-fleet.ts';

test('five processes become three members and two guests, and a guest takes the place of a member that dies', async () => {
  const fleet = openFittingFleet();
  await fleet.start(5);
  await expectMembers(fleet, 3);
  const fence = await expectGrants(fleet);
  await fleet.stop(fleet.members[0]!, false);
  await expectMembers(fleet, 3);
  await expectGrants(fleet, fence);
  expect(fleet.running.size).toBe(4);
}, 40_000);

test.each([
  ['a secret', { secret: 's'.repeat(32) }],
  ['one certificate', { site: 'a', tls: new Authority('test').tls('test', 'a') }],
])('four processes with %s become three members and a guest', async (_, security) => {
  const fleet = openFittingFleet({ heartbeatMs: 250, failureTimeoutMs: 5_000 }, security);
  await fleet.start(4);
  await expectMembers(fleet, 3);
  await expectGrants(fleet);
});

test('processes that start one after the other, each when the one before it is ready, as the pods of a StatefulSet do', async () => {
  const fleet = openFittingFleet({ heartbeatMs: 250, failureTimeoutMs: 5_000 });
  for (let pod = 0; pod < 3; pod++) {
    const [cluster] = await fleet.start(1);
    await cluster!.ready({ timeoutMs: 20_000 });
  }
  await expectMembers(fleet, 3);
  await expectGrants(fleet);
}, 90_000);
